"""What stacks leave behind, and what keeps them from going: buckets, keys, a protected balancer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from cityline.adapters.aws.answers import DENIED, PASSING, cloud_errors
from cityline.adapters.aws.clients import Clients, account
from cityline.ports.stacks import FOR_EVER

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_T = TypeVar("_T")
_PAUSE = 2.0
_WAIT_DAYS = 30
"""Days in which the end of a key can still be called off."""
_AT_ONCE = 1000
"""Versions one request may delete."""
_TRIES = 15
"""How often is tried again what a moment may change."""


class Leftovers:
    """Implements `ports.stacks.Leftovers`. `pause` is how long it waits for what still arrives, in
    seconds."""

    def __init__(self, pause: float = _PAUSE) -> None:
        self._pause = pause
        self._client = Clients()

    def left(self, prefix: str, region: str) -> list[str]:
        """What still has a name that begins with the prefix; of a log group any part may, since
        services choose the names of theirs."""
        ours = re.compile(rf"(?<![a-z0-9]){re.escape(prefix)}[-/]")
        with cloud_errors(f"{prefix} in {region}"):
            buckets = self._all("s3", region, "list_buckets", "Buckets", "Name")
            aliases = self._all("kms", region, "list_aliases", "Aliases", "AliasName")
            roles = self._all("iam", region, "list_roles", "Roles", "RoleName")
            groups = self._all("logs", region, "describe_log_groups", "logGroups", "logGroupName")
        return [
            *(f"bucket {b}" for b in buckets if b.startswith(f"{prefix}-") and b.endswith(region)),
            *(a for a in aliases if a.startswith(f"alias/{prefix}-")),
            *(f"role {r}" for r in roles if r.startswith(f"{prefix}-")),
            *(f"log group {g}" for g in groups if ours.search(g)),
        ]

    def locked_until(self, bucket: str, region: str) -> datetime | None:
        """The latest date until which a version in a bucket is locked."""
        client = self._client("s3", region)
        latest: datetime | None = None
        with cloud_errors(bucket):
            if not _told(client.get_object_lock_configuration, Bucket=bucket):
                return None
            for version in self._versions(bucket, region, markers=False):
                hold = _told(client.get_object_legal_hold, Bucket=bucket, **version)
                if hold.get("LegalHold", {}).get("Status") == "ON":
                    return FOR_EVER
                kept = _told(client.get_object_retention, Bucket=bucket, **version)
                if kept:
                    until = kept["Retention"]["RetainUntilDate"].astimezone(UTC)
                    if until > datetime.now(UTC) and (latest is None or until > latest):
                        latest = until
        return latest

    def remove_bucket(self, bucket: str, region: str) -> int:
        """Delete a bucket with all versions. Its policy goes first, since it may forbid just that;
        the trail records it. An access log may still arrive, the policy hold for a moment, or S3
        ask for a slower pace: so it is tried again for half a minute."""
        client = self._client("s3", region)
        removed = 0

        def remove() -> None:
            nonlocal removed
            versions = self._versions(bucket, region)
            for at in range(0, len(versions), _AT_ONCE):
                asked = versions[at : at + _AT_ONCE]
                told = client.delete_objects(
                    Bucket=bucket, Delete={"Objects": asked, "Quiet": True}
                )
                failed = told.get("Errors", [])
                removed += len(asked) - len(failed)
                if failed:
                    raise _undeleted(failed[0])
            client.delete_bucket(Bucket=bucket)

        with cloud_errors(bucket):
            if _there(client, bucket):
                client.delete_bucket_policy(Bucket=bucket)
                self._until_it_may(remove, (*DENIED, *PASSING, "BucketNotEmpty"))
        return removed

    def _until_it_may(self, act: Callable[[], _T], codes: Sequence[str]) -> _T:
        """Do what AWS refuses for a moment with one of these codes. Raises its last refusal."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        for _ in range(_TRIES - 1):
            try:
                return act()
            except ClientError as error:
                if error.response["Error"]["Code"] not in codes:
                    raise
            time.sleep(self._pause)
        return act()

    def end_key(self, alias: str, region: str) -> datetime | None:
        """Schedule a key's deletion, if nobody has. Its policy may forbid that to everybody, so the
        account alone is put in its place first; the trail records it."""
        client = self._client("kms", region)
        with cloud_errors(alias):
            aliases = client.get_paginator("list_aliases").paginate()
            key = next(
                (a.get("TargetKeyId") for p in aliases for a in p["Aliases"]
                 if a["AliasName"] == alias),
                None,
            )  # fmt: skip
            if key is None:
                return None
            known = client.describe_key(KeyId=key)["KeyMetadata"]
            if known["KeyState"] == "PendingDeletion":
                when: datetime = known["DeletionDate"]
                return when
            owner = f"arn:aws:iam::{account(region)}:root"
            policy = {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "kms:*",
                     "Resource": "*"}
                ],
            }  # fmt: skip
            client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
            told = self._until_it_may(  # the policy before may hold for a moment
                lambda: client.schedule_key_deletion(KeyId=key, PendingWindowInDays=_WAIT_DAYS),
                DENIED,
            )
        ends: datetime = told["DeletionDate"]
        return ends

    def _all(self, service: str, region: str, asked: str, key: str, name: str) -> list[str]:
        """The names of everything a service lists, on all its pages."""
        pages = self._client(service, region).get_paginator(asked).paginate()
        return [found[name] for page in pages for found in page[key]]

    def _versions(self, bucket: str, region: str, *, markers: bool = True) -> list[dict[str, str]]:
        """Every version in a bucket, with or without what marks deletions."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        pages = self._client("s3", region).get_paginator("list_object_versions")
        found = []
        try:
            for page in pages.paginate(Bucket=bucket):
                for version in page.get("Versions", []) + (
                    page.get("DeleteMarkers", []) if markers else []
                ):
                    found.append({"Key": version["Key"], "VersionId": version["VersionId"]})
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                return []
            raise
        return found


def _undeleted(failed: Mapping[str, str]) -> ClientError:
    """What S3 says of one version in an answer that is no refusal as a whole, as if it were one."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    told = {"Code": failed["Code"], "Message": f"{failed['Key']}: {failed.get('Message', '')}"}
    return ClientError({"Error": told}, "DeleteObjects")


def _there(client: Any, bucket: str) -> bool:
    """Whether a bucket stands and is ours to see."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
            return False
        raise
    return True


_UNLOCKED = (
    "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest",
    "NoSuchBucket",
)  # fmt: skip


def _told(ask: Callable[..., dict[str, Any]], **asked: Any) -> dict[str, Any]:
    """What S3 tells of a lock; nothing where there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    try:
        return ask(**asked)
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNLOCKED:
            return {}
        raise
