"""Key policies: one key a zone and region; who may use it, through what, and for which bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cityline.declarations.access import EVERY, Access, AccessZone, Verb
from cityline.deploy.naming import ACCOUNT, Names
from cityline.deploy.policies.statements import Document, Statement, document, statement
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

_DATA_KEY = ("kms:GenerateDataKey", "kms:Decrypt")
"""Putting an object needs both: the parts of a large one are read back."""

USE: dict[Verb, tuple[str, ...]] = {
    Verb.READ: ("kms:Decrypt",),
    Verb.WRITE: _DATA_KEY,
    Verb.PUBLISH: _DATA_KEY,
}
"""What a granted verb needs of the zone's key."""

_AS_THEMSELVES = {"cloudtrail", "log-delivery"}
"""Services that write as themselves; a role that only they have is never a principal here."""

COPYING = ("kms:Encrypt", "kms:GenerateDataKey")
"""What copying needs of the key of the copy."""


def key_policy(
    access: Access,
    names: Names,
    zone: AccessZone,
    *,
    replica: bool = False,
    distribution: Any = None,
) -> Document:
    """The policy of a zone's key in the home region, or of the key of its copy. `distribution` is
    the ARN of a CloudFront distribution that may read, for the static site.

    The account tends the key; nobody of it may decrypt unless named here *and* permitted by a
    policy of the role's own. The key of a zone that nobody may delete from cannot be deleted
    either, for that would delete everything in it.
    """
    statements = [
        *tending(names),
        *_lasting(access, zone),
        *_use(access, names, zone, replica=replica),
        *_services(access, names, zone, replica=replica),
    ]
    if distribution is not None:
        statements.append(
            statement(
                "DistributionReads", "Allow", ["kms:Decrypt"], ["*"],
                principal={"Service": "cloudfront.amazonaws.com"},
                condition={"StringEquals": {"aws:SourceArn": distribution}},
            )
        )  # fmt: skip
    return document(statements)


def tending(names: Names) -> Iterator[Statement]:
    """The account tends a key; grants on it are made for AWS's services alone."""
    account = {"AWS": names.account_arn()}
    yield statement("AccountTends", "Allow", TENDING, ["*"], principal=account)
    yield statement(
        "GrantsForServicesOnly", "Allow", ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
        ["*"], principal=account, condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )  # fmt: skip
    person = {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
    yield statement(
        "NoOtherGrants", "Deny", ["kms:CreateGrant"], ["*"], principal="*",
        condition={"BoolIfExists": person},
    )  # fmt: skip


def _lasting(access: Access, zone: AccessZone) -> Iterator[Statement]:
    if any(
        EVERY in d.roles and Verb.DELETE in d.verbs and zone in d.zones and not d.datasets
        for d in access.denials
    ):
        ending = ["kms:ScheduleKeyDeletion", "kms:DisableKey"]
        yield statement("NobodyEnds", "Deny", ending, ["*"], principal="*")


def _use(access: Access, names: Names, zone: AccessZone, *, replica: bool) -> Iterator[Statement]:
    """Declared roles, through S3 of this region, for this bucket's objects, and not otherwise."""
    region = names.region(replica=replica)
    bucket = names.bucket_arn(zone, replica=replica)
    copying = roles_that_copy(access)
    uses = [(v, a, [n for n in access.roles if may(access, n, v, zone)]) for v, a in USE.items()]
    if replica:  # read where it must serve instead of the original; written by copying alone
        readers = [n for n in uses[0][2] if n not in copying]
        uses = [(Verb.READ, USE[Verb.READ], readers), (Verb.WRITE, COPYING, copying)]
    for verb, actions, roles in uses:
        mine = [n for n in roles if not set(access.roles[n].assumed_by) <= _AS_THEMSELVES]
        if not mine:
            continue
        yield statement(
            f"Declared{verb.capitalize()}", "Allow", actions, ["*"],
            principal={"AWS": names.account_arn()},
            condition={
                "ArnEquals": {"aws:PrincipalArn": [names.role_arn(r) for r in mine]},
                "StringEquals": {
                    "kms:ViaService": f"s3.{region}.amazonaws.com",
                    "kms:CallerAccount": ACCOUNT,
                },
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]},
            },
        )  # fmt: skip


def roles_that_copy(access: Access) -> list[str]:
    """The roles that S3 takes on to copy versions into the second region."""
    return [n for n, r in access.roles.items() if "s3" in r.assumed_by]


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
         "kms:GenerateDataKey", "kms:DescribeKey"],
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
