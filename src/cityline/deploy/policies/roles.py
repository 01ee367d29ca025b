"""Roles: who may take one on, and what it may then do in the zones and with the services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cityline.declarations.access import FACTS, Access, AccessZone, Verb
from cityline.declarations.retention import TABLES
from cityline.deploy.naming import ACCOUNT, Names, sub
from cityline.deploy.policies.copying import replicated, roles_that_copy
from cityline.deploy.policies.keys import COPYING, KEEPING, OPENING, TENDING, USE, jobs_of
from cityline.deploy.policies.statements import (
    BUCKET_ACTIONS,
    OBJECT_ACTIONS,
    Document,
    Statement,
    document,
    objects,
    prefixes,
    sid,
    statement,
    taken_by_people,
    takes_a_role,
)
from cityline.deploy.policies.work import work
from cityline.guards.protect import may, reach

_SERVICES = {
    "glue": "glue.amazonaws.com",
    "databrew": "databrew.amazonaws.com",
    "ec2": "ec2.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "cloudtrail": "cloudtrail.amazonaws.com",
}
_KNOWN = (*_SERVICES, "people", "emergency")
_TELLS_SOURCE = ("glue", "databrew", "cloudtrail")
"""Services documented to say for whom they act; of the others it is asked only if they say it."""

SIGNED_IN = "aws-reserved/sso.amazonaws.com"
"""The path of the roles that IAM Identity Center makes; a region may follow."""

_EMERGENCY_SECONDS = 900
"""How old the second factor may be when a role for emergencies is taken on."""


class KeyOf(Protocol):
    """Tells the ARN of a zone's key as the template takes it."""

    def __call__(self, zone: AccessZone, /) -> Any:
        """The value for a policy's `Resource`."""


def roles_of(access: Access) -> list[str]:
    """The declared roles that are IAM roles: not who has no name, nor a service writing as
    itself."""
    return [name for name, role in access.roles.items() if set(_KNOWN) & set(role.assumed_by)]


def session_seconds(access: Access, role: str) -> int:
    """How long a session of the role may last at most."""
    return 3600 if "emergency" in access.roles[role].assumed_by else 4 * 3600


def trust_policy(
    access: Access, names: Names, role: str, sign_in: Mapping[str, Sequence[str]] | None = None
) -> Document:
    """Who may take the role on: services acting for this account, or people of it with a second
    factor, which for emergencies must be fresh. `sign_in` names for a role the permission sets of
    IAM Identity Center whose sessions may take it on too: those never say that there was a second
    factor, so asking for one is the identity provider's affair."""
    made = [_trust(names, by) for by in access.roles[role].assumed_by if by in _KNOWN]
    sets = (sign_in or {}).get(role, ())
    if sets and taken_by_people(access.roles[role]):
        made.append(_signed_in(names, sets))
    return document(made)


def _signed_in(names: Names, sets: Sequence[str]) -> Statement:
    """Sessions of permission sets. The path is the service's own: nobody makes a role below it. A
    set's role ends in sixteen letters, so that a set whose name goes on is another one."""
    suffix = "?" * 16
    found = [
        sub(f"arn:aws:iam::{ACCOUNT}:role/{SIGNED_IN}*/AWSReservedSSO_{one}_{suffix}")
        for one in sets
    ]
    return {
        "Sid": "BySignIn",
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": names.account_arn()}},
        "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:PrincipalArn": found}},
    }


