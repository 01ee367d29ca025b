"""Every control removed or weakened once: each such document is caught by a check.

A few zones are tried each time; `slow` tries them all, for both cities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cityline.declarations.access import AccessZone
from cityline.deploy.policies import roles_of
from tests.unit.deploy.checks import CHECKS, copies, roles_alone
from tests.unit.deploy.cities import VANCOUVER, careful
from tests.unit.deploy.key_checks import copies_keys, keys, tending
from tests.unit.deploy.mutants import Statement, changes
from tests.unit.deploy.platform import Platform, build
from tests.unit.deploy.work import platform_key, trail_key, trusts, work

PLATFORMS = {"vancouver": build(VANCOUVER), "careful": build(careful())}
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
}
ALIKE = {
    "TrailLooks on everything": "a bucket's policy speaks of its bucket, and the action is on that",
}
"""Changes that change nothing, each with the reason."""

EVERY = [
    pytest.param(*case, marks=[] if case in OFTEN else pytest.mark.slow)
    for case in ((c, p, z) for c in PLATFORMS for p in PARTS for z in AccessZone)
]


@pytest.mark.parametrize("check", [work, platform_key, trail_key, trusts])
def test_roles_and_services_do_their_work_and_no_more(
    check: Callable[[Platform], Iterator[str]],
) -> None:
    assert list(check(PLATFORMS["vancouver"])) == []


TWICE = ("Denial3", "Payroll")
"""The careful city's denial of one dataset, and the statements that tell that dataset apart."""


def survivors(
    statements: list[Statement],
    spoil: Callable[[], tuple[Platform, list[Statement]]],
    found: Callable[[Platform], Iterator[str]],
) -> list[str]:
    """The changes that no check notices. Each is applied to a fresh copy."""
    alive, tried = [], 0
    for name, change in changes(statements):
        platform, copied = spoil()
        change(copied)
        tried += 1
        if name in ALIKE or next(found(platform), ""):
            continue
        if name.startswith(
            TWICE[0]
        ):  # alone it is not missed, because another statement says it too
            copied[:] = [s for s in copied if TWICE[1] not in s["Sid"]]
            if next(found(platform), ""):
                continue
        alive.append(name)
    assert tried >= 1
    return alive


@pytest.mark.parametrize(("city", "part", "zone"), EVERY)
def test_no_weaker_bucket_or_key_passes(city: str, part: str, zone: AccessZone) -> None:
    platform = PLATFORMS[city]

    def spoil() -> tuple[Platform, list[Statement]]:
        spoilt = platform.changed(part, zone)
        return spoilt, getattr(spoilt, part)[zone]["Statement"]

    def found(spoilt: Platform) -> Iterator[str]:
        for check in PARTS[part]:
            yield from CHECKS[check](spoilt, zone)
        if "keys" in part and zone is AccessZone.TRAIL:
            yield from trail_key(spoilt)
        if "keys" in part and zone is AccessZone.LOG:
            yield from platform_key(spoilt)

    assert survivors(getattr(platform, part)[zone]["Statement"], spoil, found) == []


@pytest.mark.parametrize(
    "role",
    [
        pytest.param(r, marks=[] if r in ("auditor", "server") else pytest.mark.slow)
        for r in roles_of(VANCOUVER)
    ],
)
def test_no_wider_or_narrower_role_passes(role: str) -> None:
    platform = PLATFORMS["vancouver"]
    for part, policy in platform.roles[role].items():

        def spoil(part: str = part) -> tuple[Platform, list[Statement]]:
            spoilt = platform.changed("roles", role)
            return spoilt, spoilt.roles[role][part]["Statement"]

        def found(spoilt: Platform, part: str = part) -> Iterator[str]:
            return _of_role(spoilt, role, part)

        assert survivors(policy["Statement"], spoil, found) == []


def _of_role(p: Platform, role: str, part: str) -> Iterator[str]:
    """The checks that speak of a part of a role's own policies."""
    if part == "work":
        yield from work(p, role)
        return
    for zone in AccessZone:
        if part == "zones":
            yield from roles_alone(p, zone, role)
        else:
            yield from keys(p, zone, role)
        if role == "replication":
            yield from (copies if part == "zones" else copies_keys)(p, zone)
    if part == "keys":
        yield from work(p, role)
        yield from platform_key(p)
        for zone in AccessZone if role == "administrator" else ():
            yield from tending(p, zone, role)


@pytest.mark.parametrize("role", roles_of(VANCOUVER))
def test_no_weaker_trust_passes(role: str) -> None:
    platform = PLATFORMS["vancouver"]

    def spoil() -> tuple[Platform, list[Statement]]:
        spoilt = platform.changed("trusts", role)
        return spoilt, spoilt.trusts[role]["Statement"]

    found: Any = trusts
    assert survivors(platform.trusts[role]["Statement"], spoil, found) == []
