"""The decision: may a role do something in a zone, and which line of the policy says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cityline.declarations.access import (
    EVERY,
    HOLDS,
    Access,
    AccessZone,
    Denial,
    Grant,
    Verb,
)
from cityline.declarations.reading import nearest
from cityline.errors import UsageError

REST = ""
"""Any dataset that the policy does not name."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why: the grant or denial that decides, or that there is none."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Which datasets of a zone a role reaches: all but `without` when `all_others`, else `only`."""

    all_others: bool
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether it reaches anything."""
        return self.all_others or bool(self.only)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix: `dataset` is empty for all that the policy does not name."""

    role: str
    verb: Verb
    zone: AccessZone
    dataset: str
    decision: Decision


def decide(
    access: Access, role: str, verb: Verb, zone: AccessZone, dataset: str = REST
) -> Decision:
    """Decide one cell. A denial wins over every grant; without a grant nothing is allowed.

    Raises UsageError when the policy knows no such role.
    """
    if role not in access.roles:
        raise UsageError(f"no role {role!r}", hint=nearest(role, list(access.roles)))
    if not fits(verb, zone):
        verbs = "published" if zone is AccessZone.SITE else "written"
        return Decision(allowed=False, reason=f"{zone} is {verbs}; there is no {verb} in it")
    for number, denial in enumerate(access.denials):
        if _denies(denial, role, verb, zone, dataset):
            return Decision(allowed=False, reason=f"denials.{number}: {denial.why}")
    for number, grant in enumerate(access.grants):
        if _grants(access, grant, role, verb, zone, dataset):
            return Decision(allowed=True, reason=f"grants.{number}: {grant.why}")
    door = access.roles[role].through
    if door and verb is Verb.READ and decide(access, door, verb, zone, dataset).allowed:
        return Decision(allowed=False, reason=f"not itself; it asks {door}, which answers for it")
    return Decision(allowed=False, reason="nothing grants it")


def fits(verb: Verb, zone: AccessZone) -> bool:
    """Whether a zone knows the verb: the site is published, everything else is written."""
    if zone is AccessZone.SITE:
        return verb is not Verb.WRITE
    return verb is not Verb.PUBLISH


def may(access: Access, role: str, verb: Verb, zone: AccessZone) -> bool:
    """Whether a role may do it with any dataset of the zone."""
    return reach(access, role, verb, zone).any


def reach(access: Access, role: str, verb: Verb, zone: AccessZone) -> Reach:
    """The datasets for which `decide` says yes, told as briefly as it can be."""
    named = datasets_of(access, verb, zone)[:-1]
    allowed = {d for d in named if decide(access, role, verb, zone, d).allowed}
    if decide(access, role, verb, zone).allowed:
        return Reach(all_others=True, without=tuple(d for d in named if d not in allowed))
    return Reach(all_others=False, only=tuple(d for d in named if d in allowed))


def matrix(access: Access) -> Iterator[Cell]:
    """Every role, zone, verb that the zone knows, and dataset that the policy tells apart."""
    for role in access.roles:
        for zone in AccessZone:
            for verb in Verb:
                if not fits(verb, zone):
                    continue
                for dataset in datasets_of(access, verb, zone):
                    decision = decide(access, role, verb, zone, dataset)
                    yield Cell(role, verb, zone, dataset, decision)


def datasets_of(access: Access, verb: Verb, zone: AccessZone) -> tuple[str, ...]:
    """The datasets for which a verb may come out differently, `REST` last. A zone is administered
    as a whole, whatever lies in it."""
    return (REST,) if verb is Verb.ADMINISTER else (*access.named(zone), REST)


def _denies(denial: Denial, role: str, verb: Verb, zone: AccessZone, dataset: str) -> bool:
    who = EVERY in denial.roles or role in denial.roles
    what = verb is Verb.ADMINISTER or not denial.datasets or dataset in denial.datasets
    return who and what and verb in denial.verbs and zone in denial.zones


def _grants(
    access: Access, grant: Grant, role: str, verb: Verb, zone: AccessZone, dataset: str
) -> bool:
    if grant.role != role or verb not in grant.verbs or zone not in grant.zones:
        return False
    if verb is Verb.ADMINISTER:
        return True
    if grant.datasets and dataset not in grant.datasets:
        return False
    return zone not in HOLDS or access.class_of(dataset) in grant.classes
