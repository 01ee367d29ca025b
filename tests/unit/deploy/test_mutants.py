"""Every control removed or weakened once: each such document is caught by a check.

A few documents are tried each time; `slow` tries them all, for both cities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from cityline.declarations.access import AccessZone
from cityline.deploy.policies import roles_of
from tests.unit.deploy.checks import CHECKS, copies, roles_alone
from tests.unit.deploy.cities import CAREFUL_READERS, SIGN_IN, VANCOUVER, careful
from tests.unit.deploy.evaluation import applies
from tests.unit.deploy.key_checks import copies_keys, keys, tending
from tests.unit.deploy.mutants import changes
from tests.unit.deploy.platform import Case, Doc, Platform, build
from tests.unit.deploy.work import (
    CATALOGUE_POLICY,
    CATALOGUE_TRUST,
    catalogue,
    catalogue_trusts,
    platform_key,
    trail_key,
    trusts,
    work,
)

PLATFORMS = {"vancouver": build(VANCOUVER), "careful": build(careful(), CAREFUL_READERS, SIGN_IN)}
PARTS = {
    "buckets": ("strangers", "services", "denials", "own services", "bucket alone", "together"),
    "copies": ("strangers", "services", "denials", "own services", "copies"),
    "keys": ("keys", "tending"),
    "copies_keys": ("copies' keys", "tending"),
}
OFTEN = {
    ("vancouver", "buckets", AccessZone.TRAIL),
    ("vancouver", "copies", AccessZone.RAW),
    ("vancouver", "keys", AccessZone.TRAIL),
    ("vancouver", "keys", AccessZone.LOG),
    ("vancouver", "auditor"),
    ("vancouver", "server"),
}
ALIKE = {
    "TrailLooks on everything": "a bucket's policy speaks of its bucket, and the action is on that",
}
"""Changes that change nothing, each with the reason."""


def cases(*every: Any) -> list[Any]:
    """All but the few are slow."""
    return [pytest.param(*c, marks=[] if c in OFTEN else pytest.mark.slow) for c in every]


@pytest.mark.parametrize("check", [work, platform_key, trail_key, trusts])
@pytest.mark.parametrize("city", PLATFORMS)
def test_roles_and_services_do_their_work_and_no_more(
    city: str, check: Callable[[Platform], Iterator[Case]]
) -> None:
    assert [w for case in check(PLATFORMS[city]) if (w := case.wrong())] == []


def survivors(document: Doc, asked: Sequence[Case]) -> list[str]:
    """The changes of a document that no case notices, and those excused without need.

    Only cases of which the statement speaks, before or after, can come out differently. That they
    all come out right before is shown by the matrix and by the test above.
    """
    alive = []
    for one in document["Statement"]:
        mine = [(c, applies(one, c.ask.request)) for c in asked if c.rests_on(one)]
        for name, other in changes(one):
            touched = (
                c for c, before in mine if before or (other and applies(other, c.ask.request))
            )
            caught = any(c.spoilt(one, other).wrong() for c in touched)
            if caught is (name in ALIKE):
                alive.append(name)
    return alive


def test_what_no_case_speaks_of_is_told() -> None:
    bucket = PLATFORMS["vancouver"].buckets[AccessZone.RAW]
    every = [name for one in bucket["Statement"] for name, _ in changes(one)]
    assert survivors(bucket, []) == every


@pytest.mark.parametrize(
    ("city", "part", "zone"),
    cases(*((c, p, z) for c in PLATFORMS for p in PARTS for z in AccessZone)),
)
def test_no_weaker_bucket_or_key_passes(city: str, part: str, zone: AccessZone) -> None:
    platform = PLATFORMS[city]
    asked = [case for check in PARTS[part] for case in CHECKS[check](platform, zone)]
    if "keys" in part and zone is AccessZone.TRAIL:
        asked += trail_key(platform)
    if "keys" in part and zone is AccessZone.LOG:
        asked += platform_key(platform)
    assert survivors(getattr(platform, part)[zone], asked) == []


@pytest.mark.parametrize(
    ("city", "role"), cases(*((c, r) for c, p in PLATFORMS.items() for r in roles_of(p.access)))
)
def test_no_wider_or_narrower_role_passes(city: str, role: str) -> None:
    platform = PLATFORMS[city]
    for part, policy in platform.roles[role].items():
        assert survivors(policy, [*_of_role(platform, role, part)]) == []


def _of_role(p: Platform, role: str, part: str) -> Iterator[Case]:
    """The checks that speak of a part of a role's own policies."""
    if part == "work":
        yield from work(p, role)
        return
    for zone in AccessZone:
        if part == "zones":
            yield from roles_alone(p, zone, role)
        else:
            yield from keys(p, zone, role)
            yield from copies_keys(p, zone, role)
        if role == "replication" and part == "zones":
            yield from copies(p, zone)
    if part == "keys":
        yield from work(p, role)
        yield from platform_key(p)
        for zone in AccessZone if role == "administrator" else ():
            yield from tending(p, zone, role)


@pytest.mark.parametrize("role", roles_of(VANCOUVER))
@pytest.mark.parametrize("city", PLATFORMS)
def test_no_weaker_trust_passes(city: str, role: str) -> None:
    platform = PLATFORMS[city]
    assert survivors(platform.trusts[role], [*trusts(platform)]) == []


def test_no_weaker_role_of_the_catalogue_passes() -> None:
    asked, trusted = [*catalogue(PLATFORMS["vancouver"])], [*catalogue_trusts()]
    assert [w for case in (*asked, *trusted) if (w := case.wrong())] == []
    assert survivors(CATALOGUE_POLICY, asked) == []
    assert survivors(CATALOGUE_TRUST, trusted) == []
