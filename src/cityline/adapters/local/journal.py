"""The journal as one file of JSON lines per run, below `<home>/logs/runs`."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from cityline.ports.journal import Line

_RUN = re.compile(r"[a-z0-9-]{1,80}")


class FileJournal:
    """Implements `ports.journal.Journal`. JSON encodes line ends and control characters, so no text
    can pretend to be a line of its own."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "logs" / "runs"

    def write(self, run: str, level: str, step: str, text: str) -> None:
        """Add a line; what cannot be written is lost, and the run goes on."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps(asdict(Line(at, level, step, text)))
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path(run).open("a", encoding="ascii") as file:
                file.write(line + "\n")

    def tail(self, run: str, most: int = 200) -> list[Line]:
        """The last lines of a run, oldest first."""
        if not _RUN.fullmatch(run):
            return []
        try:
            lines = self._path(run).read_text(encoding="ascii").splitlines()[-most:]
        except OSError:  # a run from before there was a journal
            return []
        return [Line(**json.loads(line)) for line in lines]

    def runs(self) -> list[str]:
        """Every run that wrote a line, newest first: their names begin with their time."""
        return sorted((p.stem for p in self._folder.glob("*.jsonl")), reverse=True)

    def _path(self, run: str) -> Path:
        return self._folder / f"{run}.jsonl"
