"""What keeps a bucket or a key from going for a moment is waited for, what does so for good is told.

KMS and S3 are small fakes here: the emulator's change at once and are never short of breath.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cityline.adapters.aws import leftovers
from cityline.adapters.aws.leftovers import Leftovers
from cityline.errors import CloudError, CloudRefused, CloudUnreachable

pytest.importorskip("boto3", reason="Amazon's Python package is not installed")
from botocore.exceptions import ClientError

REGION = "ca-central-1"
ENDS = datetime(2027, 1, 1, tzinfo=UTC)
ALIAS = "alias/x-raw"


def refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said AWS"}}, operation)


def pages(**page: Any) -> Any:
    return lambda _: SimpleNamespace(paginate=lambda **_: [page])


def asked_of(monkeypatch: pytest.MonkeyPatch, client: Any) -> Leftovers:
    """Leftovers that ask this client and wait for nothing."""
    monkeypatch.setattr(leftovers, "account", lambda _: "111122223333")
    found = Leftovers(0.0)
    monkeypatch.setattr(found, "_client", lambda *_: client)
    return found


class Kms:
    """One key. Its old policy holds for so many requests after it was changed."""

    def __init__(self, state: str = "Enabled", held: int = 0) -> None:
        self.state, self.held = state, held
        self.asked: list[str] = []
        self.get_paginator = pages(Aliases=[{"AliasName": ALIAS, "TargetKeyId": "k"}])

    def describe_key(self, **_: str) -> dict[str, Any]:
        ends = {"DeletionDate": ENDS} if self.state == "PendingDeletion" else {}
        return {"KeyMetadata": {"KeyState": self.state, **ends}}

    def put_key_policy(self, **_: str) -> None:
        self.asked.append("policy")

    def schedule_key_deletion(self, **_: Any) -> dict[str, Any]:
        self.asked.append("end")
        if self.state == "PendingDeletion":
            raise refusal("KMSInvalidStateException", "ScheduleKeyDeletion")
        if self.held:
            self.held -= 1
            raise refusal("AccessDeniedException", "ScheduleKeyDeletion")
        return {"DeletionDate": ENDS}


def test_a_key_whose_end_is_set_is_left_at_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was cut off has set it; the alias stands until its stack goes."""
    kms = Kms("PendingDeletion")
    assert asked_of(monkeypatch, kms).end_key(ALIAS, REGION) == ENDS
    assert kms.asked == []


def test_a_policy_that_holds_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kms = Kms(held=3)
    assert asked_of(monkeypatch, kms).end_key(ALIAS, REGION) == ENDS
    assert kms.asked == ["policy", *["end"] * 4]
    kms = Kms(held=1000)
    with pytest.raises(CloudRefused, match="denies"):
        asked_of(monkeypatch, kms).end_key(ALIAS, REGION)
    assert len(kms.asked) < 100


class S3:
    """A bucket of two versions, of which S3 deletes none as long as it has something to say."""

    def __init__(self, *says: str) -> None:
        self.says = list(says)
        self.left = 2
        self.gone = False

    def head_bucket(self, **_: str) -> None:
        """It is there."""

    def delete_bucket_policy(self, **_: str) -> None:
        """It has none."""

    @property
    def get_paginator(self) -> Any:
        return pages(Versions=[{"Key": f"k{n}", "VersionId": "1"} for n in range(self.left)])

    def delete_objects(self, **asked: Any) -> dict[str, Any]:
        code = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if not code:
            self.left = 0
            return {}
        named: Sequence[dict[str, str]] = asked["Delete"]["Objects"]
        return {"Errors": [{"Key": v["Key"], "Code": code, "Message": "said S3"} for v in named]}

    def delete_bucket(self, **_: str) -> None:
        if self.left:
            raise refusal("BucketNotEmpty", "DeleteBucket")
        self.gone = True


def test_a_bucket_is_emptied_at_the_pace_that_s3_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = S3("SlowDown", "AccessDenied", "InternalError", "")
    assert asked_of(monkeypatch, s3).remove_bucket("b", REGION) == 2
    assert s3.gone


@pytest.mark.parametrize(
    ("code", "kind", "what"),
    [
        ("SlowDown", CloudUnreachable, "AWS cannot answer now (SlowDown)"),
        ("AccessDenied", CloudRefused, "AWS denies DeleteObjects: k0: said S3"),
        ("InvalidRequest", CloudError, "AWS refused DeleteObjects (InvalidRequest): k0: said S3"),
        ("", CloudError, "AWS refused DeleteBucket (BucketNotEmpty): said AWS"),
    ],
)
def test_what_keeps_a_bucket_is_told(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: type[CloudError], what: str
) -> None:
    s3 = S3(code)
    if not code:  # something arrives again and again
        monkeypatch.setattr(s3, "delete_objects", lambda **_: {})
    with pytest.raises(kind) as caught:
        asked_of(monkeypatch, s3).remove_bucket("b", REGION)
    assert type(caught.value) is kind
    assert (caught.value.what, caught.value.where) == (what, "b")
    assert not s3.gone
