"""The journal of a job: lines in the job's own log, which the platform keeps and shows.

An object store has no file to add a line to, and Glue already sends what a job writes to
CloudWatch while it happens. So this only writes; who reads, reads the receipts, or the log itself.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

from cityline.ports.journal import Line


class JobLog:
    """Implements `ports.journal.Journal` on the process's own error stream."""

    def write(self, run: str, level: str, step: str, text: str) -> None:
        """Add a line; what cannot be written is lost, and the run goes on."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with suppress(OSError, ValueError):
            line = json.dumps({"run": run, **asdict(Line(at, level, step, text))})
            sys.stderr.write(line + "\n")

    def tail(self, run: str, most: int = 200) -> list[Line]:  # noqa: ARG002 - the port's
        """Nothing: the lines are in the job's log."""
        return []

    def runs(self) -> list[str]:
        """Nothing: the lines are in the job's log."""
        return []
