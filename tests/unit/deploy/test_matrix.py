"""The access matrix: each role × zone × verb × dataset, allowed or denied as declared, in AWS's
own terms, over TLS and plain HTTP, with the right, a wrong and no encryption header."""

from __future__ import annotations

import json

import pytest

from cityline.declarations.access import Access, AccessZone
from tests.unit.deploy.checks import CHECKS
from tests.unit.deploy.cities import SIGN_IN, VANCOUVER, careful
from tests.unit.deploy.platform import Platform, asks, build

CITIES = {"vancouver": VANCOUVER, "careful": careful()}
PLATFORMS = {name: build(access, sign_in=SIGN_IN) for name, access in CITIES.items()}


@pytest.mark.parametrize("zone", AccessZone)
@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("check", CHECKS)
def test_the_documents_agree_with_the_declaration(check: str, city: str, zone: AccessZone) -> None:
    assert [w for case in CHECKS[check](PLATFORMS[city], zone) if (w := case.wrong())] == []


@pytest.mark.parametrize("access", CITIES.values(), ids=CITIES)
def test_the_matrix_is_worth_its_name(access: Access) -> None:
    every = [a for zone in AccessZone for a in asks(access, zone)]
    assert len(every) > 3000
    assert sum(a.allowed for a in every) > 100
    assert sum(not a.allowed for a in every) > 2000


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_documents_are_small_enough_for_aws(platform: Platform) -> None:
    for bucket in (*platform.buckets.values(), *platform.copies.values()):
        assert len(json.dumps(bucket)) <= 20_480
    for key in (*platform.keys.values(), *platform.copies_keys.values()):
        assert len(json.dumps(key)) <= 32_768
    for parts in platform.roles.values():
        assert len(parts) <= 10
        for part in parts.values():
            assert len(json.dumps(part, separators=(",", ":"))) <= 6_144
    for trust in platform.trusts.values():
        assert len(json.dumps(trust, separators=(",", ":"))) <= 2_048
