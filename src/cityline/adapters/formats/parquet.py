"""Parquet files as an engine left them: their rows, sizes and schema."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cityline.errors import EngineError
from cityline.lake.version import DataFile
from cityline.ports.engine import Written
from cityline.ports.store import Store


def adopted(folder: Path, store: Store, into: str) -> Written:
    """Give a finished folder's files to the store, below the key `into`.

    Raises EngineError when there are none.
    """
    paths = sorted(folder.rglob("*.parquet"))
    told = [(path, f"{into}/{path.relative_to(folder).as_posix()}") for path in paths]
    found = _written(told, into)
    for path, key in told:
        store.adopt(path, key)
    return found


def written_below(store: Store, into: str) -> Written:
    """The files a cluster left below a key. Raises EngineError for none."""
    keys = [key for key in store.keys(into) if key.endswith(".parquet")]
    return _written([(store.fetch(key), key) for key in keys], into)


def _written(files: list[tuple[Path, str]], into: str) -> Written:
    told = []
    schema: pa.Schema | None = None
    for path, key in files:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            schema = schema or file.schema_arrow
        told.append(DataFile(key, rows, path.stat().st_size))
    if schema is None:
        raise EngineError("the statement wrote no file", where=into)
    return Written(tuple(told), schema.remove_metadata())
