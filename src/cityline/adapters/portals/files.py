"""A file or a folder as a portal: what somebody downloaded already is a source too."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cityline.errors import SourceDamaged, SourceRefused, StoreError, StoreFull
from cityline.ports.portal import Dataset, Download

_NO_SPACE = 28


class FilesPortal:
    """Implements `ports.portal.Portal` over one CSV, or a folder of CSVs named by dataset.

    A file `<name>.csv.json` beside the data may say {"generated": true} and, when the extract was
    made, {"data_processed": "2026-08-12T13:50:39+00:00"}; without it the file's own time counts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()

    def search(self, text: str, limit: int) -> tuple[int, list[Dataset]]:
        """The files whose names contain the text."""
        files = [self._path] if self._path.is_file() else sorted(self._path.glob("*.csv"))
        found = [f for f in files if text.lower() in f.stem.lower()]
        return len(found), [self.describe(f.stem) for f in found[:limit]]

    def describe(self, dataset: str) -> Dataset:
        """What can be known of a file; its fields and rows are checked when it is taken."""
        file = self._file(dataset)
        notes = _notes(file)
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat(timespec="seconds")
        return Dataset(
            id=dataset,
            title="",
            description="",
            licence="",
            fields=(),
            records_count=None,
            data_processed=str(notes.get("data_processed") or changed),
            modified=changed,
            address=f"file {file.name}, {file.stat().st_size} bytes",
            generated=bool(notes.get("generated")),
            metadata=notes,
        )

    def export(self, dataset: str, into: Path, max_bytes: int) -> Download:
        """Copy the bytes. Raises SourceDamaged for a file larger than `max_bytes`."""
        file = self._file(dataset)
        if file.stat().st_size > max_bytes:
            what = f"the file is larger than {max_bytes:,} bytes"
            raise SourceDamaged(what, where=str(file), hint="raise max_bytes under [format]")
        digest, size = hashlib.sha256(), 0
        try:
            with file.open("rb") as source, into.open("wb") as target:
                while block := source.read(1 << 20):
                    digest.update(block)
                    size += target.write(block)
        except OSError as error:
            kind = StoreFull if error.errno == _NO_SPACE else StoreError
            raise kind(f"the file cannot be copied: {error.strerror}", where=str(file)) from error
        headers = {"content-type": "text/csv"}
        return Download(into, file.name, size, digest.hexdigest(), "text/csv", headers)

    def _file(self, dataset: str) -> Path:
        if self._path.is_file():
            return self._path
        named = [p for p in sorted(self._path.glob("*.csv")) if dataset in p.stem]
        exact = [p for p in named if p.stem == dataset]
        found = exact or named
        if len(found) == 1:
            return found[0]
        there = ", ".join(p.name for p in sorted(self._path.glob("*.csv"))) or "no CSV"
        what = f"the folder has {len(found)} files for {dataset}: it needs {dataset}.csv"
        raise SourceRefused(what, where=str(self._path), hint=f"found there: {there}")


def _notes(file: Path) -> dict[str, Any]:
    beside = file.with_name(f"{file.name}.json")
    if not beside.is_file():
        return {}
    try:
        data = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SourceDamaged(f"not JSON: {error}", where=str(beside)) from error
    return data if isinstance(data, dict) else {}
