"""The gates a file must pass before anything downstream sees it.

Content type, encoding, header, delimiter, record length, last record complete, and the counts
against the portal's and the last pull's. A file that passes may still hold bad cells: those are
the recipe's. A file that fails is refused whole, and the old state stays.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cityline.declarations.reading import nearest
from cityline.declarations.source import Source
from cityline.errors import SourceChanged, SourceDamaged

_DELIMITERS = (";", ",", "\t", "|")
_QUOTE, _NEWLINE = 34, 10
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CSV_TYPES = ("text/csv", "application/csv", "text/plain", "application/octet-stream", "")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is: its columns in the file's order (contract names; extras begin with `extra_`),
    its records and size, and what differs from the contract without doing harm."""

    columns: tuple[str, ...]
    rows: int
    bytes: int
    notes: tuple[str, ...] = ()


def inspect(path: Path, source: Source, content_type: str = "") -> Inspection:
    """Look at a file without changing it.

    Raises SourceDamaged when it is not the table it should be, SourceChanged when its columns are
    not the contract's.
    """
    where = source.dataset
    _check_type(content_type, where)
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if not head.strip():
        hint = "the portal may be reloading the dataset; try again later"
        raise SourceDamaged("the file is empty", where=where, hint=hint)
    _check_start(head, source)
    columns, notes = _columns(_header(head, source), source)
    rows = _count_records(path, source) - 1
    return Inspection(columns, rows, path.stat().st_size, tuple(notes))


def check_counts(rows: int, source: Source, *, promised: int | None, last: int | None) -> None:
    """Compare the rows received with the portal's own count and with the last pull.

    Raises SourceDamaged for a file that is shorter or longer than the portal says, SourceChanged
    for one that shrank more than the contract allows.
    """
    volume = source.volume
    if rows < volume.min_rows:
        what = f"{rows:,} rows were received; the contract expects at least {volume.min_rows:,}"
        raise SourceDamaged(what, where=source.dataset, hint="an absent answer is not an empty one")
    if promised is not None and abs(rows - promised) > promised * volume.count_tolerance:
        what = f"{rows:,} rows were received but the portal counts {promised:,}"
        hint = "the export was cut or the dataset is being reloaded; try again later"
        raise SourceDamaged(what, where=source.dataset, hint=hint)
    if last is not None and rows < last * (1 - volume.max_shrink):
        what = f"the dataset shrank from {last:,} to {rows:,} rows"
        hint = 'if that is right, say why: cityline ingest --accept "reason"'
        raise SourceChanged(what, where=source.dataset, hint=hint)


