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

_SENDING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a service needs of the key of a topic to which it sends."""

KEEPING: tuple[str, ...] = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
"""What bookmarks of jobs and entries of the catalogue need of the platform's key."""

CATALOGUE = "catalogue"
"""The role by which Glue itself opens and seals the catalogue, for whoever may look into it."""


def key_policy(
    access: Access, names: Names, zone: AccessZone, *, replica: bool = False
) -> Document:
    """The policy of a zone's key in the home region, or of the key of its copy.

    The account tends the key; nobody of it may decrypt unless named here *and* permitted by a
    policy of the role's own; with the key of `code` the second suffices. The key of a zone that
    nobody may delete from cannot be deleted either, for that would delete everything in it.
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
    bucket of logs is encrypted by S3's own key, so nobody opens it with ours. What jobs run
    (`code`) is put there by who deploys, who is no role of the platform: there it is anybody whose
    own policies permit it, and the bucket's policy refuses to read."""
    if zone is AccessZone.LOG:
        return
    account = {"AWS": names.account_arn()}
    through = _through_s3(names, zone, replica=replica)
    if zone is AccessZone.CODE and not replica:
        use = USE[Verb.WRITE]
        yield statement("AccountPuts", "Allow", use, ["*"], principal=account, condition=through)
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
            yield statement(
                f"Declared{name}", "Allow", actions, ["*"],
                principal=account, condition={**_by(names, who), **through},
            )  # fmt: skip


def _through_s3(names: Names, zone: AccessZone, *, replica: bool) -> dict[str, dict[str, Any]]:
    bucket = names.bucket_arn(zone, replica=replica)
    service = f"s3.{names.region(replica=replica)}.amazonaws.com"
    return {
        "StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": service},
        "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
    }


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
    """The key of `log` is the platform's own: log groups, topics, bookmarks of jobs, catalogue.

    EventBridge sends to an encrypted topic only if nothing asks it for whom: SNS documents that.
    """
    region = names.region(replica=replica)
    logs = f"arn:aws:logs:{region}:{ACCOUNT}:log-group"
    groups = [f"{logs}:/{names.prefix}/*", f"{logs}:/aws-glue/*", f"{logs}:/aws-glue-databrew/*",
              f"{logs}:{names.firewall_log_group()}"]  # fmt: skip
    yield statement(
        "LogGroups", "Allow",
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
         "kms:GenerateDataKey"],
        ["*"], principal={"Service": f"logs.{region}.amazonaws.com"},
        condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )  # fmt: skip
    yield alarms_send()
    yield statement(
        "RulesSend", "Allow", _SENDING, ["*"], principal={"Service": "events.amazonaws.com"}
    )
    if replica:
        return
    account = {"AWS": names.account_arn()}
    jobs = jobs_of(access)
    if jobs:
        yield statement(
            "JobsRemember", "Allow", KEEPING, ["*"], principal=account, condition=_by(names, jobs)
        )
    entries = {"kms:CallerAccount": ACCOUNT, "kms:EncryptionContext:glue_catalog_id": ACCOUNT}
    yield statement(
        "CatalogueKeeps", "Allow", KEEPING, ["*"], principal=account,
        condition={**_by(names, [CATALOGUE]), "StringEquals": entries},
    )  # fmt: skip


def alarms_send() -> Statement:
    """By which alarms and budgets of this account use the key of the topic they send to."""
    return statement(
        "TopicsSend", "Allow", _SENDING, ["*"],
        principal={"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]},
        condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    )  # fmt: skip


def jobs_of(access: Access) -> list[str]:
    """The roles of jobs, which keep bookmarks and logs under the platform's key."""
    return [n for n, r in access.roles.items() if {"glue", "databrew"} & set(r.assumed_by)]


def _by(names: Names, roles: list[str]) -> dict[str, dict[str, Any]]:
    return {
        "ArnEquals": {"aws:PrincipalArn": [names.role_arn(r) for r in roles]},
        "StringEquals": {"kms:CallerAccount": ACCOUNT},
    }
