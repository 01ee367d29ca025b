"""Zones in order, and the one place where an address becomes a path, a key or a table's name.

An address names a thing whatever its version: `landing/inquiry-volume`. People write it with
hyphens; SQL sees `landing.inquiry_volume`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from cityline.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Zone(StrEnum):
    """The zones in the order data passes through them; `lake` holds facts about the lake itself."""

    RAW = "raw"
    QUARANTINE = "quarantine"
    LANDING = "landing"
    CURATED = "curated"
    ANSWERS = "answers"
    SITE = "site"
    LAKE = "lake"


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A zone and a name, e.g. `curated/department-month`."""

    zone: Zone
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name!r} is not a name: use lower case letters, digits and single hyphens",
                where=f"{self.zone}/{self.name}",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `zone/some-name` or `zone.some_name`.

        Raises UsageError when the zone is unknown or the name is not one.
        """
        zone, _, name = text.replace(".", "/", 1).partition("/")
        if zone not in {z.value for z in Zone}:
            zones = ", ".join(Zone)
            raise UsageError(f"{zone!r} is not a zone", where=text, hint=f"one of {zones}")
        return cls(Zone(zone), name.replace("_", "-"))

    @property
    def table(self) -> str:
        """The name SQL uses: `curated.department_month`."""
        return f"{self.zone}.{self.name.replace('-', '_')}"

    def key(self, *parts: str) -> str:
        """The store's key below this address: `curated/department-month/part/…`."""
        return "/".join((self.zone.value, self.name, *parts))

    def __str__(self) -> str:
        return f"{self.zone}/{self.name}"
