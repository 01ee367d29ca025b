"""Every way in which buckets are held to the declaration, zone by zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

from cityline.declarations.access import AccessZone, Verb
from cityline.deploy.policies import replicated, roles_of
from cityline.guards.protect import decide, may
from tests.unit.deploy.evaluation import ACCOUNT, OTHER, Caller, Request
from tests.unit.deploy.key_checks import copies_keys, keys, tending
from tests.unit.deploy.platform import (
    ANYTHING,
    NAMES,
    SAFE,
    Ask,
    Case,
    Doc,
    Platform,
    asks,
    callers,
    disagreements,
    headers,
    makes_sense,
    object_keys,
    opens,
    person,
    service,
    told,
)

Found = Iterator[Case]
_READING = ("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication")
_COPYING = ("s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags")
_WRITING = ("s3:PutObject", *_COPYING)
_ERASING = ("s3:DeleteObjectVersion", "s3:BypassGovernanceRetention")
_MULTIPART = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_NOBODY = (
    "s3:PutObjectRetention", "s3:PutObjectAcl", "s3:DeleteObjectVersion", "s3:ListBucketVersions",
    "s3:BypassGovernanceRetention", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketAcl",
    "s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration",
)  # fmt: skip
_RULES = (
    "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:GetLifecycleConfiguration",
    "s3:PutLifecycleConfiguration", "s3:GetEncryptionConfiguration",
    "s3:PutEncryptionConfiguration", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock",
    "s3:PutBucketPublicAccessBlock", "s3:GetReplicationConfiguration",
    "s3:PutReplicationConfiguration", "s3:GetBucketLogging", "s3:PutBucketLogging",
    "s3:GetBucketObjectLockConfiguration",
)  # fmt: skip
_GUARDED = {
    Verb.READ: _READING,
    Verb.WRITE: _WRITING,
    Verb.PUBLISH: _WRITING,
    Verb.DELETE: ("s3:DeleteObject",),
}
_WRITERS = ("cloudtrail", "logging.s3", "logdelivery.elasticloadbalancing")


def _base(zone: AccessZone, *, replica: bool = False) -> str:
    return told(NAMES.bucket_arn(zone, replica=replica))


def _both(p: Platform, zone: AccessZone) -> tuple[tuple[str, Doc], tuple[str, Doc]]:
    return (_base(zone), p.buckets[zone]), (_base(zone, replica=True), p.copies[zone])


def roles_alone(p: Platform, zone: AccessZone, only: str = "") -> Found:
    """Without any bucket policy, the roles' own policies give exactly what is declared; what a
    bucket refuses to everybody is not theirs to refuse."""
    role_of = {told(NAMES.role_arn(r)): r for r in p.access.roles}
    for ask in asks(p.access, zone):
        role = role_of.get(ask.request.caller.arn, "")
        if role and not ask.explicit and only in ("", role):
            yield ask.held(p.identity(role), None)
    for name in [only] if only else roles_of(p.access):
        yield from _companions(p, zone, name)
        yield from _copy_read(p, zone, name)


def _companions(p: Platform, zone: AccessZone, role: str) -> Found:
    """What a verb needs besides its main action goes with it, and some things go to nobody."""
    base = _base(zone)
    calls: list[tuple[str, str, bool]] = []
    if p.access.roles[role].assumed_by != ("s3",):
        reads = opens(p, role, Verb.READ, zone, "")
        calls.append(("s3:GetBucketLocation", base, reads))
        rules = opens(p, role, Verb.ADMINISTER, zone, "")
        calls += [(a, base, rules) for a in _RULES]
        calls += [(a, f"{base}/x", rules) for a in ("s3:PutObjectLegalHold",)]
        calls += [(a, f"{base}/x", rules) for a in ("s3:GetObjectLegalHold",)]
    verb = Verb.PUBLISH if zone is AccessZone.SITE else Verb.WRITE
    for dataset in (*p.access.named(zone), ""):
        writes = role in p.trusts and decide(p.access, role, verb, zone, dataset).allowed
        writes = writes and opens(p, role, verb, zone, "")
        for path in object_keys(zone, dataset, person(role)[0]):
            calls += [(a, f"{base}/{path}", writes) for a in _MULTIPART]
            calls += [(a, f"{base}/{path}", False) for a in _NOBODY]
    calls += [(a, base, False) for a in _NOBODY]
    calls += [(a, "arn:aws:s3:::other", False) for a in (*_RULES, "s3:GetBucketLocation")]
    calls += [("s3:ListBucket", "arn:aws:s3:::other", False)]
    objects = (*_READING, *_WRITING, *_MULTIPART, "s3:DeleteObject", "s3:PutObjectLegalHold")
    calls += [(a, "arn:aws:s3:::other/x", False) for a in objects]
    told_prefixes = [object_keys(zone, d, Caller())[0] for d in (*p.access.named(zone), "")]
    listing = [{"s3:prefix": path} for path in told_prefixes]
    for action, on, good in calls:
        for more in ({}, *listing) if ":::" in on and "/" not in on else ({},):
            request = Request(person(role)[0], action, on, person(role)[1] | SAFE | more)
            ask = Ask(f"{role} {action} {on} {more}", request, good)
            yield ask.held(p.identity(role), None)


def bucket_alone(p: Platform, zone: AccessZone) -> Found:
    """A role with everything attached still reads, writes and deletes only what is declared: whole
    zones it has no part in, and every dataset the policy names."""
    guarded = {v: a for v, a in _GUARDED.items() if makes_sense(v, zone)}
    if zone is AccessZone.CODE:  # put there by whoever deploys
        guarded = {Verb.READ: _READING}
    for role in (*roles_of(p.access), "a-stray-role"):
        caller, said = person(role)
        for verb, dataset in product(guarded, (*p.access.named(zone), "")):
            allowed = opens(p, role, verb, zone, dataset)
            paths = object_keys(zone, dataset, caller)
            for action, path in product(guarded[verb], paths):
                request = Request(caller, action, f"{_base(zone)}/{path}", said | SAFE)
                says = f"{role} with everything {action} {zone} {path}"
                yield Ask(says, request, allowed, not allowed).held([ANYTHING], p.buckets[zone])
        if zone is not AccessZone.CODE:
            yield from _refused(p.buckets[zone], f"{_base(zone)}/x", _ERASING, caller, said)
        else:
            yield from _deploying(p.buckets[zone], caller, said)


def _deploying(bucket: Doc, caller: Caller, said: dict[str, str]) -> Found:
    """Whoever deploys puts code, and is held to the zone's own key."""
    for how, right, sent in headers(AccessZone.CODE):
        on = f"{_base(AccessZone.CODE)}/wheels/x"
        request = Request(caller, "s3:PutObject", on, said | SAFE | sent)
        ask = Ask(f"{caller.arn} with everything puts code {how}", request, right, not right)
        yield ask.held([ANYTHING], bucket)


