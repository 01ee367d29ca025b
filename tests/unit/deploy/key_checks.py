"""Every way in which the zones' keys are held to the declaration."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from cityline.declarations.access import AccessZone, Verb
from cityline.deploy.policies import replicated, roles_of
from cityline.guards.protect import may
from tests.unit.deploy.evaluation import ACCOUNT, OTHER, Request
from tests.unit.deploy.platform import (
    ANYTHING,
    NAMES,
    Ask,
    Case,
    Doc,
    Platform,
    key_arn,
    opens,
    person,
    told,
)

Found = Iterator[Case]
_OPEN_KEY: Doc = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["kms:*"],
            "Resource": ["*"],
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        }
    ]
}
"""A key that leaves everything to the roles' own policies."""

_TENDING = (
    "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey",
    "kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies", "kms:ListResourceTags",
    "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
    "kms:UpdateAlias", "kms:UpdateKeyDescription",
)  # fmt: skip
_ENDING = ("kms:ScheduleKeyDeletion", "kms:DisableKey")
_GRANTING = ("kms:CreateGrant", "kms:RevokeGrant", "kms:ListGrants")
_USING = ("kms:Encrypt", "kms:ReEncryptFrom", "kms:Sign", "kms:Decrypt", "kms:GenerateDataKey")


def _ways(
    zone: AccessZone, role: str, *, allowed: bool, replica: bool = False
) -> list[tuple[str, dict[str, str], bool]]:
    """How a key may be asked for: as it should be, and each way in which it should not."""
    bucket = told(NAMES.bucket_arn(zone, replica=replica))
    context = "kms:EncryptionContext:aws:s3:arn"
    good = person(role)[1] | {
        "kms:ViaService": f"s3.{NAMES.region(replica=replica)}.amazonaws.com",
        "kms:CallerAccount": ACCOUNT,
        "kms:ResourceAliases": NAMES.key_alias(zone),
        context: bucket,
    }
    return [
        ("through S3", good, allowed),
        ("an object", good | {context: f"{bucket}/raw/x"}, allowed),
        ("another bucket", good | {context: f"{bucket}x"}, False),
        ("another region", good | {"kms:ViaService": "s3.us-west-2.amazonaws.com"}, False),
        ("directly", {k: v for k, v in good.items() if k != "kms:ViaService"}, False),
        ("for others", good | {"kms:CallerAccount": OTHER}, False),
    ]


def keys(p: Platform, zone: AccessZone, only: str = "") -> Found:
    """A zone's key opens for those who may, through S3, for that bucket, and not otherwise. That of
    `code` leaves who may to the roles' own policies: whoever deploys is none of ours."""
    if zone is AccessZone.LOG:
        return  # its objects are under S3's own key; its key is the platform's
    for role in [only] if only else [*roles_of(p.access), "a-stray-role"]:
        verbs = [v for v in (Verb.READ, Verb.WRITE, Verb.PUBLISH) if opens(p, role, v, zone, "")]
        seals = any(v is not Verb.READ for v in verbs)
        left = zone is AccessZone.CODE
        yield from _key(p, zone, role, "kms:Decrypt", allowed=bool(verbs), left=left)
        yield from _key(p, zone, role, "kms:GenerateDataKey", allowed=seals, left=left)
        for action in ("kms:Encrypt", "kms:ReEncryptFrom"):
            yield from _key(p, zone, role, action, allowed=False)


def _key(
    p: Platform, zone: AccessZone, role: str, action: str, *, allowed: bool, left: bool = False
) -> Found:
    """`left` says that the key leaves it to a role's own policies."""
    caller, _ = person(role)
    anybody = _ways(zone, role, allowed=allowed or left)
    for (how, sent, right), (_, _, lax) in zip(
        _ways(zone, role, allowed=allowed), anybody, strict=True
    ):
        request = Request(caller, action, key_arn(zone), sent)
        ask = Ask(f"{role} {action} {zone} {how}", request, right)
        yield ask.held(p.identity(role), p.keys[zone], key=True)
        wide = Ask(f"{role} with everything {action} {zone} {how}", request, lax)
        yield wide.held([ANYTHING], p.keys[zone], key=True)
        none = Ask(f"{role} with nothing {action} {zone} {how}", request, allowed=False)
        yield none.held([], p.keys[zone], key=True)
        if how in ("through S3", "another region", "directly"):
            yield ask.held(p.identity(role), _OPEN_KEY, key=True)


