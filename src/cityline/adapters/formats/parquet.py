"""Parquet files as an engine left them below a folder: their rows, sizes and schema."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cityline.errors import EngineError
from cityline.lake.version import DataFile
from cityline.ports.engine import Written


def written_below(folder: Path, root: Path, into: str) -> Written:
    """The files below `folder`, with keys relative to `root`. Raises EngineError for none."""
    files = []
    schema: pa.Schema | None = None
    for path in sorted(folder.rglob("*.parquet")):
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            schema = schema or file.schema_arrow
        files.append(DataFile(path.relative_to(root).as_posix(), rows, path.stat().st_size))
    if schema is None:
        raise EngineError("the statement wrote no file", where=into)
    return Written(tuple(files), schema.remove_metadata())
