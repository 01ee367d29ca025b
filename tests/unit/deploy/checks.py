"""Every way in which the documents are held to the declaration, zone by zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cityline.declarations.access import AccessZone, Verb
from cityline.deploy.policies import replicated, roles_of
from cityline.guards.protect import decide, may
from tests.unit.deploy.evaluation import ACCOUNT, OTHER, Caller, Request, evaluate
from tests.unit.deploy.platform import (
    ANYTHING,
    NAMES,
    SAFE,
    Ask,
    Doc,
    Platform,
    asks,
    callers,
    disagreements,
    headers,
    key_arn,
    object_keys,
    person,
    service,
    told,
)

Found = Iterator[str]
_GUARDED = {Verb.READ: "s3:GetObject", Verb.WRITE: "s3:PutObject", Verb.PUBLISH: "s3:PutObject",
            Verb.DELETE: "s3:DeleteObject"}  # fmt: skip


def roles_alone(p: Platform, zone: AccessZone) -> Found:
    """Without any bucket policy, the roles' own policies give exactly what is declared; what a
    bucket refuses to everybody is not theirs to refuse."""
    role_of = {told(NAMES.role_arn(r)): r for r in p.access.roles}
    for ask in asks(p.access, zone):
        if not ask.explicit and ask.request.caller.account:
            identity = p.identity(role_of[ask.request.caller.arn])
            yield from _told(ask.wrong(evaluate(ask.request, identity, None)))


def bucket_alone(p: Platform, zone: AccessZone) -> Found:
    """A role with everything attached still reads, writes and deletes only what is declared: whole
    zones it has no part in, and every dataset the policy names."""
    strays = [] if zone is AccessZone.CODE else ["a-stray-role"]
    for role in (*roles_of(p.access), *strays):
        caller, said = person(role)
        for verb, action in _GUARDED.items():
            if (zone is AccessZone.SITE) is (verb is Verb.WRITE) or (
                zone is AccessZone.CODE and verb is not Verb.READ
            ):
                continue
            for dataset in (*p.access.named(zone), ""):
                allowed = role not in strays and _opens(p, role, verb, zone, dataset)
                if p.access.roles.get(role) and p.access.roles[role].assumed_by == ("cloudtrail",):
                    allowed = False if verb is not Verb.WRITE else allowed
                for path in object_keys(zone, dataset, caller):
                    on = f"{told(NAMES.bucket_arn(zone))}/{path}"
                    ask = Ask(f"{role} with everything {action} {zone} {path}",
                              Request(caller, action, on, said | SAFE), allowed, not allowed)  # fmt: skip
                    yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.buckets[zone])))
        yield from _erasing(p.buckets[zone], zone, caller, said, replica=False)


def _opens(p: Platform, role: str, verb: Verb, zone: AccessZone, dataset: str) -> bool:
    """What a bucket can tell: of datasets that are not named, only whether a role has a part in
    the zone at all."""
    if dataset == "":
        return may(p.access, role, verb, zone)
    return decide(p.access, role, verb, zone, dataset).allowed


def _erasing(
    bucket: Doc, zone: AccessZone, caller: Caller, said: dict[str, str], *, replica: bool
) -> Found:
    """Nobody erases a version or goes around a lock."""
    if zone is AccessZone.CODE:
        return
    for action in ("s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"):
        on = f"{told(NAMES.bucket_arn(zone, replica=replica))}/x"
        ask = Ask(f"{caller.arn} {action} {zone}", Request(caller, action, on, said | SAFE),
                  allowed=False, explicit=True)  # fmt: skip
        yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], bucket)))


def denials(p: Platform, zone: AccessZone) -> Found:
    """What is declared as denied is denied explicitly, to services as well."""
    verbs = {d: v for d in p.access.denials if "*" in d.roles and zone in d.zones for v in d.verbs}
    for verb in verbs.values():
        for role in p.access.roles:
            for caller, said in callers(p.access, role):
                path = object_keys(zone, "", caller)[0]
                on = f"{told(NAMES.bucket_arn(zone))}/{path}"
                ask = Ask(f"{role} {verb} {zone}", Request(caller, _GUARDED[verb], on, said | SAFE),
                          allowed=False, explicit=True)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.buckets[zone])))


def strangers(p: Platform, zone: AccessZone) -> Found:
    """Other accounts, nobody, and services that act for other accounts."""
    for replica, bucket in ((False, p.buckets[zone]), (True, p.copies[zone])):
        base = told(NAMES.bucket_arn(zone, replica=replica))
        caller, said = person("analyst", OTHER)
        for action, on in (("s3:GetObject", f"{base}/x"), ("s3:PutObject", f"{base}/x"),
                           ("s3:PutBucketPolicy", base), ("s3:DeleteBucketPolicy", base),
                           ("s3:PutBucketAcl", base), ("s3:PutObjectAcl", f"{base}/x"),
                           ("s3:PutEncryptionConfiguration", base)):  # fmt: skip
            for who, does in ((caller, said), (Caller(), {})):
                ask = Ask(f"{who.account or 'nobody'} {action} {zone}",
                          Request(who, action, on, does | SAFE), allowed=False, explicit=True)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], bucket)))
        for name in ("cloudtrail", "logging.s3", "logdelivery.elasticloadbalancing"):
            as_service = Caller(service=f"{name}.amazonaws.com")
            path = object_keys(zone, "", as_service)[0]
            for action in ("s3:PutObject", "s3:GetBucketAcl"):
                on = base if "Bucket" in action else f"{base}/{path}"
                ask = Ask(f"{name} {action} for another account into {zone}",
                          Request(as_service, action, on, service(name, OTHER) | SAFE),
                          allowed=False, explicit=True)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [], bucket)))


def services(p: Platform, zone: AccessZone) -> Found:
    """Each service writes where it should, for its own resource, and nowhere else."""
    for name in ("cloudtrail", "logging.s3", "logdelivery.elasticloadbalancing", "cloudfront",
                 "glue"):  # fmt: skip
        caller = Caller(service=f"{name}.amazonaws.com")
        home = zone is (AccessZone.TRAIL if name == "cloudtrail" else AccessZone.LOG)
        mine = name in ("cloudtrail", "logging.s3", "logdelivery.elasticloadbalancing") and home
        said = service(name) if mine else service("cloudtrail")
        path = object_keys(zone, "", caller)[0]
        yield from _service(p, zone, caller, path, said, allowed=mine)
        if mine:
            for spoilt in ("aws:SourceArn", "aws:SourceAccount"):
                rest = {k: v for k, v in said.items() if k != spoilt}
                yield from _service(p, zone, caller, path, rest, allowed=False)
            other = said["aws:SourceArn"].replace(":trail/cityline", ":trail/other")
            other = other.replace("s3:::cityline", "s3:::other").replace("loadbalancer", "listener")
            wrong = said | {"aws:SourceArn": other}
            yield from _service(p, zone, caller, path, wrong, allowed=False)
            yield from _service(p, zone, caller, "elsewhere/x", said, allowed=False)
        if name == "cloudtrail":
            base = told(NAMES.bucket_arn(zone))
            ask = Ask(f"cloudtrail looks at {zone}",
                      Request(caller, "s3:GetBucketAcl", base, said | SAFE), mine)  # fmt: skip
            yield from _told(ask.wrong(evaluate(ask.request, [], p.buckets[zone])))
            foreign = said | {"aws:SourceArn": said["aws:SourceArn"] + "-x"}
            ask = Ask(f"another trail looks at {zone}",
                      Request(caller, "s3:GetBucketAcl", base, foreign | SAFE), allowed=False)  # fmt: skip
            yield from _told(ask.wrong(evaluate(ask.request, [], p.buckets[zone])))
            unsaid = {k: v for k, v in said.items() if k != "s3:x-amz-acl"}
            yield from _service(p, zone, caller, path, unsaid, allowed=False)


def _service(
    p: Platform, zone: AccessZone, caller: Caller, path: str, said: dict[str, str], *, allowed: bool
) -> Found:
    on = f"{told(NAMES.bucket_arn(zone))}/{path}"
    for action, good in (("s3:PutObject", allowed), ("s3:GetObject", False)):
        ask = Ask(f"{caller.service} {action} {zone} {path} as {said}",
                  Request(caller, action, on, said | SAFE), good)  # fmt: skip
        yield from _told(ask.wrong(evaluate(ask.request, [], p.buckets[zone])))


def copies(p: Platform, zone: AccessZone) -> Found:
    """Into the copy only copying writes; it is taken from the zones that are copied alone."""
    copied = zone in replicated(p.access)
    for role in roles_of(p.access):
        caller, said = person(role)
        copying = p.access.roles[role].assumed_by == ("s3",)
        far = f"{told(NAMES.bucket_arn(zone, replica=True))}/raw/x/y"
        near = f"{told(NAMES.bucket_arn(zone))}/raw/x/y"
        identity = p.identity(role)
        for action in ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"):
            for on, bucket, good in ((far, p.copies[zone], copying and copied),
                                     (near, p.buckets[zone], False)):  # fmt: skip
                ask = Ask(f"{role} {action} {on}", Request(caller, action, on, said | SAFE), good)
                yield from _told(ask.wrong(evaluate(ask.request, identity, bucket)))
            if not copying and zone is not AccessZone.CODE:
                ask = Ask(f"{role} with everything {action} {far}",
                          Request(caller, action, far, said | SAFE), allowed=False, explicit=True)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.copies[zone])))
        if not copying and zone is not AccessZone.CODE:
            for action in ("s3:PutObject", "s3:DeleteObject"):
                ask = Ask(f"{role} with everything {action} {far}",
                          Request(caller, action, far, said | SAFE), allowed=False, explicit=True)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.copies[zone])))
        yield from _taken(p, zone, role, caller, said, copied=copied and copying)
        yield from _erasing(p.copies[zone], zone, caller, said, replica=True)
        yield from _copy_refuses(p, zone, caller, said)


def _taken(
    p: Platform, zone: AccessZone, role: str, caller: Caller, said: dict[str, str], *, copied: bool
) -> Found:
    base = told(NAMES.bucket_arn(zone))
    for action, on in (("s3:GetReplicationConfiguration", base),
                       ("s3:GetObjectVersionForReplication", f"{base}/x"),
                       ("s3:GetObjectVersionAcl", f"{base}/x"),
                       ("s3:GetObjectVersionTagging", f"{base}/x"),
                       ("s3:GetObjectRetention", f"{base}/x")):  # fmt: skip
        if role == "administrator" and action == "s3:GetReplicationConfiguration":
            continue
        ask = Ask(f"{role} {action} {zone}", Request(caller, action, on, said | SAFE), copied)
        yield from _told(ask.wrong(evaluate(ask.request, p.identity(role), p.buckets[zone])))
    if copied:
        for action in ("s3:GetObject", "s3:PutObject"):
            ask = Ask(f"{role} {action} {zone}", Request(caller, action, f"{base}/x", said | SAFE),
                      allowed=False)  # fmt: skip
            yield from _told(ask.wrong(evaluate(ask.request, p.identity(role), p.buckets[zone])))


def _copy_refuses(p: Platform, zone: AccessZone, caller: Caller, said: dict[str, str]) -> Found:
    """The copy knows TLS, its own key and its readers as the original does."""
    role = caller.arn.partition("cityline-vancouver-")[2]
    base = told(NAMES.bucket_arn(zone, replica=True))
    plain = said | {"aws:SecureTransport": "false"}
    old = said | {"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}
    for sent in (plain, old):
        ask = Ask(f"{role} reads the copy of {zone} unsafely",
                  Request(caller, "s3:GetObject", f"{base}/x", sent), allowed=False, explicit=True)  # fmt: skip
        yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.copies[zone])))
    for how, right, sent in headers(zone, replica=True):
        if not right:
            ask = Ask(f"{role} writes the copy of {zone} {how}",
                      Request(caller, "s3:PutObject", f"{base}/x", said | SAFE | sent),
                      allowed=False, explicit=True)  # fmt: skip
            bucket = _without(p.copies[zone], "DeclaredWrite")
            yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], bucket)))
    for dataset in (*p.access.named(zone), ""):
        allowed = _opens(p, role, Verb.READ, zone, dataset)
        for path in object_keys(zone, dataset, caller):
            ask = Ask(f"{role} with everything reads the copy of {zone}/{dataset}",
                      Request(caller, "s3:GetObject", f"{base}/{path}", said | SAFE),
                      allowed, not allowed)  # fmt: skip
            yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], p.copies[zone])))


def _without(bucket: Doc, sid: str) -> Doc:
    return {"Statement": [s for s in bucket["Statement"] if s["Sid"] != sid]}


def keys(p: Platform, zone: AccessZone) -> Found:
    """A zone's key opens for those who may, through S3, for that bucket, and not otherwise."""
    if zone is AccessZone.LOG:
        return  # its objects are under S3's own key; its key is the platform's
    for role in (*roles_of(p.access), "a-stray-role"):
        known = role in p.access.roles and p.access.roles[role].assumed_by != ("cloudtrail",)
        opens = known and any(
            may(p.access, role, v, zone) for v in (Verb.READ, Verb.WRITE, Verb.PUBLISH)
        )
        seals = known and any(may(p.access, role, v, zone) for v in (Verb.WRITE, Verb.PUBLISH))
        for action, allowed in (("kms:Decrypt", opens), ("kms:GenerateDataKey", seals)):
            yield from _key(p, zone, role, action, allowed=allowed)


