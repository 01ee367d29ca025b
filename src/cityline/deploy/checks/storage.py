"""Storage: what a bucket must have beyond what linters ask for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.deploy.checks.trust import statements

_ALL_FOUR = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_HEADER = "s3:x-amz-server-side-encryption"
_HEADER_KEY = f"{_HEADER}-aws-kms-key-id"
_TAKEOVER = {
    "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPolicy",
    "s3:PutEncryptionConfiguration", "s3:PutObjectAcl",
}  # fmt: skip
_LEAST_BEFORE_COLD = 30
_LOCKED = ("raw", "trail")
_COPIES = "replica"
"""The stack of the second region."""


def replication(stacks: Stacks) -> Iterator[Finding]:
    """Encrypted objects are chosen, a key of the other region is named, both ends keep versions."""
    copied = set()
    for bucket in stacks.of("S3::Bucket"):
        for rule in bucket.get("ReplicationConfiguration.Rules", []):
            yield from _rule(stacks, bucket, rule)
            copied.add(stacks.text(bucket.stack, rule.get("Destination", {}).get("Bucket", "")))
    for bucket in stacks.of("S3::Bucket"):
        name = stacks.text(bucket.stack, bucket.get("BucketName", ""))
        copy = bucket.stack == _COPIES and bucket.get("LoggingConfiguration")
        if copy and not copied & {name, f"arn:aws:s3:::{name}"}:
            yield bucket.fault("replication", "nothing is copied into it")


def _rule(stacks: Stacks, bucket: Resource, rule: Mapping[str, Any]) -> Iterator[Finding]:
    name = "replication"
    if bucket.get("VersioningConfiguration.Status") != "Enabled":
        yield bucket.fault(name, "a bucket without versions cannot be copied")
    chosen = rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects", {})
    if chosen.get("Status") != "Enabled":
        yield bucket.fault(name, "encrypted objects are not chosen, so they are silently left out")
    destination = rule.get("Destination", {})
    if not destination.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID"):
        yield bucket.fault(name, "no key for the copy; encrypted objects are not copied")
    if destination.get("ReplicationTime", {}).get("Status") != "Enabled":
        yield bucket.fault(name, "no replication time control, so no lag is measured")
    if destination.get("Metrics", {}).get("Status") != "Enabled":
        yield bucket.fault(name, "no replication metrics")
    copy = stacks.named("S3::Bucket", stacks.text(bucket.stack, destination.get("Bucket", "")))
    if copy is not None and copy.get("VersioningConfiguration.Status") != "Enabled":
        yield copy.fault(name, "the copy keeps no versions")
    if rule.get("Status") != "Enabled":
        yield bucket.fault(name, "the rule is not enabled")
    if rule.get("Filter", {}).get("Prefix", "") or rule.get("Prefix"):
        yield bucket.fault(name, "only a part of the bucket is copied")


def lifecycles(stacks: Stacks) -> Iterator[Finding]:
    """Every bucket has rules; things move before they expire, and not before S3 moves anything."""
    for bucket in stacks.of("S3::Bucket"):
        rules = bucket.get("LifecycleConfiguration.Rules", [])
        if not rules:
            yield bucket.fault("lifecycles", "no lifecycle")
        if not any(
            r.get("AbortIncompleteMultipartUpload") and r.get("Status") == "Enabled" for r in rules
        ):
            yield bucket.fault("lifecycles", "unfinished uploads stay for ever")
        for rule in rules:
            yield from _order(bucket, rule, "Transitions", "ExpirationInDays", "TransitionInDays")
            noncurrent = {
                "ends": rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
                "moves": rule.get("NoncurrentVersionTransitions", []),
            }
            yield from _order(bucket, noncurrent, "moves", "ends", "TransitionInDays")


def _order(
    bucket: Resource, rule: Mapping[str, Any], moves: str, ends: str, days: str
) -> Iterator[Finding]:
    end = rule.get(ends)
    for move in rule.get(moves, []):
        after = int(move.get(days, 0))
        if end is not None and after >= int(end):
            told = f"it moves after {after} days and expires after {end}"
            yield bucket.fault("lifecycles", told)
        if after < _LEAST_BEFORE_COLD and "IA" in str(move.get("StorageClass")):
            yield bucket.fault("lifecycles", f"S3 moves nothing after {after} days")


def buckets(stacks: Stacks) -> Iterator[Finding]:
    """All four locks against the public, no ACLs, versions, encryption, access logs."""
    sinks = {
        stacks.text(b.stack, b.get("LoggingConfiguration.DestinationBucketName"))
        for b in stacks.of("S3::Bucket")
        if b.get("LoggingConfiguration.DestinationBucketName")
    }
    for bucket in stacks.of("S3::Bucket"):
        closed = bucket.get("PublicAccessBlockConfiguration", {})
        if not all(closed.get(flag) is True for flag in _ALL_FOUR):
            yield bucket.fault("buckets", "not closed to the public")
        rules = bucket.get("OwnershipControls.Rules", [])
        if [r.get("ObjectOwnership") for r in rules] != ["BucketOwnerEnforced"]:
            yield bucket.fault("buckets", "access lists are not switched off")
        if bucket.get("VersioningConfiguration.Status") != "Enabled":
            yield bucket.fault("buckets", "no versions")
        if not bucket.get("NotificationConfiguration.EventBridgeConfiguration"):
            yield bucket.fault("buckets", "nobody can be told what happens in it")
        name = stacks.text(bucket.stack, bucket.get("BucketName", ""))
        if name not in sinks and not bucket.get("LoggingConfiguration"):
            yield bucket.fault("buckets", "no access log")
        yield from _encryption(bucket, sink=name in sinks)


def _encryption(bucket: Resource, *, sink: bool) -> Iterator[Finding]:
    found = bucket.get("BucketEncryption.ServerSideEncryptionConfiguration", [])
    if not found:
        yield bucket.fault("buckets", "no encryption")
        return
    default = found[0].get("ServerSideEncryptionByDefault", {})
    if sink:  # S3 delivers access logs only where its own key encrypts
        return
    if default.get("SSEAlgorithm") != "aws:kms" or not default.get("KMSMasterKeyID"):
        yield bucket.fault("buckets", "not encrypted with a key of ours")
    if found[0].get("BucketKeyEnabled") is not True:
        yield bucket.fault("buckets", "no bucket key: each object would be a call to KMS")


def bucket_policies(stacks: Stacks) -> Iterator[Finding]:
    """Every bucket has a policy that refuses plain HTTP and a wrong encryption header, and gives
    no stranger the means to take it over."""
    held = {stacks.text(p.stack, p.get("Bucket", "")): p for p in stacks.of("S3::BucketPolicy")}
    for bucket in stacks.of("S3::Bucket"):
        policy = held.get(stacks.text(bucket.stack, bucket.get("BucketName", "")))
        if policy is None:
            yield bucket.fault("bucket-policies", "no bucket policy")
            continue
        found = statements(stacks, policy, "PolicyDocument")
        denied = [s for s in found if s.get("Effect") == "Deny"]
        for what, (test, key, value) in _REFUSED.items():
            if not any(_denies(s, test, key, value) for s in denied):
                yield policy.fault("bucket-policies", f"{what} is not refused")
        sink = bucket.get("LoggingConfiguration") is None
        for key in (_HEADER,) if sink else (_HEADER, _HEADER_KEY):
            if not any(_denies_other(s, key) for s in denied):
                yield policy.fault("bucket-policies", f"another {key} is not refused")
        for statement in denied:
            for test, keys in statement.get("Condition", {}).items():
                if test.endswith("IfExists") and _HEADER in keys:
                    told = f"{test} on an absent header is true: every default write is refused"
                    yield policy.fault("bucket-policies", told)
        for statement in found:
            if _takes_over(statement):
                yield policy.fault("bucket-policies", "it hands over the bucket's own rules")


_REFUSED = {
    "plain HTTP": ("Bool", "aws:SecureTransport", "false"),
    "TLS older than 1.2": ("NumericLessThan", "s3:TlsVersion", "1.2"),
    "another account": ("StringNotEquals", "aws:PrincipalAccount", "${AWS::AccountId}"),
}
"""What every bucket refuses to everybody: the condition under which it does."""


def _denies(statement: Mapping[str, Any], test: str, key: str, value: str) -> bool:
    bound = statement.get("Condition", {}).get(test, {}).get(key)
    everything = "s3:*" in _actions(statement)
    everybody = statement.get("Principal") in ("*", {"AWS": "*"})
    return str(bound).lower() == value.lower() and everything and everybody


def _denies_other(statement: Mapping[str, Any], key: str) -> bool:
    """Whether a write whose header says something else than the one right thing is refused."""
    condition = statement.get("Condition", {})
    return (
        "s3:PutObject" in _actions(statement)
        and bool(condition.get("StringNotEquals", {}).get(key))
        and str(condition.get("Null", {}).get(key)).lower() == "false"
    )


def _takes_over(statement: Mapping[str, Any]) -> bool:
    """Whether a statement allows an action by which a bucket's own rules can be changed."""
    return statement.get("Effect") == "Allow" and any(
        fnmatchcase(taking.lower(), action.lower())
        for action in _actions(statement)
        for taking in _TAKEOVER
    )