def _refused(
    bucket: Doc, on: str, actions: tuple[str, ...], caller: Caller, said: dict[str, str]
) -> Found:
    """Explicitly denied, whatever is attached to who asks."""
    for action in actions:
        request = Request(caller, action, on, SAFE | said)
        who = caller.arn or caller.service or "nobody"
        ask = Ask(f"{who} {action} {on}", request, allowed=False, explicit=True)
        yield ask.held([ANYTHING], bucket)


def denials(p: Platform, zone: AccessZone) -> Found:
    """What is denied to everybody is denied explicitly, to services as well, and in the copy."""
    verbs = {v for d in p.access.denials if "*" in d.roles and zone in d.zones for v in d.verbs}
    wide = {**_GUARDED, Verb.DELETE: ("s3:DeleteObject", *_ERASING)}
    for verb, role in product(verbs, p.access.roles):
        for caller, said in callers(p.access, role):
            path = object_keys(zone, "", caller)[0]
            for base, bucket in _both(p, zone):
                yield from _refused(bucket, f"{base}/{path}", wide[verb], caller, said)


def own_services(p: Platform, zone: AccessZone) -> Found:
    """No refusal meant for people or strangers catches a service of this account, whether or not it
    tells for whom it acts: were one allowed, it could work."""
    caller = Caller(service="x.amazonaws.com")
    silent = {"aws:PrincipalIsAWSService": "true"}
    sealed = any("*" in d.roles and zone in d.zones for d in p.access.denials)
    actions = [*_READING, *_WRITING, *([] if sealed else ["s3:DeleteObject", *_ERASING])]
    every = {
        "Effect": "Allow",
        "Action": ["s3:*"],
        "Resource": ["*"],
        "Principal": {"Service": "x.amazonaws.com"},
    }
    for base, bucket in _both(p, zone):
        opened: Doc = {"Statement": [*bucket["Statement"], every]}
        for action, said in product(actions, (silent | {"aws:SourceAccount": ACCOUNT}, silent)):
            for dataset in (*p.access.named(zone), ""):
                path = object_keys(zone, dataset, caller)[0]
                request = Request(caller, action, f"{base}/{path}", said | SAFE)
                ask = Ask(f"a service of ours {action} {base} {said}", request, allowed=True)
                yield ask.held([], opened)


