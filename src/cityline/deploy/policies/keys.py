"""Key policies: one key a zone and region; who may use it, through what, and for which bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cityline.declarations.access import Access, AccessZone, Verb
from cityline.deploy.naming import ACCOUNT, Names
from cityline.deploy.policies.copying import roles_that_copy
from cityline.deploy.policies.statements import (
    Document,
    Statement,
    document,
    kept_by_all,
    statement,
    takes_a_role,
)
from cityline.guards.protect import may

TENDING = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
"""What tends a key and opens nothing with it."""

_ENDING = ("kms:ScheduleKeyDeletion", "kms:DisableKey")
"""What makes everything under a key unreadable."""

OPENING: tuple[str, ...] = ("kms:Decrypt",)
"""What reading needs of a zone's key, and writing too: parts of a large object are read back."""

SEALING: tuple[str, ...] = ("kms:GenerateDataKey",)
"""What writing needs besides."""

USE: dict[Verb, tuple[str, ...]] = {
    Verb.READ: OPENING,
    Verb.WRITE: (*SEALING, *OPENING),
    Verb.PUBLISH: (*SEALING, *OPENING),
}
"""What a granted verb needs of the zone's key."""

COPYING: tuple[str, ...] = ("kms:Encrypt", "kms:GenerateDataKey")
"""What copying needs of the key of the copy."""


def key_policy(
    access: Access, names: Names, zone: AccessZone, *, replica: bool = False
) -> Document:
    """The policy of a zone's key in the home region, or of the key of its copy.

    The account tends the key; nobody of it may decrypt unless named here *and* permitted by a
    policy of the role's own. The key of a zone that nobody may delete from cannot be deleted
    either, for that would delete everything in it.
    """
    return document(
        [
            *_tending(access, names, zone),
            *_use(access, names, zone, replica=replica),
            *_services(access, names, zone, replica=replica),
        ]
    )


def _tending(access: Access, names: Names, zone: AccessZone) -> Iterator[Statement]:
    account = {"AWS": names.account_arn()}
    sealed = kept_by_all(access, zone)
    tending = [a for a in TENDING if not (sealed and a in _ENDING)]
    yield statement("AccountTends", "Allow", tending, ["*"], principal=account)
    yield statement(
        "GrantsForServicesOnly", "Allow", ["kms:CreateGrant", "kms:RevokeGrant"],
        ["*"], principal=account, condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )  # fmt: skip
    if sealed:
        yield statement("NobodyEnds", "Deny", _ENDING, ["*"], principal="*")


def _use(access: Access, names: Names, zone: AccessZone, *, replica: bool) -> Iterator[Statement]:
    """Declared roles, through S3 of this region, for this bucket's objects, and not otherwise. The
    bucket of logs is encrypted by S3's own key, so nobody opens it with ours."""
    if zone is AccessZone.LOG:
        return
    copying = roles_that_copy(access)
    roles = [n for n, r in access.roles.items() if takes_a_role(r)]
    writers = [n for n in roles if any(may(access, n, v, zone) for v in (Verb.WRITE, Verb.PUBLISH))]
    readers = [n for n in roles if may(access, n, Verb.READ, zone)]
    opening, seals, sealing = [n for n in roles if n in {*readers, *writers}], SEALING, writers
    if replica:  # read where it must serve instead of the original; written by copying alone
        opening, seals, sealing = [n for n in readers if n not in copying], COPYING, copying
    for name, actions, who in (("Opens", OPENING, opening), ("Seals", seals, sealing)):
        if who:
            condition = _through_s3(names, zone, who, replica=replica)
            yield statement(
                f"Declared{name}", "Allow", actions, ["*"],
                principal={"AWS": names.account_arn()}, condition=condition,
            )  # fmt: skip


def _through_s3(
    names: Names, zone: AccessZone, roles: list[str], *, replica: bool
) -> dict[str, dict[str, Any]]:
    bucket = names.bucket_arn(zone, replica=replica)
    condition = _by(names, roles)
    condition["StringEquals"]["kms:ViaService"] = (
        f"s3.{names.region(replica=replica)}.amazonaws.com"
    )
    condition["StringLike"] = {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]}
    return condition


def _services(
    access: Access, names: Names, zone: AccessZone, *, replica: bool
) -> Iterator[Statement]:
    if zone is AccessZone.LOG:
        yield from _platform(access, names, replica=replica)
    writers = {b for n, r in access.roles.items() if may(access, n, Verb.WRITE, zone)
               for b in r.assumed_by}  # fmt: skip
    if "cloudtrail" in writers and not replica:
        trails = f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"
        yield statement(
            "TrailEncrypts", "Allow", ["kms:GenerateDataKey*"], ["*"],
            principal={"Service": "cloudtrail.amazonaws.com"},
            condition={
                "StringEquals": {"aws:SourceArn": names.trail_arn()},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trails},
            },
        )  # fmt: skip
        yield statement(
            "TrailLooks", "Allow", ["kms:DescribeKey"], ["*"],
            principal={"Service": "cloudtrail.amazonaws.com"},
            condition={"StringEquals": {"aws:SourceArn": names.trail_arn()}},
        )  # fmt: skip


def _platform(access: Access, names: Names, *, replica: bool) -> Iterator[Statement]:
    """The key of `log` is the platform's own: log groups, topics, bookmarks of jobs."""
    region = names.region(replica=replica)
    logs = f"arn:aws:logs:{region}:{ACCOUNT}:log-group"
    groups = [f"{logs}:/{names.prefix}/*", f"{logs}:/aws-glue/*", f"{logs}:/aws-glue-databrew/*"]
    yield statement(
        "LogGroups", "Allow",
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
         "kms:GenerateDataKey"],
        ["*"], principal={"Service": f"logs.{region}.amazonaws.com"},
        condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )  # fmt: skip
    senders = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
    yield statement(
        "TopicsSend", "Allow", ["kms:Decrypt", "kms:GenerateDataKey"], ["*"],
        principal={"Service": senders},
        condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    )  # fmt: skip
    jobs = jobs_of(access)
    if jobs and not replica:
        yield statement(
            "JobsRemember", "Allow", ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"], ["*"],
            principal={"AWS": names.account_arn()},
            condition=_by(names, jobs),
        )  # fmt: skip


def jobs_of(access: Access) -> list[str]:
    """The roles of jobs, which keep bookmarks and logs under the platform's key."""
    return [n for n, r in access.roles.items() if {"glue", "databrew"} & set(r.assumed_by)]


def _by(names: Names, roles: list[str]) -> dict[str, dict[str, Any]]:
    return {
        "ArnEquals": {"aws:PrincipalArn": [names.role_arn(r) for r in roles]},
        "StringEquals": {"kms:CallerAccount": ACCOUNT},
    }
