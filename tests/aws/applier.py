"""Applies templates to an emulator: keys, roles and buckets with everything they are declared with.

The emulator's own CloudFormation leaves out what a bucket encrypts, keeps, copies and logs, so this
asks S3, KMS and IAM themselves. Policies go in word for word; only the roles' trust is widened, for
a test has no service to act as.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from cityline.deploy.checks.reading import Resource, Stacks
from cityline.deploy.estate import Estate
from cityline.deploy.render import STACKS
from tests.aws.emulator import ACCOUNT, Emulator

STORES = ("replica-keys", "replica", "keys", "machines", "people", "evidence", "storage")
"""The stacks of keys, roles and buckets, in their order."""

_PLACE = re.compile(r"\$\{([^}]+)\}")
_EVERYWHERE = "*"


class Applier:
    """Applies one city's keys, roles and buckets. `trusts` are the roles' declared trust policies,
    by name."""

    def __init__(self, emulator: Emulator, estate: Estate) -> None:
        templates = {name: STACKS[name](estate) for name in STORES}
        self.emulator = emulator
        self.regions = {name: t.region for name, t in templates.items()}
        bodies = {name: t.body() for name, t in templates.items()}
        self.stacks = Stacks(bodies)
        self.known: dict[tuple[str, str], str] = {
            (_EVERYWHERE, "AWS::AccountId"): ACCOUNT,
            **{
                (_EVERYWHERE, name): declared["Default"]
                for body in bodies.values()
                for name, declared in body.get("Parameters", {}).items()
                if "Default" in declared
            },
        }
        self.trusts: dict[str, dict[str, Any]] = {}

    def apply(self) -> None:
        """Everything: keys first, for all others name them; rules for copies last."""
        for key in self.stacks.of("KMS::Key"):
            self._key(key)
        for policy in self.stacks.of("IAM::ManagedPolicy"):
            self._managed(policy)
        for role in self.stacks.of("IAM::Role"):
            self._role(role)
        buckets = list(self.stacks.of("S3::Bucket"))
        for bucket in buckets:
            self._bucket(bucket)
        for bucket in buckets:
            self._afterwards(bucket)
        for policy in self.stacks.of("S3::BucketPolicy"):
            told = self.filled(policy)
            document = json.dumps(told["PolicyDocument"])
            self._s3(policy).put_bucket_policy(Bucket=told["Bucket"], Policy=document)

    def filled(self, resource: Resource) -> dict[str, Any]:
        """A resource's properties, with everything that only an account knows."""
        region = self.regions[resource.stack]

        def fill(value: Any) -> Any:
            if isinstance(value, str):
                return _PLACE.sub(lambda m: self._told(m[1], region), value)
            if isinstance(value, Mapping):
                return {k: fill(v) for k, v in value.items()}
            return [fill(v) for v in value] if isinstance(value, list) else value

        found: dict[str, Any] = fill(self.stacks.resolved(resource))
        return found

    def _told(self, name: str, region: str) -> str:
        for at in (region, _EVERYWHERE):
            if (at, name) in self.known:
                return self.known[at, name]
        raise AssertionError(f"nothing told ${{{name}}} in {region}")

    def _s3(self, resource: Resource) -> Any:
        return self.emulator.client("s3", self.regions[resource.stack])

    def _key(self, key: Resource) -> None:
        region = self.regions[key.stack]
        kms = self.emulator.client("kms", region)
        policy = json.dumps(self.filled(key)["KeyPolicy"])
        made = kms.create_key(Policy=policy, Description=key.get("Description"))["KeyMetadata"]
        if key.get("EnableKeyRotation"):
            kms.enable_key_rotation(KeyId=made["KeyId"])
        self.known[region, f"{key.id}.Arn"] = made["Arn"]
        self.known[region, key.id] = made["KeyId"]
        for alias in self.stacks.of("KMS::Alias"):
            if alias.stack == key.stack and alias.get("TargetKeyId") == {"Ref": key.id}:
                kms.create_alias(AliasName=alias.get("AliasName"), TargetKeyId=made["KeyId"])

    def _managed(self, policy: Resource) -> None:
        self.emulator.client("iam").create_policy(
            PolicyName=policy.get("ManagedPolicyName"),
            PolicyDocument=json.dumps(self.filled(policy)["PolicyDocument"]),
        )

    def _role(self, role: Resource) -> None:
        told = self.filled(role)
        name, trust = told["RoleName"], told["AssumeRolePolicyDocument"]
        self.trusts[name] = trust
        owner = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        wider = {"Effect": "Allow", "Principal": owner, "Action": "sts:AssumeRole"}
        both = {**trust, "Statement": [*trust["Statement"], wider]}
        iam = self.emulator.client("iam")
        iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps(both),
            MaxSessionDuration=told.get("MaxSessionDuration", 3600),
        )
        for arn in told.get("ManagedPolicyArns", []):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    def _bucket(self, bucket: Resource) -> None:
        told, s3 = self.filled(bucket), self._s3(bucket)
        name = told["BucketName"]
        s3.create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": self.regions[bucket.stack]},
            ObjectLockEnabledForBucket=told.get("ObjectLockEnabled", False),
        )
        s3.put_public_access_block(
            Bucket=name,
            PublicAccessBlockConfiguration=told["PublicAccessBlockConfiguration"],
        )
        s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=told["OwnershipControls"])
        s3.put_bucket_versioning(
            Bucket=name, VersioningConfiguration=told["VersioningConfiguration"]
        )
        encryption = {"Rules": list(_encryption(told["BucketEncryption"]))}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
        rules = [_lifecycle(r) for r in told["LifecycleConfiguration"]["Rules"]]
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        if "ObjectLockConfiguration" in told:
            s3.put_object_lock_configuration(
                Bucket=name, ObjectLockConfiguration=told["ObjectLockConfiguration"]
            )

    def _afterwards(self, bucket: Resource) -> None:
        """What names another bucket: where its log goes, and where its copy lies."""
        told, s3 = self.filled(bucket), self._s3(bucket)
        name = told["BucketName"]
        if "LoggingConfiguration" in told:
            log = told["LoggingConfiguration"]
            to = {
                "TargetBucket": log["DestinationBucketName"],
                "TargetPrefix": log["LogFilePrefix"],
            }
            s3.put_bucket_logging(Bucket=name, BucketLoggingStatus={"LoggingEnabled": to})
        if "ReplicationConfiguration" in told:
            copying = told["ReplicationConfiguration"]
            rules = [{"ID": r["Id"], **{k: v for k, v in r.items() if k != "Id"}}
                     for r in copying["Rules"]]  # fmt: skip
            s3.put_bucket_replication(
                Bucket=name, ReplicationConfiguration={"Role": copying["Role"], "Rules": rules}
            )


def _encryption(declared: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for rule in declared["ServerSideEncryptionConfiguration"]:
        yield {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }


def _lifecycle(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as S3's own API spells it."""
    made: dict[str, Any] = {
        "ID": rule["Id"],
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    if any(v is not None for v in expiration.values()):
        made["Expiration"] = {k: v for k, v in expiration.items() if v is not None}
    if "Transitions" in rule:
        made["Transitions"] = [
            {"StorageClass": t["StorageClass"], "Days": t["TransitionInDays"]}
            for t in rule["Transitions"]
        ]
    for key in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if key in rule:
            made[key] = rule[key]
    return made