def strangers(p: Platform, zone: AccessZone) -> Found:
    """Other accounts, nobody, and services that act for other accounts."""
    on_object = ("s3:GetObject", "s3:PutObject", "s3:PutObjectAcl")
    on_bucket = (
        "s3:PutBucketPolicy",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketAcl",
        "s3:PutEncryptionConfiguration",
    )
    for base, bucket in _both(p, zone):
        for caller, said in (person("analyst", OTHER), (Caller(), {})):
            yield from _refused(bucket, f"{base}/x", on_object, caller, said)
            yield from _refused(bucket, base, on_bucket, caller, said)
        for name in _WRITERS:
            caller = Caller(service=f"{name}.amazonaws.com")
            said = service(name, OTHER)
            path = object_keys(zone, "", caller)[0]
            yield from _refused(bucket, f"{base}/{path}", ("s3:PutObject",), caller, said)
            yield from _refused(bucket, base, ("s3:GetBucketAcl",), caller, said)


def services(p: Platform, zone: AccessZone) -> Found:
    """Each service writes where it should, for its own resource, and nowhere else."""
    for name, like in product((*_WRITERS, "cloudfront", "glue"), _WRITERS):
        caller = Caller(service=f"{name}.amazonaws.com")
        home = zone is (AccessZone.TRAIL if name == "cloudtrail" else AccessZone.LOG)
        mine = name == like and home
        said = service(like)
        path = object_keys(zone, "", Caller(service=f"{like}.amazonaws.com"))[0]
        yield from _service(p, zone, caller, path, said, mine)
        yield from _looking(p, zone, caller, said, mine and name == "cloudtrail")
        if mine:
            for spoilt in ("aws:SourceArn", "aws:SourceAccount"):
                rest = {k: v for k, v in said.items() if k != spoilt}
                yield from _service(p, zone, caller, path, rest, False)
            other = said["aws:SourceArn"].replace(":trail/cityline", ":trail/other")
            other = other.replace("s3:::cityline", "s3:::other").replace("loadbalancer", "listener")
            yield from _service(p, zone, caller, path, said | {"aws:SourceArn": other}, False)
            yield from _service(p, zone, caller, "elsewhere/x", said, False)
        if name == "cloudtrail":
            unsaid = {k: v for k, v in said.items() if k != "s3:x-amz-acl"}
            yield from _service(p, zone, caller, path, unsaid, False)


def _looking(
    p: Platform, zone: AccessZone, caller: Caller, said: dict[str, str], mine: bool
) -> Found:
    """Before it writes, the trail looks whose bucket it is."""
    foreign = said | {"aws:SourceArn": said["aws:SourceArn"] + "-x"}
    silent = {k: v for k, v in said.items() if k != "aws:SourceAccount"}
    for sent, good in ((said, mine), (foreign, False), (silent, False)):
        request = Request(caller, "s3:GetBucketAcl", _base(zone), sent | SAFE)
        ask = Ask(f"{caller.service} looks at {zone} as {sent}", request, good)
        yield ask.held([], p.buckets[zone])


def _service(
    p: Platform, zone: AccessZone, caller: Caller, path: str, said: dict[str, str], allowed: bool
) -> Found:
    """In the second region there is a bucket for logs too, and no other that a service writes."""
    there = allowed and zone is AccessZone.LOG
    for (base, bucket), may_write in zip(_both(p, zone), (allowed, there), strict=True):
        sent = said if base == _base(zone) else _moved(said)
        if base != _base(zone) and zone is AccessZone.LOG and sent == said and not allowed:
            continue  # a resource of the other region has nothing to spoil here
        for action, good in (("s3:PutObject", may_write), ("s3:GetObject", False)):
            request = Request(caller, action, f"{base}/{path}", sent | SAFE)
            ask = Ask(f"{caller.service} {action} {base}/{path} as {sent}", request, good)
            yield ask.held([], bucket)


def _moved(said: dict[str, str]) -> dict[str, str]:
    """The same service in the second region."""
    return {k: v.replace("ca-central-1", "ca-west-1") for k, v in said.items()}


def copies(p: Platform, zone: AccessZone) -> Found:
    """Into the copy only copying writes; it is taken from the zones that are copied alone."""
    copied = zone in replicated(p.access)
    far = f"{_base(zone, replica=True)}/raw/x/y"
    for role in roles_of(p.access):
        caller, said = person(role)
        copying = p.access.roles[role].assumed_by == ("s3",)
        for action in _COPYING:
            for (base, bucket), good in zip(
                _both(p, zone), (False, copying and copied), strict=True
            ):
                request = Request(caller, action, f"{base}/raw/x/y", said | SAFE)
                ask = Ask(f"{role} {action} {base}", request, good)
                yield ask.held(p.identity(role), bucket)
                if base in far:
                    yield ask.held(p.identity(role), None)
        for action in ("s3:PutObject", "s3:DeleteObject", *_ERASING):
            request = Request(caller, action, far, said | SAFE)
            ask = Ask(f"{role} {action} {far}", request, allowed=False)
            yield ask.held(p.identity(role), None)
        yield from _copy_read(p, zone, role)
        if zone is not AccessZone.CODE:
            mine = copying and copied
            refused = ("s3:DeleteObject", *_ERASING, *(() if mine else _WRITING))
            yield from _refused(p.copies[zone], far, refused, caller, said)
        yield from _taken(p, zone, role, copied and copying)
        yield from _copy_refuses(p, zone, role)


