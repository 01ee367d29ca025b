"""A file or a folder as a portal: what somebody downloaded already is a source too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cityline.adapters.portals.receiving import receive
from cityline.errors import SourceDamaged, SourceRefused, SourceUnreachable
from cityline.ports.portal import Dataset, Download

_BLOCK = 1 << 20


class FilesPortal:
    """Implements `ports.portal.Portal` over one CSV, or a folder of CSVs named by dataset.

    A file `<name>.csv.json` beside the data may say {"generated": true} and, when the extract was
    made, {"data_processed": "2026-08-12T13:50:39+00:00"}; without it the file's own time counts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()

    def search(self, text: str, limit: int) -> tuple[int, list[Dataset]]:
        """The files whose names contain the text."""
        found = [f for f in self._all() if text.strip().lower() in f.stem.lower()]
        return len(found), [self._describe(f, f.stem) for f in found[:limit]]

    def describe(self, dataset: str) -> Dataset:
        """What can be known of a file; its fields and rows are checked when it is taken."""
        return self._describe(self._file(dataset), dataset)

    def export(self, dataset: str, into: Path, max_bytes: int) -> Download:
        """Copy the bytes. Raises SourceDamaged for a file larger than `max_bytes`."""
        file = self._file(dataset)
        received = receive(_blocks(file, max_bytes), into)
        headers = {"content-type": "text/csv"}
        return Download(into, file.name, received.bytes, received.sha256, "text/csv", headers)

    def _describe(self, file: Path, dataset: str) -> Dataset:
        try:
            known = file.stat()
        except OSError as error:
            raise _unreadable(file, error) from error
        notes = _notes(file)
        changed = datetime.fromtimestamp(known.st_mtime, UTC).isoformat()
        return Dataset(
            id=dataset,
            title="",
            description="",
            licence="",
            fields=(),
            records_count=None,
            data_processed=str(notes.get("data_processed") or changed),
            modified=changed,
            address=f"file {file.name}, {known.st_size} bytes",
            generated=notes.get("generated") is True,
            metadata=notes,
        )

    def _all(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        return sorted(p for p in self._path.glob("*.csv") if p.is_file())

    def _file(self, dataset: str) -> Path:
        """The file itself; in a folder `<dataset>.csv`, or the only CSV named after the dataset."""
        if self._path.is_file():
            return self._path
        if not self._path.is_dir():
            hint = "--from takes a CSV file or a folder of them"
            raise SourceRefused("there is no such file or folder", where=str(self._path), hint=hint)
        there = self._all()
        exact = [p for p in there if p.stem == dataset]
        named = exact or [p for p in there if dataset in p.stem]
        if len(named) == 1:
            return named[0]
        listed = ", ".join(p.name for p in named or there) or "no CSV"
        what = f"the folder has {len(named) or 'no'} files for {dataset}: it needs {dataset}.csv"
        raise SourceRefused(what, where=str(self._path), hint=f"found there: {listed}")


def _blocks(file: Path, max_bytes: int) -> Iterator[bytes]:
    size = 0
    try:
        with file.open("rb") as source:
            while block := source.read(_BLOCK):
                size += len(block)
                if size > max_bytes:
                    what = f"the file is larger than {max_bytes:,} bytes"
                    hint = "raise max_bytes under [format] if that is right"
                    raise SourceDamaged(what, where=str(file), hint=hint)
                yield block
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> SourceUnreachable:
    what = f"the file cannot be read: {error.strerror}"
    return SourceUnreachable(what, where=str(file), hint="check that it is there and readable")


def _notes(file: Path) -> dict[str, Any]:
    beside = file.with_name(f"{file.name}.json")
    if not beside.is_file():
        return {}
    try:
        data = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceDamaged(f"not readable as JSON: {error}", where=str(beside)) from error
    if not isinstance(data, dict):
        raise SourceDamaged("not a JSON object", where=str(beside), hint='{"generated": true}')
    return data
