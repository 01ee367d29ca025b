"""The trail of one machine: what the ledger already holds, and what sign-in kept.

There is no second log. A step is an event, and so is a release; the ledger does not know which
person of the machine started a run, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import pyarrow as pa

from cityline.errors import UsageError
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Ledger
from cityline.ports.trail import Event, Look

_ALL = 1_000_000
_OUTCOMES = {Outcome.BLOCKED: "denied", Outcome.FAILED: "failed"}


class LocalTrail:
    """Implements `ports.trail.Trail` over a ledger. `access` are the events of people and tokens
    that the server's sign-in keeps, where there is one."""

    gaps = (
        "The ledger names runs, not the person who started them.",
        "Typed queries, exports and pages that were read leave no record.",
        "A person's or a token's last use is kept, not every use.",
    )
    questions: Mapping[str, str] = {}

    def __init__(self, ledger: Ledger, access: Callable[[], Iterable[Event]]) -> None:
        self._ledger = ledger
        self._access = access

    def events(self, look: Look) -> list[Event]:
        """Steps of runs, releases and sign-in, newest first."""
        found = [e for e in self._every() if look.wants(e)]
        return sorted(found, key=lambda e: (e.at, e.id), reverse=True)[: look.most]

    def ask(self, question: str) -> pa.Table:
        """Refused: named questions are asked of the cloud's trail."""
        told = f"this machine's trail answers no named question, so not {question!r}"
        raise UsageError(told, hint="cityline audit, or with --env aws")

    def _every(self) -> Iterator[Event]:
        for receipt in self._ledger.receipts(limit=_ALL):
            yield _step(receipt)
        for release in self._ledger.releases(_ALL):
            at = datetime.fromisoformat(release.promoted_at)
            yield Event(at, f"run {release.run}", "release", f"site/{release.id}", "allowed",
                        id=f"release {release.id}")  # fmt: skip
        yield from self._access()


def _step(receipt: Receipt) -> Event:
    """A step that a rule stopped was denied; one that broke failed."""
    return Event(
        at=datetime.fromisoformat(receipt.started),
        who=f"run {receipt.run}",
        what=receipt.stage,
        on=", ".join(receipt.writes) or receipt.subject,
        outcome=_OUTCOMES.get(receipt.outcome, "allowed"),
        why=str(receipt.details.get("error", "")),
        id=f"{receipt.run} {receipt.step}",
    )