def _copy_read(p: Platform, zone: AccessZone, role: str) -> Found:
    """Who may read a zone may read its copy, by the role's own policy and past the copy's: each
    dataset as at home. Of a zone without a copy nobody reads one, and copying never reads there."""
    caller, said = person(role)
    base = _base(zone, replica=True)
    there = zone in replicated(p.access) and p.access.roles[role].assumed_by != ("s3",)
    calls: list[tuple[str, str, dict[str, str], bool]] = [
        ("s3:GetBucketLocation", base, {}, there and opens(p, role, Verb.READ, zone, ""))
    ]
    for dataset in (*p.access.named(zone), ""):
        good = there and decide(p.access, role, Verb.READ, zone, dataset).allowed
        for path in object_keys(zone, dataset, caller):
            calls += [(a, f"{base}/{path}", {}, good) for a in _READING[:2]]
            calls += [(_READING[2], f"{base}/{path}", {}, False)]
            listing = {"s3:prefix": path.rpartition("/")[0] + "/"}
            calls.append(("s3:ListBucket", base, listing, good))
    for action, on, more, good in calls:
        request = Request(caller, action, on, said | SAFE | more)
        ask = Ask(f"{role} {action} {on} {more}", request, good)
        for bucket in (p.copies[zone], None):
            yield ask.held(p.identity(role), bucket)


def _taken(p: Platform, zone: AccessZone, role: str, copied: bool) -> Found:
    """Copying takes versions with what belongs to them, and has no other part in the original."""
    caller, said = person(role)
    on_object = (
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectRetention",
    )
    calls = [(a, f"{_base(zone)}/x", copied) for a in on_object]
    if not may(p.access, role, Verb.ADMINISTER, zone):
        calls.append(("s3:GetReplicationConfiguration", _base(zone), copied))
        calls.append(("s3:GetObjectLegalHold", f"{_base(zone)}/x", copied))
    if p.access.roles[role].assumed_by == ("s3",):
        calls += [(a, f"{_base(zone)}/x", False) for a in ("s3:GetObject", "s3:PutObject")]
        calls.append(("s3:ListBucket", _base(zone), copied))
    for action, on, good in calls:
        ask = Ask(f"{role} {action} {zone}", Request(caller, action, on, said | SAFE), good)
        for bucket in (p.buckets[zone], None):
            yield ask.held(p.identity(role), bucket)


def _copy_refuses(p: Platform, zone: AccessZone, role: str) -> Found:
    """The copy knows TLS, its own key and its readers as the original does."""
    caller, said = person(role)
    base = _base(zone, replica=True)
    plain = said | {"aws:SecureTransport": "false"}
    old = said | {"s3:TlsVersion": "1.1"}
    for sent, on in product((plain, old), (base, f"{base}/x")):
        reads = ("s3:GetObject",) if on.endswith("/x") else ("s3:ListBucket",)
        yield from _refused(p.copies[zone], on, reads, caller, sent)
    open_copy: Doc = {
        "Statement": [s for s in p.copies[zone]["Statement"] if s["Sid"] != "DeclaredWrite"]
    }
    for how, right, sent in headers(zone, replica=True):
        request = Request(caller, "s3:PutObject", f"{base}/x", said | SAFE | sent)
        says = f"{role} writes the copy of {zone} {how}"
        yield Ask(says, request, right, not right).held([ANYTHING], open_copy)
    for dataset in (*p.access.named(zone), ""):
        allowed = opens(p, role, Verb.READ, zone, dataset)
        for path, action in product(object_keys(zone, dataset, caller), _READING):
            request = Request(caller, action, f"{base}/{path}", said | SAFE)
            says = f"{role} with everything {action} the copy of {zone}/{dataset}"
            yield Ask(says, request, allowed, not allowed).held([ANYTHING], p.copies[zone])


CHECKS: dict[str, Callable[[Platform, AccessZone], Found]] = {
    "together": disagreements,
    "roles alone": roles_alone,
    "bucket alone": bucket_alone,
    "denials": denials,
    "own services": own_services,
    "strangers": strangers,
    "services": services,
    "copies": copies,
    "keys": keys,
    "tending": tending,
    "copies' keys": copies_keys,
}
