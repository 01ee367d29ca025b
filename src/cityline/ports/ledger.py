"""The ledger: runs, receipts, what readers see now, and who is at work."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from cityline.lake.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Release:
    """What readers see: one receipt per step that made it, all from one consistent state."""

    id: str
    run: str
    promoted_at: str
    receipts: Mapping[str, Receipt]
    summary: Mapping[str, Any] = field(default_factory=dict)
    """Facts kept with it: code version, key of the declarations, id of its data."""


class Ledger(Protocol):
    """Everything that happened, kept in order. Raises StoreError, and LockHeld from `hold`."""

    def hold(self, run: str) -> AbstractContextManager[None]:
        """Be the only run at work; a second one learns who holds the lock and since when."""
        ...

    def holder(self) -> str:
        """The run at work now, or an empty text."""
        ...

    def record(self, receipt: Receipt) -> None:
        """Keep a receipt; it is never changed."""
        ...

    def last(self, step: str) -> Receipt | None:
        """The newest receipt of a step that was done."""
        ...

    def receipts(self, *, run: str = "", step: str = "", limit: int = 1000) -> list[Receipt]:
        """Receipts, newest first."""
        ...

    def releases(self, limit: int = 1000) -> list[Release]:
        """Past releases, newest first."""
        ...

    def promote(self, release: Release, summary: Mapping[str, Any]) -> None:
        """Make a release what readers see, in one transaction."""
        ...

    def current(self) -> Release | None:
        """What readers see now, or None before the first release."""
        ...
