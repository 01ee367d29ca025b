"""Keys: who keeps those the zones are encrypted with, and in what state they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a zone in a region. `state` is KMS's word, `ends` the day on which it is deleted
    (ISO) or nothing; `rotated` whether it is changed by itself, `days` how often, if that is told.
    """

    zone: str
    region: str
    alias: str
    id: str
    state: str
    rotated: bool
    days: int | None = None
    ends: str = ""

    @property
    def fault(self) -> str:
        """What is wrong with it, or nothing."""
        if self.ends or self.state == "PendingDeletion":
            return f"will be deleted on {self.ends or 'a day that is not told'}"
        if self.state != "Enabled":
            return f"is {self.state}, so nothing under it can be read"
        return "" if self.rotated else "is not rotated"

    def __str__(self) -> str:
        often = f" every {self.days} days" if self.days else ""
        state = self.fault or f"{self.state.lower()}, rotated{often}"
        return f"{self.region} {self.alias} {self.id}: {state}"


class Keys(Protocol):
    """Looks at keys; uses and changes none. Raises CloudError on AWS."""

    @property
    def says(self) -> str:
        """Who keeps them, and what to do when one is in danger."""
        ...

    def read(self) -> list[Key]:
        """Every key of the platform, by region and zone; none where it has none."""
        ...
