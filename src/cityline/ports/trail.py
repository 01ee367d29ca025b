"""The trail: who did what, when, on what, and whether it was allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Event:
    """One thing somebody did. `outcome` is allowed, denied or failed; `why` is the refusal's or the
    failure's reason. `who` is empty where nobody was recorded."""

    at: datetime
    who: str
    what: str
    on: str
    outcome: str
    why: str = ""
    where: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """Which events are wanted: parts of `who` and `what` in any case, since when, and at most how
    many, newest first."""

    since: datetime
    who: str = ""
    what: str = ""
    most: int = 200

    def wants(self, event: Event) -> bool:
        """Whether an event is one of them."""
        return (
            event.at >= self.since
            and self.who.lower() in event.who.lower()
            and self.what.lower() in event.what.lower()
        )


class Trail(Protocol):
    """Reads what was recorded; records nothing. Raises StoreError here, CloudError on AWS."""

    @property
    def gaps(self) -> tuple[str, ...]:
        """What this trail does not hold, in a sentence each."""
        ...

    @property
    def questions(self) -> Mapping[str, str]:
        """Named questions of an auditor, with their titles; none where there is no trail to ask."""
        ...

    def events(self, look: Look) -> list[Event]:
        """Events, newest first."""
        ...

    def ask(self, question: str) -> pa.Table:
        """A named question's answer. Raises UsageError for one there is not."""
        ...