def _trust(names: Names, by: str) -> Statement:
    made: Statement = {"Sid": sid("by", by), "Effect": "Allow"}
    if by in _SERVICES:
        made["Principal"] = {"Service": _SERVICES[by]}
        test = "StringEquals" if by in _TELLS_SOURCE else "StringEqualsIfExists"
        condition: dict[str, Any] = {test: {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        if by == "cloudtrail":
            condition[test]["aws:SourceArn"] = {"Fn::Sub": names.trail_arn()}
        elif by in _TELLS_SOURCE:
            source = f"arn:aws:{by}:{names.home}:{ACCOUNT}:*"
            condition["ArnLike"] = {"aws:SourceArn": {"Fn::Sub": source}}
    else:
        made["Principal"] = {"AWS": {"Fn::Sub": names.account_arn()}}
        condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
        if by == "emergency":
            condition["NumericLessThan"] = {"aws:MultiFactorAuthAge": str(_EMERGENCY_SECONDS)}
    return {**made, "Action": "sts:AssumeRole", "Condition": condition}


def role_policies(
    access: Access, names: Names, role: str, key: KeyOf | None = None
) -> dict[str, Document]:
    """What the role may do, as managed policies by part: `zones`, `keys`, `work`; a part without a
    statement is left out. `key` tells a key's ARN, by default the storage stack's export."""
    of = key or names.key_import
    copying = role in roles_that_copy(access)
    parts = {
        "zones": [*(_copying(access, names) if copying else _zones(access, names, role))],
        "keys": [
            *(_copying_keys(access, names, of) if copying else _keys(access, names, role, of))
        ],
        "work": [*_catalog(access, names, role), *work(access, names, role)],
    }
    return {part: document(found) for part, found in parts.items() if found}


def _zones(access: Access, names: Names, role: str) -> Iterator[Statement]:
    """What is granted, on the bucket and on its objects, verb by verb and zone by zone."""
    if not takes_a_role(access.roles[role]):
        return
    for verb in Verb:
        found = {z: reach(access, role, verb, z) for z in AccessZone}
        yield from _whole(access, names, verb, [z for z, r in found.items() if r.all_others])
        for zone, reached in found.items():
            where = _where(access, verb, zone)
            if reached.without:
                on = [
                    arn for c in where for arn in objects(names, zone, reached.without, replica=c)
                ]
                yield statement(sid(verb, zone, "without"), "Deny", OBJECT_ACTIONS[verb], on)
                if verb is Verb.READ:
                    yield _unlisted(names, zone, reached.without, where)
            if reached.only:
                yield from _parts(names, verb, zone, reached.only, where)


def _where(access: Access, verb: Verb, zone: AccessZone) -> tuple[bool, ...]:
    """In which buckets a verb holds, told by whether it is the copy: who may read a zone may read
    its copy, which must serve when the home region is lost. Nothing else is done to a copy."""
    return (False, True) if verb is Verb.READ and zone in replicated(access) else (False,)


def _unlisted(
    names: Names, zone: AccessZone, datasets: Sequence[str], where: Sequence[bool]
) -> Statement:
    """What lies in a dataset that may not be read is not listed; that there is one is no secret."""
    below = [f"{p}*" for d in datasets for p in prefixes(zone, d)]
    return statement(
        sid("list", zone, "without"), "Deny", ["s3:ListBucket"],
        [names.bucket_arn(zone, replica=c) for c in where],
        condition={"StringLike": {"s3:prefix": below}},
    )  # fmt: skip


def _whole(
    access: Access, names: Names, verb: Verb, zones: Sequence[AccessZone]
) -> Iterator[Statement]:
    """A verb in zones where it holds for every dataset that is not told apart."""
    where = [(z, c) for z in zones for c in _where(access, verb, z)]
    if zones:
        on = [names.objects_arn(z, replica=c) for z, c in where]
        yield statement(sid(verb), "Allow", OBJECT_ACTIONS[verb], on)
    if zones and BUCKET_ACTIONS[verb]:
        on = [names.bucket_arn(z, replica=c) for z, c in where]
        yield statement(sid(verb, "bucket"), "Allow", BUCKET_ACTIONS[verb], on)


def _parts(
    names: Names, verb: Verb, zone: AccessZone, datasets: Sequence[str], where: Sequence[bool]
) -> Iterator[Statement]:
    """A verb with some datasets of a zone: their prefixes alone are read, written and listed."""
    of = [arn for c in where for arn in objects(names, zone, datasets, replica=c)]
    yield statement(sid(verb, zone), "Allow", OBJECT_ACTIONS[verb], of)
    actions, on = list(BUCKET_ACTIONS[verb]), [names.bucket_arn(zone, replica=c) for c in where]
    if "s3:ListBucket" in actions:
        actions.remove("s3:ListBucket")
        below = [f"{p}*" for d in datasets for p in prefixes(zone, d)]
        yield statement(
            sid("list", zone), "Allow", ["s3:ListBucket"], on,
            condition={"StringLike": {"s3:prefix": below}},
        )  # fmt: skip
    if actions:
        yield statement(sid(verb, zone, "bucket"), "Allow", actions, on)


def _keys(access: Access, names: Names, role: str, key: KeyOf) -> Iterator[Statement]:
    """The keys of the zones, through S3 only. The zone of logs is encrypted by S3's own key."""
    if not takes_a_role(access.roles[role]):
        return
    via = {"StringEquals": {"kms:ViaService": f"s3.{names.home}.amazonaws.com"}}
    by_actions: dict[tuple[str, ...], list[Any]] = {}
    for zone in AccessZone:
        wanted = [a for v, use in USE.items() if may(access, role, v, zone) for a in use]
        if wanted and zone is not AccessZone.LOG:
            by_actions.setdefault(tuple(dict.fromkeys(wanted)), []).append(key(zone))
    for number, (actions, keys) in enumerate(by_actions.items()):
        yield statement(f"Keys{number}", "Allow", actions, keys, condition=via)
    copied = [z for z in replicated(access) if may(access, role, Verb.READ, z)]
    if copied:
        yield _copies_keys("KeysOfCopies", names, OPENING, copied)
    if role in jobs_of(access):
        yield statement("PlatformKey", "Allow", KEEPING, [key(AccessZone.LOG)])
    tended = [z for z in AccessZone if may(access, role, Verb.ADMINISTER, z)]
    if tended:
        keys = [key(z) for z in tended]
        naming = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
        tending = [a for a in TENDING if a not in naming]
        yield statement("TendKeys", "Allow", tending, keys)
        aliases = [names.key_alias_arn(z) for z in tended]
        yield statement("NameKeys", "Allow", naming, [*keys, *aliases])


def _copying(access: Access, names: Names) -> Iterator[Statement]:
    """From every bucket that is copied into its copy, and nowhere else."""
    zones = replicated(access)
    yield statement(
        "Look", "Allow", ["s3:GetReplicationConfiguration", "s3:ListBucket"],
        [names.bucket_arn(z) for z in zones],
    )  # fmt: skip
    yield statement(
        "Take", "Allow",
        ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl",
         "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold"],
        [names.objects_arn(z) for z in zones],
    )  # fmt: skip
    yield statement(
        "Put", "Allow", ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
        [names.objects_arn(z, replica=True) for z in zones],
    )  # fmt: skip


def _copying_keys(access: Access, names: Names, key: KeyOf) -> Iterator[Statement]:
    """Decrypt with the originals' keys, encrypt with the copies'."""
    zones = replicated(access)
    yield statement(
        "Open", "Allow", ["kms:Decrypt"], [key(z) for z in zones],
        condition={"StringEquals": {"kms:ViaService": f"s3.{names.home}.amazonaws.com"}},
    )  # fmt: skip
    yield _copies_keys("Seal", names, COPYING, zones)


def _copies_keys(
    name: str, names: Names, actions: Sequence[str], zones: Sequence[AccessZone]
) -> Statement:
    """The keys of copies, through S3 only. They lie in another region, where a template cannot
    refer to them, so they are told by alias."""
    return statement(
        name, "Allow", actions, [names.any_key_arn(replica=True)],
        condition={
            "StringEquals": {"kms:ViaService": f"s3.{names.replica}.amazonaws.com"},
            "ForAnyValue:StringEquals": {
                "kms:ResourceAliases": [names.key_alias(z) for z in zones]
            },
        },
    )  # fmt: skip


def _catalog(access: Access, names: Names, role: str) -> Iterator[Statement]:
    """The catalogue's entries of the zones a role reads or writes tables in."""
    if role in roles_that_copy(access):
        return
    looking = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetTableVersions",
               "glue:GetPartition", "glue:GetPartitions"]  # fmt: skip
    tables = (*TABLES, AccessZone.TRAIL)
    read = [z for z in tables if _has_tables(access, role, Verb.READ, z)]
    if read:
        on = [arn for z in read for arn in names.catalog_arns(z)]
        yield statement("CatalogRead", "Allow", looking, list(dict.fromkeys(on)))
    wrote = [z for z in TABLES if _has_tables(access, role, Verb.WRITE, z)]
    if wrote:
        on = [arn for z in wrote for arn in names.catalog_arns(z)]
        changing = ["glue:CreateTable", "glue:UpdateTable"]
        yield statement("CatalogWrite", "Allow", changing, list(dict.fromkeys(on)))


def _has_tables(access: Access, role: str, verb: Verb, zone: AccessZone) -> bool:
    """Whether what a role reaches in a zone is more than facts about the lake."""
    reached = reach(access, role, verb, zone)
    return reached.all_others or bool(set(reached.only) - set(FACTS))
