"""The pieces of every document: a statement, the actions of a verb, a dataset's prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cityline.declarations.access import EVERY, HOLDS, Access, AccessZone, Role, Verb
from cityline.deploy.naming import Names, sub

Document = dict[str, Any]
Statement = dict[str, Any]

OBJECT_ACTIONS: dict[Verb, tuple[str, ...]] = {
    Verb.READ: ("s3:GetObject", "s3:GetObjectVersion"),
    Verb.WRITE: ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    Verb.PUBLISH: ("s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
    Verb.DELETE: ("s3:DeleteObject",),
    Verb.ADMINISTER: ("s3:PutObjectLegalHold", "s3:GetObjectLegalHold"),
}
"""What a granted verb is on a bucket's objects. Deleting hides: no role may erase a version."""

BUCKET_ACTIONS: dict[Verb, tuple[str, ...]] = {
    Verb.READ: ("s3:ListBucket", "s3:GetBucketLocation"),
    Verb.WRITE: (),
    Verb.PUBLISH: (),
    Verb.DELETE: (),
    Verb.ADMINISTER: (
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
        "s3:GetLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:GetEncryptionConfiguration",
        "s3:PutEncryptionConfiguration",
        "s3:GetBucketVersioning",
        "s3:GetBucketPublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
        "s3:GetReplicationConfiguration",
        "s3:PutReplicationConfiguration",
        "s3:GetBucketLogging",
        "s3:PutBucketLogging",
        "s3:GetBucketObjectLockConfiguration",
    ),
}
"""What a granted verb is on the bucket itself."""

GUARDED_ACTIONS: dict[Verb, tuple[str, ...]] = {
    Verb.READ: ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"),
    Verb.WRITE: ("s3:PutObject", "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"),
    Verb.DELETE: ("s3:DeleteObject",),
}
"""What a bucket's own policy refuses to whoever is not granted the verb."""

ERASING = ("s3:DeleteObjectVersion", "s3:BypassGovernanceRetention")
"""What removes a version for good; only the lifecycle may."""

REFUSED_ACTIONS: dict[Verb, tuple[str, ...]] = {
    Verb.READ: GUARDED_ACTIONS[Verb.READ],
    Verb.WRITE: GUARDED_ACTIONS[Verb.WRITE],
    Verb.PUBLISH: GUARDED_ACTIONS[Verb.WRITE],
    Verb.DELETE: ("s3:DeleteObject", *ERASING),
    Verb.ADMINISTER: tuple(a for a in BUCKET_ACTIONS[Verb.ADMINISTER] if a.startswith("s3:Put")),
}
"""What a declared denial refuses: wider than what a grant gives."""


def document(statements: Sequence[Statement]) -> Document:
    """A policy document; an empty one is a fault of ours, AWS refuses it."""
    if not statements:
        raise ValueError("a policy document without a statement")
    return {"Version": "2012-10-17", "Statement": list(statements)}


def statement(
    sid: str,
    effect: str,
    actions: Sequence[str],
    resources: Sequence[Any],
    *,
    principal: Any = None,
    condition: dict[str, dict[str, Any]] | None = None,
) -> Statement:
    """One statement. Texts that hold the account become `Fn::Sub`; identity policies have no
    principal."""
    made: Statement = {"Sid": sid, "Effect": effect}
    if principal is not None:
        made["Principal"] = _filled(principal)
    made["Action"] = list(actions)
    made["Resource"] = _filled(list(resources))
    if condition:
        made["Condition"] = _filled(condition)
    return made


def _filled(value: Any) -> Any:
    """The same with every text that holds the account made into a value for the template."""
    if isinstance(value, str):
        return sub(value)
    if isinstance(value, list | tuple):
        return [_filled(v) for v in value]
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return value
        return {k: _filled(v) for k, v in value.items()}
    return value


def prefixes(zone: AccessZone, dataset: str) -> tuple[str, ...]:
    """Where a dataset lies in a zone's bucket; in `results` a workgroup's results."""
    held = HOLDS.get(zone)
    return tuple(f"{z}/{dataset}/" for z in held) if held else (f"{dataset}/",)


def objects(
    names: Names, zone: AccessZone, datasets: Sequence[str] | None, *, replica: bool = False
) -> list[str]:
    """The ARNs of all objects of a zone, or of the datasets named."""
    if datasets is None:
        return [names.objects_arn(zone, replica=replica)]
    below = [p for d in datasets for p in prefixes(zone, d)]
    return [names.objects_arn(zone, p, replica=replica) for p in below]


def takes_a_role(role: Role) -> bool:
    """Whether it acts with an IAM role's credentials: not who has no name, nor a service that acts
    as itself and has its permission from the bucket and the key."""
    return bool(set(role.assumed_by) - {"cloudtrail", "log-delivery"})


def taken_by_people(role: Role) -> bool:
    """Whether people take it on, and no machine."""
    return bool({"people", "emergency"} & set(role.assumed_by))


def kept_by_all(access: Access, zone: AccessZone) -> bool:
    """Whether a denial keeps everybody from deleting anything in the zone."""
    return any(
        EVERY in d.roles and Verb.DELETE in d.verbs and zone in d.zones and not d.datasets
        for d in access.denials
    )


def sid(*words: str) -> str:
    """A statement's id out of words: letters and digits only."""
    parts = "-".join(words).replace("_", "-").split("-")
    return "".join(p[:1].upper() + p[1:] for p in parts if p)
