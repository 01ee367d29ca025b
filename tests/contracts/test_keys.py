"""One suite for keys here and on AWS: who keeps them, and a clear fault when one is in danger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from cityline.adapters.local.keys import NoKeys
from cityline.errors import CloudRefused, CloudSignIn
from cityline.flow.doctoring import examine_keys
from cityline.ports.keys import Key, Keys
from tests.contracts.places import SIDES

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator
    from tests.aws.scripted import Script

HOME, COPY = "ca-central-1", "ca-west-1"


def made(cloud: Emulator, region: str, alias: str, *, rotated: bool = True) -> str:
    kms = cloud.client("kms", region)
    identity: str = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=identity)
    if rotated:
        kms.enable_key_rotation(KeyId=identity)
    return identity


def kms_keys(*named: tuple[str, str, str]) -> Keys:
    from cityline.adapters.aws.keys import KmsKeys  # noqa: PLC0415 - an extra

    return KmsKeys(named)


@pytest.mark.parametrize("side", SIDES)
def test_the_doctor_says_who_keeps_the_keys(side: str, request: pytest.FixtureRequest) -> None:
    keys: Keys = NoKeys()
    if side == "aws":
        alias = f"alias/kept-{uuid4().hex[:6]}"
        made(request.getfixturevalue("cloud"), HOME, alias)
        keys = kms_keys(("raw", HOME, alias))
    found = examine_keys(keys)
    assert all(f.fine and f.told for f in found)
    assert len(found) == 1
    assert bool(keys.read()) is (side == "aws")
    assert keys.says


@pytest.mark.aws
def test_keys_of_both_regions_with_their_state(cloud: Emulator) -> None:
    alias = f"alias/watched-{uuid4().hex[:6]}"
    ids = {region: made(cloud, region, alias) for region in (HOME, COPY)}
    found = kms_keys(("raw", HOME, alias), ("raw", COPY, alias)).read()
    assert found == [
        Key("raw", region, alias, ids[region], "Enabled", rotated=True, days=365)
        for region in (HOME, COPY)
    ]
    assert not any(k.fault for k in found)
    assert str(found[0]) == f"{HOME} {alias} {ids[HOME]}: enabled, rotated every 365 days"


@pytest.mark.aws
def test_a_key_in_danger_is_a_fault(cloud: Emulator) -> None:
    mark, kms = uuid4().hex[:6], cloud.client("kms", HOME)
    names = {what: f"alias/{what}-{mark}" for what in ("ending", "disabled", "still")}
    ids = {w: made(cloud, HOME, alias, rotated=w != "still") for w, alias in names.items()}
    kms.schedule_key_deletion(KeyId=ids["ending"], PendingWindowInDays=7)
    kms.disable_key(KeyId=ids["disabled"])
    keys = kms_keys(*((w, HOME, alias) for w, alias in names.items()))
    ending, disabled, still = keys.read()
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    assert ending.ends in {day.isoformat(), (day - timedelta(days=1)).isoformat()}
    assert ending.fault == f"will be deleted on {ending.ends}"
    assert disabled.fault == "is Disabled, so nothing under it can be read"
    assert still.fault == "is not rotated"
    findings = examine_keys(keys)
    assert not any(f.fine for f in findings)
    assert all("cancel-key-deletion" in f.hint for f in findings)
    assert findings[0].told.endswith(ending.fault)


@pytest.mark.aws
def test_a_key_that_is_not_there(cloud: Emulator) -> None:
    keys = kms_keys(("raw", HOME, f"alias/nobody-{uuid4().hex[:6]}"))
    with pytest.raises(CloudRefused, match="there is no such key") as caught:
        keys.read()
    assert HOME in caught.value.where
    (finding,) = examine_keys(keys)
    assert not finding.fine
    assert "deploy aws apply" in finding.hint


REFUSALS: dict[str, type[Exception]] = {
    "ExpiredTokenException": CloudSignIn,
    "AccessDeniedException": CloudRefused,
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_look_that_is_refused(script: Script, code: str) -> None:
    metadata: dict[str, Any] = {"KeyId": "k", "KeyState": "Enabled"}
    script.says("DescribeKey", {"KeyMetadata": metadata})
    script.refuses("GetKeyRotationStatus", code)
    with pytest.raises(REFUSALS[code]):
        kms_keys(("raw", HOME, "alias/x")).read()
