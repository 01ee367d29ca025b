"""Stacks through CloudFormation."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cityline.adapters.aws.answers import cloud_errors, refused
from cityline.adapters.aws.clients import Clients, account
from cityline.errors import CloudRefused, CloudUnreachable, StackFailed
from cityline.ports.stacks import Deployed

Note = Callable[[str], None]

_PAUSE = 2.0
_ANY = "us-east-1"
_INLINE = 51_200
"""Bytes of a template that CloudFormation takes in a request."""
_FAILED = ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED")
_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_MEND = "mend it and run again"


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
            body = client.get_template(StackName=name).get("TemplateBody", {})
        parameters = {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", ())}
        outputs = {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())}
        return Deployed(
            name=name,
            region=region,
            status=found["StackStatus"],
            template=_template(body),
            outputs=outputs,
            parameters=parameters,
            why=found.get("StackStatusReason", ""),
            protected=found.get("EnableTerminationProtection", False),
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
        if before is not None and before.stuck:
            raise StackFailed(before.why or before.status, where=where, hint=_hint(before))
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
            "ClientRequestToken": str(uuid.uuid4()),  # asked again, it is the same request
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
            self._unprotect(name, region)
            client.delete_stack(StackName=name)
        self._gone(name, stack, region, seen, note)

    def open_rules(self, group: str, region: str) -> int:
        """How many rules a security group has."""
        return sum(len(found) for found in self._rules(group, region).values())

    def close_group(self, group: str, region: str) -> int:
        """Take every rule out of a security group."""
        client = self._client("ec2", region)
        found = self._rules(group, region)
        with cloud_errors(group):
            for way, rules in found.items():
                if rules:
                    revoke = getattr(client, f"revoke_security_group_{way}")
                    revoke(GroupId=group, SecurityGroupRuleIds=rules)
        return sum(len(rules) for rules in found.values())

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

    # -- asking and waiting ---------------------------------------------------------------------

    def _rules(self, group: str, region: str) -> dict[str, list[str]]:
        """The ids of a security group's rules by the way they let pass."""
        pages = self._client("ec2", region).get_paginator("describe_security_group_rules")
        asked = [{"Name": "group-id", "Values": [group]}]
        found: dict[str, list[str]] = {"ingress": [], "egress": []}
        with cloud_errors(group):
            for page in pages.paginate(Filters=asked):
                for rule in page["SecurityGroupRules"]:
                    way = "egress" if rule["IsEgress"] else "ingress"
                    found[way].append(rule["SecurityGroupRuleId"])
        return found

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
            if found is not None and found.whole:
                return found
            if found is None or not found.in_motion:
                raise self._failed(name, stack, region, seen, _hint(found))
            time.sleep(self._pause)
        raise self._impatient(name, "done")

    def _unprotect(self, stack: str, region: str) -> None:
        """Turn off the protection of a stack's load balancers against deletion."""
        pages = self._client("cloudformation", region).get_paginator("list_stack_resources")
        off = [{"Key": "deletion_protection.enabled", "Value": "false"}]
        for page in pages.paginate(StackName=stack):
            for one in page["StackResourceSummaries"]:
                stands = one["ResourceStatus"] != "DELETE_COMPLETE" and "PhysicalResourceId" in one
                if stands and one["ResourceType"] == _BALANCER:
                    self._client("elbv2", region).modify_load_balancer_attributes(
                        LoadBalancerArn=one["PhysicalResourceId"], Attributes=off
                    )

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

    def _failed(
        self, name: str, stack: str, region: str, seen: set[str], hint: str = _MEND
    ) -> StackFailed:
        """The first resource that failed, and what AWS said of it."""
        new = [e for e in self._events(stack, region) if e["EventId"] not in seen]
        first = next((e for e in new if e["ResourceStatus"] in _FAILED), None)
        told = "it could not be made; what stood before stands"
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


def _template(body: Any) -> Mapping[str, Any]:
    """A stack's template. Ours are JSON; one that a person changed to YAML is as good as none, so
    that everything in it counts as changed."""
    if not isinstance(body, str):
        return body or {}
    try:
        told: Mapping[str, Any] = json.loads(body)
    except ValueError:
        return {}
    return told


def _hint(found: Deployed | None) -> str:
    """What to do about a stack that was not made to its end."""
    if found is None or not found.stuck:
        return _MEND
    named = f"--region {found.region} --stack-name {found.name}"
    return f"aws cloudformation continue-update-rollback {named}, then {_MEND}"
