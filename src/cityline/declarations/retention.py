"""How long everything is kept, at least and at most, and in which regions it may lie."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cityline.declarations.access import AccessZone, DataClass
from cityline.declarations.reading import Declared

TABLES = (AccessZone.LANDING, AccessZone.CURATED)
"""Zones of live tables: their current files are never expired by age, which would break a table."""

_COLD_LEAST = 30
"""Days before which S3 moves nothing to infrequent access."""


class Keep(Declared):
    """How long a zone keeps things, in days; with `class` only datasets of that class.

    Nothing is gone before `minimum_days`, whoever deleted it. After `maximum_days` nothing is left;
    without it a thing is kept while it is current. `lock` makes the minimum hold against everybody
    (`compliance`) or against everybody who may not lift it (`governance`).
    """

    zone: AccessZone
    data_class: Annotated[DataClass | None, Field(alias="class")] = None
    minimum_days: Annotated[int, Field(ge=1, le=36500)]
    maximum_days: Annotated[int | None, Field(ge=2, le=36500)] = None
    lock: Literal["governance", "compliance"] | None = None
    cold_after_days: Annotated[int | None, Field(ge=_COLD_LEAST)] = None
    """When current things move to cheaper storage."""
    why: Annotated[str, Field(min_length=8)]

    @model_validator(mode="after")
    def _in_order(self) -> Keep:
        most, least, cold = self.maximum_days, self.minimum_days, self.cold_after_days
        if most is not None and most <= least:
            raise ValueError(f"maximum_days {most} must be more than minimum_days {least}")
        if most is not None and self.zone in TABLES:
            raise ValueError(
                f"{self.zone} holds live tables, whose files cannot be expired by age: "
                "leave maximum_days out here and set it for raw, from which they are rebuilt"
            )
        if self.lock and self.zone not in (AccessZone.RAW, AccessZone.TRAIL):
            raise ValueError(f"{self.zone} is rewritten and cannot be locked: lock raw or trail")
        if most is not None and cold is not None and cold >= most - least:
            raise ValueError(
                f"cold_after_days {cold} must come before things expire on day {most - least} "
                "(maximum_days less minimum_days)"
            )
        return self


class Hold(Declared):
    """A legal hold: while it stands nothing it covers is deleted or expires. `datasets` are all of
    them when empty."""

    id: Annotated[str, Field(min_length=3)]
    zone: AccessZone
    datasets: tuple[str, ...] = ()
    since: date
    ordered_by: str
    why: Annotated[str, Field(min_length=8)]


class Assessment(Declared):
    """A recorded privacy impact assessment that lets classes of data lie in a region."""

    id: Annotated[str, Field(min_length=3)]
    region: str
    classes: Annotated[tuple[DataClass, ...], Field(min_length=1)]
    approved_by: Annotated[str, Field(min_length=2)]
    approved_on: date


class Residency(Declared):
    """The regions where data may lie. Personal data outside Canada needs an assessment."""

    allowed: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")], ...], Field(min_length=1)
    ]
    assessments: tuple[Assessment, ...] = ()


class Retention(Declared):
    """`policies/retention.toml`. One `keep` a zone, and further ones for a class within it."""

    keep: Annotated[tuple[Keep, ...], Field(min_length=1)]
    holds: tuple[Hold, ...] = ()
    residency: Residency

    def of(self, zone: AccessZone, data_class: DataClass | None = None) -> Keep | None:
        """The rule of a zone and class: the class's own, else the zone's."""
        found = {k.data_class: k for k in self.keep if k.zone is zone}
        return found.get(data_class) or found.get(None)

    def held(self, zone: AccessZone) -> tuple[Hold, ...]:
        """The holds that stand in a zone."""
        return tuple(h for h in self.holds if h.zone is zone)