def _actions(statement: Mapping[str, Any]) -> list[str]:
    found = statement.get("Action", [])
    return [found] if isinstance(found, str) else list(found)


def trail_delivery(stacks: Stacks) -> Iterator[Finding]:
    """CloudTrail may look at the trail's bucket and write into it, for this trail only, and its
    key lets it encrypt."""
    for trail in stacks.of("CloudTrail::Trail"):
        name = stacks.text(trail.stack, trail.get("S3BucketName", ""))
        policy = next(
            (p for p in stacks.of("S3::BucketPolicy")
             if stacks.text(p.stack, p.get("Bucket", "")) == name),
            None,
        )  # fmt: skip
        if policy is None:
            yield trail.fault("trail-delivery", f"no policy of the bucket {name!r}")
            continue
        for action in ("s3:GetBucketAcl", "s3:PutObject"):
            if not any(_for_trail(s, action) for s in statements(stacks, policy, "PolicyDocument")):
                yield policy.fault("trail-delivery", f"CloudTrail is not allowed {action}")
        used = stacks.text(trail.stack, trail.get("KMSKeyId", ""))
        keys = [k for k in stacks.of("KMS::Key") if used == f"${{{k.id}.Arn}}"]
        if not any(
            _for_trail(s, "kms:GenerateDataKey*")
            for k in keys
            for s in statements(stacks, k, "KeyPolicy")
        ):
            yield trail.fault("trail-delivery", "no key lets CloudTrail encrypt")


def _for_trail(statement: Mapping[str, Any], action: str) -> bool:
    principal = statement.get("Principal", {})
    service = principal.get("Service", []) if isinstance(principal, Mapping) else []
    services = [service] if isinstance(service, str) else service
    wanted = {action, action.removesuffix("*")}
    return (
        statement.get("Effect") == "Allow"
        and "cloudtrail.amazonaws.com" in services
        and bool(wanted & set(_actions(statement)))
        and "aws:SourceArn" in str(statement.get("Condition", {}))
    )


def object_locks(stacks: Stacks) -> Iterator[Finding]:
    """What was received and the trail cannot be changed by anybody while their retention runs."""
    for bucket in stacks.of("S3::Bucket"):
        name = stacks.text(bucket.stack, bucket.get("BucketName", ""))
        if any(f"-{zone}-" in name for zone in _LOCKED):
            days = bucket.get("ObjectLockConfiguration.Rule.DefaultRetention.Days")
            if bucket.get("ObjectLockEnabled") is not True or not days:
                yield bucket.fault("object-locks", "no Object Lock with a retention")
