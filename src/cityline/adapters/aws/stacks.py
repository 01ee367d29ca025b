"""Stacks through CloudFormation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from cityline.adapters.aws.answers import cloud_errors, refused
from cityline.adapters.aws.clients import Clients, account
from cityline.errors import CloudRefused, CloudUnreachable, StackFailed
from cityline.ports.stacks import FOR_EVER, Deployed

Note = Callable[[str], None]

_PAUSE = 2.0
_ANY = "us-east-1"
_INLINE = 51_200
"""Bytes of a template that CloudFormation takes in a request."""
_FAILED = ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
_WAIT_DAYS = 30
"""Days in which the end of a key can still be called off."""
_AT_ONCE = 1000
"""Versions one request may delete."""
_TRIES = 5
"""How often a bucket is emptied in which something still arrives."""


class CloudFormation:
    """Implements `ports.stacks.Stacks`. `patience` is how long one stack may take, in seconds."""

    def __init__(self, patience: float = 3600.0, pause: float = _PAUSE) -> None:
        self._patience = patience
        self._pause = pause
        self._client = Clients()

    def account(self) -> str:
        """The account's number."""
        return account(_ANY)

    def find(self, name: str, region: str) -> Deployed | None:
        """A stack as it stands."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        client = self._client("cloudformation", region)
        with cloud_errors(f"{name} in {region}"):
            try:
                found = client.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as error:
                if "does not exist" in str(error):
                    return None
                raise
            if found["StackStatus"] == "DELETE_COMPLETE":
                return None
            body = client.get_template(StackName=name)["TemplateBody"]
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", ())}
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
        return Deployed(
            name=name,
            region=region,
            status=found["StackStatus"],
            template=json.loads(body) if isinstance(body, str) else body,
            outputs=outputs,
            parameters=parameters,
            why=found.get("StackStatusReason", ""),
        )

    def put(
        self, name: str, region: str, template: str, parameters: Mapping[str, str], note: Note
    ) -> Deployed:
        """Create or update a stack, and wait."""
        where = f"{name} in {region}"
        if len(template.encode()) > _INLINE:
            told = f"the template has {len(template.encode()):,} bytes; {_INLINE:,} are taken"
            raise StackFailed(told, where=where, hint="the stack must be split")
        before = self.find(name, region)
        if before is not None and before.in_motion:
            hint = "wait until it is done: cityline deploy aws status"
            raise CloudRefused(f"somebody is changing it ({before.status})", where=where, hint=hint)
        if before is not None and before.half_made:
            note(f"{name}: removing what an earlier try left ({before.status})")
            self.delete(name, region, note)
            before = None
        client = self._client("cloudformation", region)
        asked = {
            "StackName": name,
            "TemplateBody": template,
            "Parameters": [
                {"ParameterKey": k, "ParameterValue": v} for k, v in sorted(parameters.items())
            ],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        with cloud_errors(where):
            if before is None:
                seen: set[str] = set()
                stack = client.create_stack(**asked, OnFailure="DELETE")["StackId"]
            else:
                seen = {e["EventId"] for e in self._events(name, region)}
                stack = self._update(client, asked)
                if not stack:
                    return before
        return self._done(name, stack, region, seen, note)

    def upload(self, bucket: str, key: str, region: str, data: bytes) -> bool:
        """Put an object whose key holds its hash; in parts when it is large."""
        import io  # noqa: PLC0415 - rarely asked

        client = self._client("s3", region)
        where = f"s3://{bucket}/{key}"
        with cloud_errors(where):
            found = client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
            if [o for o in found.get("Contents", ()) if o["Key"] == key]:
                return False
            client.upload_fileobj(io.BytesIO(data), bucket, key)
        return True

    def delete(self, name: str, region: str, note: Note) -> None:
        """Delete a stack, and wait."""
        client = self._client("cloudformation", region)
        if self.find(name, region) is None:
            return
        with cloud_errors(f"{name} in {region}"):
            stack = client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
            seen = {e["EventId"] for e in self._events(stack, region)}
            client.delete_stack(StackName=name)
        self._gone(name, stack, region, seen, note)

    def left(self, prefix: str, region: str) -> list[str]:
        """What still has a name that begins with the prefix."""
        with cloud_errors(f"{prefix} in {region}"):
            buckets = self._all("s3", region, "list_buckets", "Buckets", "Name")
            aliases = self._all("kms", region, "list_aliases", "Aliases", "AliasName")
            roles = self._all("iam", region, "list_roles", "Roles", "RoleName")
            groups = self._all("logs", region, "describe_log_groups", "logGroups", "logGroupName")
        return [
            *(f"bucket {b}" for b in buckets if b.startswith(f"{prefix}-") and b.endswith(region)),
            *(a for a in aliases if a.startswith(f"alias/{prefix}-")),
            *(f"role {r}" for r in roles if r.startswith(f"{prefix}-")),
            *(f"log group {g}" for g in groups if g.startswith(f"/{prefix}/")),
        ]

    def storage_addresses(self, region: str) -> str:
        """The id of the list of S3's addresses in a region."""
        name = f"com.amazonaws.{region}.s3"
        client = self._client("ec2", region)
        with cloud_errors(name):
            asked = [{"Name": "prefix-list-name", "Values": [name]}]
            found = client.describe_managed_prefix_lists(Filters=asked)["PrefixLists"]
        if not found:
            hint = "enable the region in the account, or pass --parameter S3PrefixList=pl-…"
            raise CloudRefused("the region tells no list of S3's addresses", where=name, hint=hint)
        identity: str = found[0]["PrefixListId"]
        return identity

    def unprotect(self, balancer: str, region: str) -> None:
        """Turn off a load balancer's protection against deletion."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        client = self._client("elbv2", region)
        with cloud_errors(balancer):
            try:
                found = client.describe_load_balancers(Names=[balancer])["LoadBalancers"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "LoadBalancerNotFound":
                    return
                raise
            off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
            for one in found:
                client.modify_load_balancer_attributes(
                    LoadBalancerArn=one["LoadBalancerArn"], Attributes=off
                )

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
        the trail records it. An access log may still arrive, so emptying is tried again."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        client = self._client("s3", region)
        removed = 0
        with cloud_errors(bucket):
            if not _there(client, bucket):
                return 0
            client.delete_bucket_policy(Bucket=bucket)
            for left in range(_TRIES - 1, -1, -1):
                removed += self._empty(client, bucket, region)
                try:
                    client.delete_bucket(Bucket=bucket)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "BucketNotEmpty" or not left:
                        raise
                    time.sleep(self._pause)
                else:
                    break
        return removed

    def _empty(self, client: Any, bucket: str, region: str) -> int:
        versions = self._versions(bucket, region)
        for at in range(0, len(versions), _AT_ONCE):
            asked = {"Objects": versions[at : at + _AT_ONCE], "Quiet": True}
            told = client.delete_objects(Bucket=bucket, Delete=asked)
            for failed in told.get("Errors", ()):
                what = f"{failed['Key']} cannot be deleted: {failed.get('Message', '')}"
                raise CloudRefused(what, where=bucket, hint="is it locked, or on hold?")
        return len(versions)

    def end_key(self, alias: str, region: str) -> datetime | None:
        """Schedule a key's deletion. Its policy may forbid that to everybody, so the account alone
        is put in its place first; the trail records it."""
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
            owner = f"arn:aws:iam::{self.account()}:root"
            policy = {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "kms:*",
                     "Resource": "*"}
                ],
            }  # fmt: skip
            client.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
            told = client.schedule_key_deletion(KeyId=key, PendingWindowInDays=_WAIT_DAYS)
        when: datetime = told["DeletionDate"]
        return when

    # -- asking and waiting ---------------------------------------------------------------------

    def _all(self, service: str, region: str, asked: str, key: str, name: str) -> list[str]:
        """The names of everything a service lists, on all its pages."""
        pages = self._client(service, region).get_paginator(asked).paginate()
        return [found[name] for page in pages for found in page[key]]

    def _update(self, client: Any, asked: Mapping[str, Any]) -> str:
        """Begin an update and tell the stack's id; nothing when there is nothing to do."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        try:
            stack: str = client.update_stack(**asked)["StackId"]
        except ClientError as error:
            if "No updates are to be performed" in str(error):
                return ""
            raise
        return stack

    def _done(self, name: str, stack: str, region: str, seen: set[str], note: Note) -> Deployed:
        """Wait for a creation or an update. Raises StackFailed with the first resource's reason."""
        told = set(seen)
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            self._tell(name, stack, region, told, note)
            found = self.find(name, region)
            if found is None or found.half_made or "ROLLBACK_COMPLETE" in found.status:
                raise self._failed(name, stack, region, seen)
            if not found.in_motion:
                return found
            time.sleep(self._pause)
        raise self._impatient(name, "done")

    def _gone(self, name: str, stack: str, region: str, seen: set[str], note: Note) -> None:
        told = set(seen)
        until = time.monotonic() + self._patience
        while time.monotonic() < until:
            found = self.find(name, region)
            if found is None:
                return
            self._tell(name, stack, region, told, note)
            if found.status == "DELETE_FAILED":
                raise self._failed(name, stack, region, seen)
            time.sleep(self._pause)
        raise self._impatient(name, "gone")

    def _impatient(self, name: str, what: str) -> CloudUnreachable:
        told = f"it is not {what} after {self._patience:g} seconds"
        return CloudUnreachable(
            told, where=name, hint="cityline deploy aws status tells when it is"
        )

    def _tell(self, name: str, stack: str, region: str, told: set[str], note: Note) -> None:
        for event in self._events(stack, region):
            if event["EventId"] not in told:
                told.add(event["EventId"])
                note(f"{name}: {event['LogicalResourceId']} {event['ResourceStatus']}")

    def _failed(self, name: str, stack: str, region: str, seen: set[str]) -> StackFailed:
        """The first resource that failed, and what AWS said of it."""
        new = [e for e in self._events(stack, region) if e["EventId"] not in seen]
        first = next((e for e in new if e["ResourceStatus"] in _FAILED), None)
        told, hint = "it could not be made; what stood before stands", "mend it and run again"
        if first is not None:
            resource, why = self._why(first, stack, region)
            told = f"{resource}: {why}"
            if "already exists" in why:
                hint = "choose another prefix in [aws], or remove what has the name, and run again"
        return StackFailed(told, where=f"{name} in {region}", hint=hint)

    def _why(self, failed: Mapping[str, Any], stack: str, region: str) -> tuple[str, str]:
        """The resource and its reason. What is found before anything is made is told apart."""
        why: str = failed.get("ResourceStatusReason", "no reason")
        if "DescribeEvents" in why:
            client = self._client("cloudformation", region)
            with cloud_errors(stack):
                events = client.describe_events(StackName=stack, Filters={"FailedEvents": True})
            for event in events["OperationEvents"]:
                if event.get("EventType") == "VALIDATION_ERROR":
                    return event["LogicalResourceId"], event["ValidationStatusReason"]
        return failed["LogicalResourceId"], why

    def _events(self, stack: str, region: str) -> list[dict[str, Any]]:
        """A stack's events, oldest first. By its id also those of a stack that is gone."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        pages = self._client("cloudformation", region).get_paginator("describe_stack_events")
        try:
            told = [e for p in pages.paginate(StackName=stack) for e in p["StackEvents"]]
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise refused(error, stack) from error
        return told[::-1]

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
