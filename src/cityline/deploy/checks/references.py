"""References: every name that one stack uses is made by some stack, spelled the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cityline.deploy.checks.reading import Finding, Resource, Stacks

_PART = r"(?:\$\{AWS::\w+\}|[^:\s\"])*"
_BUCKET = re.compile(r"(?:arn:aws:s3:::|s3://)([^/\s\"]+)")
_ALIAS = re.compile(r"(?<![\w-])alias/[\w/-]+")
_ROLE = re.compile(rf"arn:aws:iam::{_PART}:role/([^\s\"]+)")
_POLICY = re.compile(r"arn:aws:iam::\$\{AWS::AccountId\}:policy/([^\s\"]+)")
_TOPIC = re.compile(rf"arn:aws:sns:{_PART}:{_PART}:([\w-]+)")
_GROUP = re.compile(rf"arn:aws:logs:{_PART}:{_PART}:log-group:([\w/-]+)(?!\*|[\w/-])")
_AWS_BUCKETS = re.compile(r"^(al2023-repos-|amazonlinux|aws-)")
_AWS_ALIASES = re.compile(r"^alias/aws/")


def cross_references(stacks: Stacks) -> Iterator[Finding]:
    """Buckets, keys, roles, topics and log groups that are named somewhere exist somewhere."""
    known = {
        "bucket": (_BUCKET, stacks.names("S3::Bucket"), _AWS_BUCKETS),
        "key alias": (_ALIAS, stacks.names("KMS::Alias"), _AWS_ALIASES),
        "role": (_ROLE, stacks.names("IAM::Role"), re.compile(r"^aws-service-role/")),
        "policy": (_POLICY, stacks.names("IAM::ManagedPolicy"), re.compile(r"^$")),
        "topic": (_TOPIC, stacks.names("SNS::Topic"), re.compile(r"^$")),
        "log group": (_GROUP, stacks.names("Logs::LogGroup"), re.compile("^/aws")),
    }
    for resource in stacks.resources:
        if resource.type == "AWS::KMS::Alias":
            continue
        for text in _texts(stacks.resolved(resource)):
            for kind, (pattern, made, given) in known.items():
                for name in pattern.findall(text):
                    if name not in made and not given.match(name) and not _open(name):
                        yield resource.fault("cross-references", f"no stack makes {kind} {name!r}")


def named_parts(stacks: Stacks) -> Iterator[Finding]:
    """Properties that hold a bare name of something else: it exists."""
    for kind, path, target in _NAMED_PARTS:
        for resource in stacks.of(kind):
            for name in _at(stacks.resolved(resource), path.split(".")):
                if stacks.named(target, name) is None:
                    yield resource.fault("named-parts", f"no {target} is called {name!r}")


def dimensions(stacks: Stacks) -> Iterator[Finding]:
    """Alarms watch buckets, jobs and workgroups that exist."""
    kinds = {
        "BucketName": "S3::Bucket",
        "SourceBucket": "S3::Bucket",
        "DestinationBucket": "S3::Bucket",
        "Job": "Glue::Job",
        "WorkGroup": "Athena::WorkGroup",
    }
    for alarm in stacks.of("CloudWatch::Alarm"):
        for dimension in stacks.resolved(alarm).get("Dimensions", []):
            kind = kinds.get(dimension["Name"])
            if kind and dimension["Value"] not in stacks.names(kind):
                told = f"no {kind} is called {dimension['Value']!r}"
                yield alarm.fault("dimensions", told)


_NAMED_PARTS = (
    ("Glue::Job", "SecurityConfiguration", "Glue::SecurityConfiguration"),
    ("Glue::Trigger", "Actions.*.JobName", "Glue::Job"),
    ("Glue::Trigger", "Predicate.Conditions.*.JobName", "Glue::Job"),
    ("Athena::NamedQuery", "WorkGroup", "Athena::WorkGroup"),
    ("DataBrew::Job", "DatasetName", "DataBrew::Dataset"),
    ("DataBrew::Job", "Recipe.Name", "DataBrew::Recipe"),
    ("DataBrew::Ruleset", "TargetArn", "DataBrew::Dataset"),
    ("DataBrew::Job", "ValidationConfigurations.*.RulesetArn", "DataBrew::Ruleset"),
    ("DataBrew::Schedule", "JobNames.*", "DataBrew::Job"),
    ("S3::Bucket", "LoggingConfiguration.DestinationBucketName", "S3::Bucket"),
    ("CloudTrail::Trail", "S3BucketName", "S3::Bucket"),
    ("S3::BucketPolicy", "Bucket", "S3::Bucket"),
    ("S3::Bucket", "ReplicationConfiguration.Rules.*.Destination.Bucket", "S3::Bucket"),
    ("S3::Bucket", "ReplicationConfiguration.Role", "IAM::Role"),
)


def _at(value: Any, path: list[str]) -> Iterator[str]:
    if not path:
        if value is not None:
            yield str(value)
        return
    head, *rest = path
    if head == "*" and isinstance(value, list):
        for item in value:
            yield from _at(item, rest)
    elif isinstance(value, Mapping) and head in value:
        yield from _at(value[head], rest)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _open(name: str) -> bool:
    """Whether a name holds more than the account's number that is not known, or is a pattern."""
    left = name.replace("${AWS::AccountId}", "").replace("${AWS::Region}", "")
    return "${" in left or "*" in left


def roles_used(stacks: Stacks) -> Iterator[tuple[Resource, str, str]]:
    """Every resource that hands a role to a service: the resource, the role's name or ARN, the
    service that will take it."""
    for kind, path, service in _ROLES:
        for resource in stacks.of(kind):
            for name in _at(stacks.resolved(resource), path.split(".")):
                yield resource, name, service


_ROLES = (
    ("S3::Bucket", "ReplicationConfiguration.Role", "s3.amazonaws.com"),
    ("Glue::Job", "Role", "glue.amazonaws.com"),
    ("DataBrew::Job", "RoleArn", "databrew.amazonaws.com"),
    ("IAM::InstanceProfile", "Roles.*", "ec2.amazonaws.com"),
    ("CloudTrail::Trail", "CloudWatchLogsRoleArn", "cloudtrail.amazonaws.com"),
    (
        "Glue::DataCatalogEncryptionSettings",
        "DataCatalogEncryptionSettings.EncryptionAtRest.CatalogEncryptionServiceRole",
        "glue.amazonaws.com",
    ),
    ("EC2::FlowLog", "DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com"),
)
