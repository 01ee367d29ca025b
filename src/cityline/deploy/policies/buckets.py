"""Bucket policies: what a zone refuses to everybody, and which services may write into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cityline.declarations.access import EVERY, Access, AccessZone, Denial, Verb
from cityline.deploy.naming import ACCOUNT, Names
from cityline.deploy.policies.copying import replicated, roles_that_copy
from cityline.deploy.policies.statements import (
    ERASING,
    GUARDED_ACTIONS,
    REFUSED_ACTIONS,
    Document,
    Statement,
    document,
    kept_by_all,
    objects,
    sid,
    statement,
    takes_a_role,
)
from cityline.guards.protect import decide, may

_NOT_A_SERVICE = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
_HEADER = "s3:x-amz-server-side-encryption"
_HEADER_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"


def bucket_policy(
    access: Access,
    names: Names,
    zone: AccessZone,
    key: Any,
    *,
    replica: bool = False,
    distribution: Any = None,
) -> Document:
    """The policy of a zone's bucket, or of its copy.

    `key` is the ARN of the zone's key as the template tells it; None where S3's own key encrypts.
    `distribution` is the ARN of a CloudFront distribution that may read, for the static site.
    """
    both = [names.bucket_arn(zone, replica=replica), names.objects_arn(zone, replica=replica)]
    statements = [
        *_transport(both),
        *_encryption(names, zone, key, replica=replica),
        *_strangers(both),
        *_declared_only(access, names, zone, replica=replica),
        *_denied(access, names, zone, replica=replica),
    ]
    statements += _services(access, names, zone, replica=replica)
    if distribution is not None:
        statements.append(
            statement(
                "DistributionReads",
                "Allow",
                ["s3:GetObject"],
                [names.objects_arn(zone, replica=replica)],
                principal={"Service": "cloudfront.amazonaws.com"},
                condition={"StringEquals": {"aws:SourceArn": distribution}},
            )
        )
    return document(statements)


def _deny(name: str, actions: Sequence[str], on: Sequence[str], condition: Any) -> Statement:
    return statement(name, "Deny", actions, on, principal="*", condition=condition)


def _transport(both: Sequence[str]) -> Iterator[Statement]:
    yield _deny("TlsOnly", ["s3:*"], both, {"Bool": {"aws:SecureTransport": "false"}})
    yield _deny("Tls12OrNewer", ["s3:*"], both, {"NumericLessThan": {"s3:TlsVersion": "1.2"}})


def _encryption(names: Names, zone: AccessZone, key: Any, *, replica: bool) -> Iterator[Statement]:
    """A header that asks for another encryption is refused. One that is absent is not: the bucket's
    default applies, and `Null` keeps a comparison with nothing from being true."""
    on = [names.objects_arn(zone, replica=replica)]
    expected = "AES256" if key is None else "aws:kms"
    wrong = {"StringNotEquals": {_HEADER: expected}, "Null": {_HEADER: "false"}}
    yield _deny("WrongEncryption", ["s3:PutObject"], on, wrong)
    if key is not None:
        other = {"StringNotEquals": {_HEADER_KEY: key}, "Null": {_HEADER_KEY: "false"}}
        yield _deny("WrongKey", ["s3:PutObject"], on, other)


def _strangers(both: Sequence[str]) -> Iterator[Statement]:
    """Other accounts, and services that act for other accounts (the confused deputy)."""
    foreign = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}, **_NOT_A_SERVICE}
    yield _deny("OtherAccounts", ["s3:*"], both, foreign)
    source = "aws:SourceAccount"
    deputy = {"StringNotEquals": {source: ACCOUNT}, "Null": {source: "false"}}
    yield _deny("ServicesForOthers", ["s3:*"], both, deputy)


def _declared_only(
    access: Access, names: Names, zone: AccessZone, *, replica: bool
) -> Iterator[Statement]:
    """Only the declared roles read, write and delete, whatever other policies of the account say.

    What jobs run (`code`) is put there by whoever deploys, who is no role of the platform."""
    sealed = kept_by_all(access, zone)
    for verb in _guarded(zone, sealed=sealed):
        everyone = _granted(access, zone, verb, None, replica=replica)
        on = objects(names, zone, None, replica=replica)
        yield _only(names, f"Declared{verb.capitalize()}", verb, everyone, on)
        for dataset in access.named(zone):
            fewer = _granted(access, zone, verb, dataset, replica=replica)
            if fewer != everyone:
                on = objects(names, zone, [dataset], replica=replica)
                yield _only(names, sid("Declared", verb, dataset), verb, fewer, on)
    if zone is not AccessZone.CODE and not sealed:
        on = objects(names, zone, None, replica=replica)
        yield _deny("NobodyErases", ERASING, on, _NOT_A_SERVICE)


def _guarded(zone: AccessZone, *, sealed: bool) -> tuple[Verb, ...]:
    if zone is AccessZone.CODE:
        return (Verb.READ,)
    return (Verb.READ, Verb.WRITE) if sealed else (Verb.READ, Verb.WRITE, Verb.DELETE)


def _only(
    names: Names, name: str, verb: Verb, roles: Sequence[str], on: Sequence[str]
) -> Statement:
    condition: dict[str, dict[str, Any]] = dict(_NOT_A_SERVICE)
    if roles:
        condition["ArnNotEquals"] = {"aws:PrincipalArn": [names.role_arn(r) for r in roles]}
    return _deny(name, GUARDED_ACTIONS[verb], on, condition)


def _granted(
    access: Access, zone: AccessZone, verb: Verb, dataset: str | None, *, replica: bool
) -> list[str]:
    """The roles that may do it with any dataset, or with one. Into a copy only copying writes."""
    if replica and verb is Verb.DELETE:
        return []  # copying hides as the original is hidden, which is an action of its own
    if replica and verb is not Verb.READ:
        return roles_that_copy(access) if zone in replicated(access) else []
    asked = Verb.PUBLISH if verb is Verb.WRITE and zone is AccessZone.SITE else verb
    return [
        r
        for r, role in access.roles.items()
        if takes_a_role(role)
        and (
            may(access, r, asked, zone)
            if dataset is None
            else decide(access, r, asked, zone, dataset).allowed
        )
    ]


def _denied(
    access: Access, names: Names, zone: AccessZone, *, replica: bool
) -> Iterator[Statement]:
    """The declared denials, each with its number. Copying keeps the copy as the original is."""
    for number, denial in enumerate(access.denials):
        if zone in denial.zones:
            yield from _denial(access, names, zone, denial, number, replica=replica)


def _denial(
    access: Access, names: Names, zone: AccessZone, denial: Denial, number: int, *, replica: bool
) -> Iterator[Statement]:
    condition: dict[str, dict[str, Any]] = {}
    if EVERY not in denial.roles:
        roles = [r for r in denial.roles if not access.roles[r].through]
        if not roles:
            return  # who comes through another's door has no credentials: OtherAccounts refuses it
        condition = {"ArnEquals": {"aws:PrincipalArn": [names.role_arn(r) for r in roles]}}
    actions = list(dict.fromkeys(a for v in denial.verbs for a in REFUSED_ACTIONS[v]))
    on = objects(names, zone, denial.datasets or None, replica=replica)
    if Verb.ADMINISTER in denial.verbs:
        on = [names.bucket_arn(zone, replica=replica), *on]
    yield _deny(f"Denial{number}", actions, on, condition)


def _services(
    access: Access, names: Names, zone: AccessZone, *, replica: bool
) -> Iterator[Statement]:
    """Services that write without a role of ours, each only for this account's own resources. Logs
    stay in their region, so the second region has a bucket for logs of its own, not a copy."""
    writers = [r for n, r in access.roles.items() if may(access, n, Verb.WRITE, zone)]
    kinds = {by for role in writers for by in role.assumed_by}
    if "cloudtrail" in kinds and not replica:
        yield from _trail(names, zone)
    if "log-delivery" in kinds:
        yield from _logs(names, zone, replica=replica)


def _trail(names: Names, zone: AccessZone) -> Iterator[Statement]:
    service = {"Service": "cloudtrail.amazonaws.com"}
    source = {"aws:SourceArn": names.trail_arn(), "aws:SourceAccount": ACCOUNT}
    full = {"s3:x-amz-acl": "bucket-owner-full-control"}
    yield statement(
        "TrailLooks", "Allow", ["s3:GetBucketAcl"], [names.bucket_arn(zone)],
        principal=service, condition={"StringEquals": source},
    )  # fmt: skip
    yield statement(
        "TrailWrites", "Allow", ["s3:PutObject"],
        [names.objects_arn(zone, f"AWSLogs/{ACCOUNT}/")],
        principal=service, condition={"StringEquals": {**source, **full}},
    )  # fmt: skip


def _logs(names: Names, zone: AccessZone, *, replica: bool) -> Iterator[Statement]:
    """Access logs of buckets lie below `s3/`, of the load balancer below `alb/`."""
    mine = {"aws:SourceAccount": ACCOUNT}
    yield statement(
        "BucketsLog", "Allow", ["s3:PutObject"],
        [names.objects_arn(zone, "s3/", replica=replica)],
        principal={"Service": "logging.s3.amazonaws.com"},
        condition={
            "StringEquals": mine,
            "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{names.prefix}-*"},
        },
    )  # fmt: skip
    region = names.region(replica=replica)
    balancers = f"arn:aws:elasticloadbalancing:{region}:{ACCOUNT}:loadbalancer/*"
    yield statement(
        "BalancerLogs", "Allow", ["s3:PutObject"],
        [names.objects_arn(zone, f"alb/AWSLogs/{ACCOUNT}/", replica=replica)],
        principal={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        condition={"StringEquals": mine, "ArnLike": {"aws:SourceArn": balancers}},
    )  # fmt: skip