def tending(p: Platform, zone: AccessZone, only: str = "") -> Found:
    """The key is tended by whom it is granted; nobody ends one of a zone nobody deletes from."""
    sealed = any(
        "*" in d.roles and Verb.DELETE in d.verbs and zone in d.zones for d in p.access.denials
    )
    for replica, policy in ((False, p.keys[zone]), (True, p.copies_keys[zone])):
        arn = key_arn(zone, replica=replica)
        roles = [only] if only else [*roles_of(p.access), "a-stray-role"]
        for role, action in product(roles, _TENDING):
            caller, said = person(role)
            ends = action in _ENDING and sealed
            request = Request(caller, action, arn, said)
            says = f"{role} with everything {action} {zone}"
            yield Ask(says, request, not ends, ends).held([ANYTHING], policy, key=True)
            if not replica:
                admin = opens(p, role, Verb.ADMINISTER, zone, "") and not ends
                ask = Ask(f"{role} {action} {zone}", request, admin, ends)
                yield ask.held(p.identity(role), policy, key=True)
        yield from _strays(zone, policy, arn)


def _strays(zone: AccessZone, policy: Doc, arn: str) -> Found:
    """Of the account nobody grants but for services, nor opens; of others nobody does anything."""
    for account, flag in product((ACCOUNT, OTHER), ("true", "false")):
        caller, said = person("a-stray-role", account)
        for action in (*_GRANTING, *_USING, *_TENDING):
            if action in _ENDING:
                continue  # above
            good = account == ACCOUNT and action not in _USING
            if action in _GRANTING and action not in _TENDING:
                good = good and flag == "true"
            request = Request(caller, action, arn, said | {"kms:GrantIsForAWSResource": flag})
            ask = Ask(f"a stray of {account} {action} {zone} {flag}", request, good)
            yield ask.held([ANYTHING], policy, key=True)
            none = Ask(f"a stray with nothing {action} {zone}", request, allowed=False)
            yield none.held([], policy, key=True)


def copies_keys(p: Platform, zone: AccessZone, only: str = "") -> Found:
    """The copy's key is sealed with by copying, told by its alias, and opened by the readers."""
    if zone is AccessZone.LOG:
        return
    for role in [only] if only else roles_of(p.access):
        copying = p.access.roles[role].assumed_by == ("s3",)
        reads = may(p.access, role, Verb.READ, zone) and not copying
        for action in ("kms:Encrypt", "kms:GenerateDataKey"):
            yield from _copy_key(p, zone, role, action, copying)
            yield from _by_own_policy(p, zone, role, action, copying)
        yield from _copy_key(p, zone, role, "kms:Decrypt", reads)
        yield from _copy_key(p, zone, role, "kms:ReEncryptFrom", False)
        yield from _by_own_policy(p, zone, role, "kms:Decrypt", reads)


def _copy_key(p: Platform, zone: AccessZone, role: str, action: str, allowed: bool) -> Found:
    caller, _ = person(role)
    for how, sent, right in _ways(zone, role, allowed=allowed, replica=True):
        request = Request(caller, action, key_arn(zone, replica=True), sent)
        says = f"{role} {action} the copy of {zone}, {how}"
        yield Ask(says, request, right).held([ANYTHING], p.copies_keys[zone], key=True)
        none = Ask(f"{says}, with nothing", request, allowed=False)
        yield none.held([], p.copies_keys[zone], key=True)


def _by_own_policy(p: Platform, zone: AccessZone, role: str, action: str, may_use: bool) -> Found:
    """Its own policy lets copying seal with the copies' keys and readers open with them, by alias,
    and with no other; both together, key and role, do as well."""
    caller, _ = person(role)
    right = may_use and zone in replicated(p.access)
    aliased = {"kms:ResourceAliases": "alias/x"}
    for how, sent, good in _ways(zone, role, allowed=right, replica=True):
        if how in ("another bucket", "for others"):
            continue  # the key's own policy refuses those
        for extra, outcome in (({}, good), (aliased, False)):
            request = Request(caller, action, key_arn(zone, replica=True), sent | extra)
            ask = Ask(f"{role} {action} the copy of {zone}, {how} {extra}", request, outcome)
            yield ask.held(p.identity(role), _OPEN_KEY, key=True)
            if not extra:
                yield ask.held(p.identity(role), p.copies_keys[zone], key=True)
    for key in (key_arn(zone), f"arn:aws:kms:us-west-2:{ACCOUNT}:key/x"):
        sent = _ways(zone, role, allowed=True, replica=True)[0][1]
        ask = Ask(f"{role} {action} {key}", Request(caller, action, key, sent), allowed=False)
        if may_use:
            yield ask.held(p.identity(role), _OPEN_KEY, key=True)
