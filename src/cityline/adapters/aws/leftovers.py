"""What stacks leave behind, and what keeps them from going: buckets, keys, a protected balancer."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cityline.adapters.aws.answers import DENIED, PASSING, cloud_errors
from cityline.adapters.aws.clients import Clients, account
from cityline.errors import CloudError, CloudRefused, CloudUnreachable
from cityline.ports.stacks import FOR_EVER

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
        with cloud_errors(bucket):
            if not _there(client, bucket):
                return 0
            client.delete_bucket_policy(Bucket=bucket)
            for _ in range(_TRIES):
                emptied, failed = self._empty(client, bucket, region)
                removed += emptied
                if not failed and _deleted(client, bucket):
                    return removed
                if any(f["Code"] not in (*PASSING, *DENIED) for f in failed):
                    break
                time.sleep(self._pause)
        raise _kept(bucket, failed)

    def _empty(self, client: Any, bucket: str, region: str) -> tuple[int, list[dict[str, str]]]:
        """How many versions were deleted, and what S3 says of those that were not."""
        versions = self._versions(bucket, region)
        failed: list[dict[str, str]] = []
        for at in range(0, len(versions), _AT_ONCE):
            asked = {"Objects": versions[at : at + _AT_ONCE], "Quiet": True}
            failed += client.delete_objects(Bucket=bucket, Delete=asked).get("Errors", ())
        return len(versions) - len(failed), failed

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
            return self._scheduled(client, key)

    def _scheduled(self, client: Any, key: str) -> datetime:
        """When a key ends. The policy that forbade it may hold for a moment longer."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        for left in range(_TRIES - 1, -1, -1):
            try:
                told = client.schedule_key_deletion(KeyId=key, PendingWindowInDays=_WAIT_DAYS)
            except ClientError as error:
                if error.response["Error"]["Code"] not in DENIED or not left:
                    raise
                time.sleep(self._pause)
            else:
                break
        when: datetime = told["DeletionDate"]
        return when

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


def _deleted(client: Any, bucket: str) -> bool:
    """Whether it could be deleted: not while something still arrives in it."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    try:
        client.delete_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] == "BucketNotEmpty":
            return False
        raise
    return True


def _kept(bucket: str, failed: Sequence[Mapping[str, str]]) -> CloudError:
    """Why a bucket still stands."""
    again = "run again in a minute: what was done stays done"
    if not failed:
        return CloudRefused("something still arrives in it", where=bucket, hint=again)
    one = failed[0]
    what = f"{one['Key']} cannot be deleted: {one.get('Message', '')} ({one['Code']})"
    if one["Code"] in PASSING:
        return CloudUnreachable(what, where=bucket, hint=again)
    return CloudRefused(what, where=bucket, hint="is it locked, or on hold?")


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
