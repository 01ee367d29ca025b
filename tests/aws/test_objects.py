"""Conditional writes whose answers are lost, and a lease over a bucket that is away for a while.

The bucket is a small fake: the emulator loses no answer and takes no two writes at once.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cityline.adapters.aws.buckets import Buckets
from cityline.adapters.aws.ledger import S3Ledger
from cityline.adapters.aws.objects import Lost, Objects
from cityline.declarations.environment import Lake
from cityline.errors import LockHeld, StoreUnreachable
from cityline.lake.receipt import Outcome, Receipt

pytest.importorskip("boto3", reason="Amazon's Python package is not installed")
from botocore.exceptions import ClientError, ReadTimeoutError

Fault = Callable[["Bucket", dict[str, Any]], None]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said S3"}}, "PutObject")


class Bucket:
    """A client of a bucket that holds objects with their tags; each put meets the next fault."""

    def __init__(self, *faults: Fault | None) -> None:
        self.held: dict[str, tuple[bytes, str]] = {}
        self.faults = list(faults)
        self.puts = 0

    def put_object(self, **asked: Any) -> dict[str, str]:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            fault(self, asked)
        return {"ETag": self.take(asked)}

    def take(self, asked: dict[str, Any]) -> str:
        _, tag = self.held.get(asked["Key"], (b"", ""))
        if (asked.get("IfNoneMatch") and tag) or asked.get("IfMatch", tag) != tag:
            raise refusal("PreconditionFailed")
        self.puts += 1
        self.held[asked["Key"]] = asked["Body"], f"tag-{self.puts}"
        return f"tag-{self.puts}"

    def get_object(self, **asked: str) -> dict[str, Any]:
        if asked["Key"] not in self.held:
            raise refusal("NoSuchKey")
        data, tag = self.held[asked["Key"]]
        now = datetime.now(UTC)
        headers = {"HTTPHeaders": {"date": format_datetime(now, usegmt=True)}}
        return {
            "Body": io.BytesIO(data), "ETag": tag, "LastModified": now, "ResponseMetadata": headers,
        }  # fmt: skip


def away(_: Bucket, __: dict[str, Any]) -> None:
    raise ReadTimeoutError(endpoint_url="https://s3.example")


def unheard(bucket: Bucket, asked: dict[str, Any]) -> None:
    """It is written, and the answer is lost."""
    bucket.take(asked)
    away(bucket, asked)


def at_once(bucket: Bucket, asked: dict[str, Any]) -> None:
    """The try before, whose answer was lost, has not ended."""
    raise refusal("ConditionalRequestConflict")


def another(bucket: Bucket, asked: dict[str, Any]) -> None:
    """Somebody else's write is under way, and done afterwards."""
    bucket.held[asked["Key"]] = b"theirs", "tag-theirs"
    raise refusal("ConditionalRequestConflict")


def over(bucket: Bucket, deadline: float = 20) -> Buckets:
    buckets = Buckets(Lake(address="s3://bucket", region="ca-central-1", deadline=deadline))
    buckets._opened = bucket
    return buckets


@pytest.mark.parametrize("faults", [(unheard,), (at_once,), (unheard, at_once)])
def test_a_write_of_ours_whose_answer_was_lost_is_no_other_writer(faults: tuple[Fault]) -> None:
    bucket = Bucket(*faults)
    assert Objects(over(bucket)).put("k", b"ours", match="") == "tag-1"
    assert bucket.held["k"] == (b"ours", "tag-1")


def test_of_two_writers_at_once_one_is_told() -> None:
    bucket = Bucket(another)
    with pytest.raises(Lost):
        Objects(over(bucket)).put("k", b"ours", match="")
    assert bucket.held["k"][0] == b"theirs"


def test_a_write_that_stays_under_way_is_told_as_passing() -> None:
    with pytest.raises(StoreUnreachable, match="another write to it is under way"):
        Objects(over(Bucket(*[at_once] * 100), deadline=1)).put("k", b"ours", match="")


def ledger(bucket: Bucket, lease: float) -> S3Ledger:
    buckets = over(bucket, deadline=0.001)  # so that one call meets one fault
    store: Any = SimpleNamespace(buckets=buckets, locate=buckets.locate)
    return S3Ledger(store, lease)


RECEIPT = Receipt("r", "ingest/x", Outcome.FAILED, "f", "2026-01-01T00:00:00+00:00", 0.1)


@pytest.mark.parametrize("puts", [2, 3], ids=["ended at once", "heard of again"])
def test_a_run_keeps_its_lock_over_a_bucket_that_is_away_for_less_than_its_lease(puts: int) -> None:
    """Also when the last words were heard and not answered; and it lets go at its end."""
    bucket = Bucket(None)
    mine = ledger(bucket, 6.0)
    with mine.hold("r"):
        bucket.faults += [away, away, unheard]
        until = time.monotonic() + 60
        while bucket.faults or bucket.puts < puts:
            assert time.monotonic() < until
            time.sleep(0.01)
        mine.record(RECEIPT)
    assert mine.holder() == ""


def test_a_run_that_is_not_heard_of_for_its_lease_has_lost_its_lock() -> None:
    bucket = Bucket(None)
    mine = ledger(bucket, 3.0)
    with mine.hold("r"):
        bucket.faults += [away] * 10_000
        assert mine._lost.wait(60)
        bucket.faults.clear()
        with pytest.raises(LockHeld, match="lost its lock"):
            mine.record(RECEIPT)
