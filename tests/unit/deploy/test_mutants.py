"""Every control removed or weakened once: each such document is caught by a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest

from cityline.declarations.access import AccessZone
from tests.unit.deploy.checks import CHECKS
from tests.unit.deploy.cities import VANCOUVER, careful
from tests.unit.deploy.mutants import changes
from tests.unit.deploy.platform import Platform, build
from tests.unit.deploy.work import platform_key, trail_key, trusts, work

PLATFORMS = {"vancouver": build(VANCOUVER), "careful": build(careful())}
_BUCKET = ("strangers", "services", "denials", "bucket alone", "together")
_KEY = ("tending", "keys", "together")


@pytest.mark.parametrize("check", [work, platform_key, trail_key, trusts])
def test_roles_and_services_do_their_work_and_no_more(
    check: Callable[[Platform], Iterator[str]],
) -> None:
    assert list(check(PLATFORMS["vancouver"])) == []


def found(p: Platform, zone: AccessZone, checks: tuple[str, ...], *more: Any) -> str:
    """The first disagreement, or nothing."""
    every = chain(*(m(p) for m in more), *(CHECKS[c](p, zone) for c in checks))
    return next(every, "")


def survivors(
    city: str, part: str, zone: AccessZone, checks: tuple[str, ...], *more: Any
) -> tuple[list[str], int]:
    platform = PLATFORMS[city]
    alive, tried = [], 0
    for name, change in changes(getattr(platform, part)[zone]["Statement"]):
        spoilt = platform.changed(part, zone)
        change(getattr(spoilt, part)[zone]["Statement"])
        tried += 1
        if not found(spoilt, zone, checks, *more):
            alive.append(name)
    return alive, tried


@pytest.mark.parametrize("zone", AccessZone)
@pytest.mark.parametrize("city", PLATFORMS)
def test_bucket_policies(city: str, zone: AccessZone) -> None:
    alive, tried = survivors(city, "buckets", zone, _BUCKET)
    assert tried > 20
    assert alive == []
