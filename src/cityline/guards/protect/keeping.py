"""Keeping: when things may go from a zone, when they must, and in which regions they may lie."""

from __future__ import annotations

from dataclasses import dataclass

from cityline.declarations.access import HOLDS, Access, AccessZone, DataClass
from cityline.declarations.retention import Keep, Residency, Retention

CANADA = frozenset({"ca-central-1", "ca-west-1"})
"""The regions in Canada; personal data lies elsewhere only with a recorded assessment."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """When a zone, or a dataset in it, is cleared, in days.

    `expire` is the age at which a current thing is hidden, None while it may stay as long as it is
    current. `erase` is how long a hidden or replaced version stays until it is erased; the two
    together are the maximum, and `erase` alone the minimum, for what is replaced on its first day.
    """

    dataset: str
    expire: int | None
    erase: int | None
    cold: int | None


def clearing(access: Access, retention: Retention, zone: AccessZone) -> tuple[Clearing, ...]:
    """How a zone is cleared: the zone's own line first (`dataset` empty), then datasets whose class
    has a rule of its own. While a hold stands in the zone nothing of it expires or is erased."""
    keep = retention.of(zone)
    if keep is None:
        return ()
    held = bool(retention.held(zone))
    lines = [_clearing("", keep, held=held)]
    for dataset in access.named(zone) if zone in HOLDS else ():
        own = retention.of(zone, access.class_of(dataset))
        if own is not None and own is not keep:
            lines.append(_clearing(dataset, own, held=held))
    return tuple(lines)


def _clearing(dataset: str, keep: Keep, *, held: bool) -> Clearing:
    if held:
        return Clearing(dataset, None, None, keep.cold_after_days)
    most, least = keep.maximum_days, keep.minimum_days
    return Clearing(dataset, most - least if most else None, least, keep.cold_after_days)


def placeable(residency: Residency, region: str, data_class: DataClass) -> str:
    """Why a class of data may not lie in a region; empty when it may."""
    if region not in residency.allowed:
        return f"{region} is not among the allowed regions"
    if data_class is not DataClass.PERSONAL or region in CANADA:
        return ""
    told = [a for a in residency.assessments if a.region == region and data_class in a.classes]
    if told:
        return ""
    return f"personal data would lie in {region}, outside Canada, without a recorded assessment"
