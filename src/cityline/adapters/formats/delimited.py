"""Delimited files (CSV) as texts.

Every column comes as dictionary codes: a 3-1-1 text column has hundreds of distinct values in
millions of rows, so the codes are small and later work looks at the distinct values only.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from cityline.errors import SourceDamaged
from cityline.ports.cleaning import Texts
from cityline.ports.engine import Layout

_BLOCK = 1 << 24


def read_texts(path: Path, layout: Layout) -> Texts:
    """Read a delimited file with a header line.

    Records with too many or too few cells are returned apart. Raises SourceDamaged when the bytes
    are not in the declared encoding or quotes never close.
    """
    data = _in_utf8(path, layout.encoding)
    ragged: list[tuple[int, str]] = []
    seen = False

    def skip(row: Any) -> str:
        nonlocal seen
        seen = True
        ragged.append((row.number or 0, row.text))
        return "skip"

    read = _reader(data, path, layout)
    table = _compact(read(skip, threads=True))
    if seen:  # row numbers are only known when one thread reads
        ragged.clear()
        table = _compact(read(skip, threads=False))
    # the reader numbers records from 1 and the header is the first
    numbered = tuple((number - 1, text) for number, text in ragged)
    total = table.num_rows + len(numbered)
    numbers = np.arange(1, total + 1, dtype=np.int64)
    if numbered:
        numbers = np.delete(numbers, [n - 1 for n, _ in numbered])
    return Texts(table, pa.array(numbers), numbered)


def _compact(table: pa.Table) -> pa.Table:
    """One chunk and one dictionary a column; column by column, so that memory never holds two
    tables."""
    for at, field in enumerate(table.schema):
        column = table.column(at).unify_dictionaries().combine_chunks()
        table = table.set_column(at, field, column)
    return table


def _reader(data: bytes | None, path: Path, layout: Layout) -> Callable[..., pa.Table]:
    quoted = _has_quote(path) if data is None else b'"' in data

    def read(skip: Callable[[Any], str], *, threads: bool, integers: bool = True) -> pa.Table:
        text = pa.dictionary(pa.int32(), pa.string())
        types = {
            c: pa.int64() if integers and c in layout.integers else text for c in layout.columns
        }
        source = BytesIO(data) if data is not None else str(path)
        try:
            return csv.read_csv(
                source,
                read_options=csv.ReadOptions(
                    column_names=list(layout.columns),
                    skip_rows=0,
                    skip_rows_after_names=1,
                    block_size=_block_size(path),
                    use_threads=threads,
                ),
                parse_options=csv.ParseOptions(
                    delimiter=layout.delimiter,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
                    ignore_empty_lines=True,
                    invalid_row_handler=skip,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=types, null_values=[], strings_can_be_null=False
                ),
            )
        except pa.ArrowInvalid as error:
            if integers and layout.integers and "conversion error to int64" in str(error):
                return read(skip, threads=threads, integers=False)
            raise _damaged(error, path, layout) from error

    return read


def _block_size(path: Path) -> int:
    """Blocks large enough that no sane record spans two, small enough to share among threads."""
    return max(1 << 20, min(_BLOCK, path.stat().st_size // 4 + 1))


def _has_quote(path: Path) -> bool:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            return view.find(b'"') >= 0


def _in_utf8(path: Path, encoding: str) -> bytes | None:
    """The file's bytes in UTF-8 when they must be turned into it; None when they are already."""
    if encoding == "utf-8":
        return None
    try:
        return path.read_bytes().decode(encoding).encode()
    except UnicodeDecodeError as error:
        what = f"the file is not {encoding} at byte {error.start}"
        raise SourceDamaged(what, where=path.name, hint="declare its real encoding") from error


def _damaged(error: pa.ArrowInvalid, path: Path, layout: Layout) -> SourceDamaged:
    text = str(error)
    if "UTF8" in text or "UTF-8" in text:
        what = f"the file is not {layout.encoding}: {text}"
        hint = 'declare its real encoding in the source, e.g. format.encoding = "latin-1"'
        return SourceDamaged(what, where=path.name, hint=hint)
    return SourceDamaged(f"the file cannot be read as a table: {text}", where=path.name)