def _key(p: Platform, zone: AccessZone, role: str, action: str, *, allowed: bool) -> Found:
    caller, said = person(role)
    bucket = told(NAMES.bucket_arn(zone))
    good = said | {
        "kms:ViaService": "s3.ca-central-1.amazonaws.com",
        "kms:CallerAccount": ACCOUNT,
        "kms:EncryptionContext:aws:s3:arn": bucket,
    }
    ways = [
        ("through S3", good, allowed),
        ("an object", good | {"kms:EncryptionContext:aws:s3:arn": f"{bucket}/raw/x"}, allowed),
        ("another bucket", good | {"kms:EncryptionContext:aws:s3:arn": f"{bucket}x"}, False),
        ("another region", good | {"kms:ViaService": "s3.us-west-2.amazonaws.com"}, False),
        ("directly", {k: v for k, v in good.items() if k != "kms:ViaService"}, False),
        ("for others", good | {"kms:CallerAccount": OTHER}, False),
    ]
    for how, sent, right in ways:
        ask = Ask(f"{role} {action} {zone} {how}",
                  Request(caller, action, key_arn(zone), sent), right)  # fmt: skip
        policy = p.keys[zone]
        yield from _told(ask.wrong(evaluate(ask.request, p.identity(role), policy, key=True)))
        yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], policy, key=True)))
        if right == allowed and how in ("through S3", "another region", "directly"):
            open_key: Doc = {"Statement": [{"Effect": "Allow", "Action": ["kms:*"],
                             "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                             "Resource": ["*"]}]}  # fmt: skip
            yield from _told(ask.wrong(evaluate(ask.request, p.identity(role), open_key, key=True)))


def tending(p: Platform, zone: AccessZone) -> Found:
    """The key is tended by whom it is granted; nobody ends one of a zone nobody deletes from."""
    deletes = any(
        "*" in d.roles and Verb.DELETE in d.verbs and zone in d.zones for d in p.access.denials
    )
    for replica, policy in ((False, p.keys[zone]), (True, p.copies_keys[zone])):
        arn = key_arn(zone, replica=replica)
        for role in roles_of(p.access):
            caller, said = person(role)
            admin = may(p.access, role, Verb.ADMINISTER, zone)
            for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey",
                           "kms:EnableKeyRotation"):  # fmt: skip
                ends = action in ("kms:ScheduleKeyDeletion", "kms:DisableKey") and deletes
                request = Request(caller, action, arn, said)
                if not replica:
                    ask = Ask(f"{role} {action} {zone}", request, admin and not ends, ends)
                    yield from _told(
                        ask.wrong(evaluate(request, p.identity(role), policy, key=True))
                    )
                ask = Ask(f"{role} with everything {action} {zone}", request, not ends, ends)
                yield from _told(ask.wrong(evaluate(request, [ANYTHING], policy, key=True)))
        caller, said = person("a-stray-role")
        for action in ("kms:CreateGrant", "kms:Encrypt", "kms:ReEncryptFrom", "kms:Sign"):
            for flag in ("true", "false"):
                good = action == "kms:CreateGrant" and flag == "true"
                sent = said | {"kms:GrantIsForAWSResource": flag}
                ask = Ask(f"a stray {action} {zone} {flag}",
                          Request(caller, action, arn, sent), good)  # fmt: skip
                yield from _told(ask.wrong(evaluate(ask.request, [ANYTHING], policy, key=True)))


def copies_keys(p: Platform, zone: AccessZone) -> Found:
    """The copy's key is sealed with by copying, told by its alias, and opened by the readers."""
    if zone is AccessZone.LOG:
        return
    copied = zone in replicated(p.access)
    bucket = told(NAMES.bucket_arn(zone, replica=True))
    for role in roles_of(p.access):
        caller, said = person(role)
        copying = p.access.roles[role].assumed_by == ("s3",)
        good = said | {
            "kms:ViaService": "s3.ca-west-1.amazonaws.com",
            "kms:CallerAccount": ACCOUNT,
            "kms:EncryptionContext:aws:s3:arn": bucket,
            "kms:ResourceAliases": NAMES.key_alias(zone),
        }
        ways = [
            ("copying", good, copying and copied),
            ("another key", good | {"kms:ResourceAliases": "alias/x"}, False),
            ("home", good | {"kms:ViaService": "s3.ca-central-1.amazonaws.com"}, False),
        ]
        for action in ("kms:Encrypt", "kms:GenerateDataKey"):
            for how, sent, right in ways:
                request = Request(caller, action, key_arn(zone, replica=True), sent)
                ask = Ask(f"{role} {action} the copy of {zone}, {how}", request, right)
                found = evaluate(request, p.identity(role), p.copies_keys[zone], key=True)
                yield from _told(ask.wrong(found))
            request = Request(caller, action, key_arn(zone, replica=True), good)
            ask = Ask(f"{role} with everything {action} the copy of {zone}", request, copying)
            yield from _told(
                ask.wrong(evaluate(request, [ANYTHING], p.copies_keys[zone], key=True))
            )
        opens = may(p.access, role, Verb.READ, zone) and not copying
        request = Request(caller, "kms:Decrypt", key_arn(zone, replica=True), good)
        ask = Ask(f"{role} with everything opens the copy of {zone}", request, opens)
        yield from _told(ask.wrong(evaluate(request, [ANYTHING], p.copies_keys[zone], key=True)))


def _told(text: str) -> Found:
    if text:
        yield text


CHECKS: dict[str, Callable[[Platform, AccessZone], Found]] = {
    "together": disagreements,
    "roles alone": roles_alone,
    "bucket alone": bucket_alone,
    "denials": denials,
    "strangers": strangers,
    "services": services,
    "copies": copies,
    "keys": keys,
    "tending": tending,
    "copies' keys": copies_keys,
}
