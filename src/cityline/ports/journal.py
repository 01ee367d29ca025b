"""The journal: what happened, line by line, while it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when (ISO 8601 UTC), how grave (info, warning, error), at which step, what."""

    at: str
    level: str
    step: str
    text: str


class Journal(Protocol):
    """Lines by run. Writing never fails a run: what cannot be written is lost."""

    def write(self, run: str, level: str, step: str, text: str) -> None:
        """Add a line to a run."""
        ...

    def tail(self, run: str, most: int = 200) -> list[Line]:
        """The last lines of a run, oldest first; none for an unknown one."""
        ...

    def runs(self) -> list[str]:
        """Every run that wrote a line, newest first."""
        ...