def _check_type(content_type: str, where: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in _CSV_TYPES:
        what = f"the portal answered with {kind}, not with CSV"
        raise SourceDamaged(what, where=where, hint="open the export's address in a browser")


def _check_start(head: bytes, source: Source) -> None:
    declared = source.format.encoding
    found = _BOMS.get(head[:2]) or ("utf-16" if b"\x00" in head[:200] else None)
    if found and found != declared:
        what = f"the file is {found}, not {declared}"
        hint = f'declare it: encoding = "{found}" under [format]'
        raise SourceDamaged(what, where=source.dataset, hint=hint)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        what = "the portal sent a web page, not a table"
        raise SourceDamaged(what, where=source.dataset, hint="the portal may be down; try later")
    if start.startswith((b"{", b"[")):
        text = head[:200].decode("utf-8", "replace")
        what = f"the portal sent JSON, not a table: {' '.join(text.split())}"
        raise SourceDamaged(what, where=source.dataset, hint="read the portal's message")


def _header(head: bytes, source: Source) -> list[str]:
    encoding = "utf-8-sig" if source.format.encoding == "utf-8" else source.format.encoding
    text = head.decode(encoding, "replace")
    delimiter = source.format.delimiter
    cells = next(csv.reader(text.splitlines(), delimiter=delimiter))
    if len(cells) > 1 or len(source.fields) == 1:
        return cells
    for other in _DELIMITERS:
        if other != delimiter and len(next(csv.reader(text.splitlines(), delimiter=other))) > 1:
            what = f"the delimiter is {other!r}, not {delimiter!r}"
            hint = f'declare it: delimiter = "{other}" under [format]'
            raise SourceDamaged(what, where=source.dataset, hint=hint)
    return cells


def _columns(header: Sequence[str], source: Source) -> tuple[tuple[str, ...], list[str]]:
    """Match header cells to the contract by label or API name, whatever the case and blanks."""
    known = {_plain(f.label): f.name for f in source.fields}
    known |= {_plain(f.name): f.name for f in source.fields}
    columns: list[str] = []
    notes: list[str] = []
    for at, cell in enumerate(header):
        name = known.get(_plain(cell))
        if name is None or name in columns:
            name = f"extra_{at + 1}"
            told = f"column {cell!r}" if cell.strip() else f"the unnamed column {at + 1}"
            notes.append(f"{told} is not in the contract and is kept in raw only")
        columns.append(name)
    missing = [f for f in source.fields if f.name not in columns]
    if missing:
        raise SourceChanged(
            f"the table has no column {', '.join(repr(f.label) for f in missing)}; "
            f"it has {', '.join(repr(c) for c in header)}",
            where=source.dataset,
            hint=nearest(missing[0].label, list(header)) + f" (sources/{source.name}.toml)",
        )
    return tuple(columns), notes


def _plain(label: str) -> str:
    return re.sub(r"[\s_.\ufeff\u200b-]+", "", label).lower()


def _count_records(path: Path, source: Source) -> int:
    """Records including the header. A line break inside quotes does not end a record."""
    if source.format.encoding != "utf-8":
        return _count_decoded(path, source)
    records = blank = 0
    inside = False
    last = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(path, source.format.max_field_bytes):
        _check_text(chunk, decoder, source)
        if b'"' in chunk or inside:
            ended, inside = _count_quoted(chunk, inside=inside)
        else:
            ended = chunk.count(b"\n")
            blank += chunk.count(b"\n\r\n") + chunk.count(b"\n\n")
        if ended == 0 and len(chunk) == source.format.max_field_bytes:
            if inside and b"\n" in chunk:
                what = "a quoted cell never ends"
                where = f"{source.dataset}, after record {records}"
                raise SourceDamaged(what, where=where, hint="look for a single quote there")
            what = f"a record is longer than {source.format.max_field_bytes:,} bytes"
            hint = "raise max_field_bytes under [format] if that is right"
            where = f"{source.dataset}, after record {records}"
            raise SourceDamaged(what, where=where, hint=hint)
        records += ended
        last = chunk
    if inside:
        raise SourceDamaged("a quoted cell never ends: the file was cut", where=source.dataset)
    if not last.endswith(b"\n"):
        what = "the last record is not complete: the file does not end with a line break"
        hint = "the download was cut; or add a line break if the file is whole"
        raise SourceDamaged(what, where=f"{source.dataset}, record {records + 1}", hint=hint)
    return records - blank


def _check_text(chunk: bytes, decoder: codecs.IncrementalDecoder, source: Source) -> None:
    """Refuse bytes that are not in the declared encoding."""
    if chunk.isascii() and not decoder.getstate()[0]:
        return  # plain ASCII that continues no cut character needs no decoding
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        near = chunk[max(0, error.start - 20) : error.start + 20].decode("latin-1")
        what = f"the file is not utf-8, near {near!r}"
        hint = 'declare its real encoding, e.g. encoding = "latin-1" under [format]'
        raise SourceDamaged(what, where=source.dataset, hint=hint) from error


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def _count_quoted(chunk: bytes, *, inside: bool) -> tuple[int, bool]:
    """Line breaks outside quotes; a doubled quote leaves the parity as it was."""
    data = np.frombuffer(chunk, dtype=np.uint8)
    parity = np.bitwise_xor.accumulate(data == _QUOTE)
    if inside:
        parity = ~parity
    ended = int(np.count_nonzero((data == _NEWLINE) & ~parity))
    return ended, bool(parity[-1])


def _count_decoded(path: Path, source: Source) -> int:
    try:
        text = path.read_bytes().decode(source.format.encoding)
    except UnicodeDecodeError as error:
        what = f"the file is not {source.format.encoding} at byte {error.start}"
        raise SourceDamaged(what, where=source.dataset) from error
    if not text.endswith("\n"):
        what = "the last record is not complete: the file does not end with a line break"
        raise SourceDamaged(what, where=source.dataset)
    return sum(1 for row in csv.reader(text.splitlines(), delimiter=source.format.delimiter) if row)
