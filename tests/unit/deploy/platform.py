"""A whole platform's documents, resolved, and the calls that ask them whether they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cityline.declarations.access import HOLDS, Access, AccessZone, Verb
from cityline.deploy.naming import Names
from cityline.deploy.policies import (
    bucket_policy,
    key_policy,
    role_policies,
    roles_of,
    trust_policy,
)
from cityline.guards.protect import decide, may
from cityline.guards.protect.access import datasets_of
from tests.unit.deploy.evaluation import (
    ACCOUNT,
    OTHER,
    Caller,
    Outcome,
    Request,
    evaluate,
    resolve,
)

NAMES = Names("cityline-vancouver", "ca-central-1", "ca-west-1")
Doc = dict[str, Any]
Statement = dict[str, Any]
ANYTHING: Doc = {"Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
"""What a careless administrator might attach to a role."""

_SERVICE_ROLES = {
    "recorder": ["cloudtrail"],
    "log-delivery": ["logging.s3", "logdelivery.elasticloadbalancing"],
}


def key_arn(zone: AccessZone, *, replica: bool = False) -> str:
    return f"arn:aws:kms:{NAMES.region(replica=replica)}:{ACCOUNT}:key/{zone}"


def told(text: str) -> str:
    """A name with the account filled in."""
    return text.replace("${AWS::AccountId}", ACCOUNT)


@dataclass
class Platform:
    """Every document, with names filled in as CloudFormation would."""

    access: Access
    buckets: dict[AccessZone, Doc]
    copies: dict[AccessZone, Doc]
    keys: dict[AccessZone, Doc]
    copies_keys: dict[AccessZone, Doc]
    roles: dict[str, dict[str, Doc]]
    trusts: dict[str, Doc]
    readers: dict[AccessZone, set[str]]
    """Who reads tables of a zone besides those who do in Vancouver."""
    sign_in: Mapping[str, Sequence[str]]
    """Permission sets whose sessions take a role on."""

    def identity(self, role: str) -> list[Doc]:
        return list(self.roles.get(role, {}).values())


def build(
    access: Access,
    readers: dict[AccessZone, set[str]] | None = None,
    sign_in: Mapping[str, Sequence[str]] | None = None,
) -> Platform:
    imports = {NAMES.key_export(z): key_arn(z) for z in AccessZone}

    def key(zone: AccessZone, *, replica: bool = False) -> str | None:
        return None if zone is AccessZone.LOG else key_arn(zone, replica=replica)

    made = Platform(
        access,
        {z: bucket_policy(access, NAMES, z, key(z)) for z in AccessZone},
        {z: bucket_policy(access, NAMES, z, key(z, replica=True), replica=True)
         for z in AccessZone},
        {z: key_policy(access, NAMES, z) for z in AccessZone},
        {z: key_policy(access, NAMES, z, replica=True) for z in AccessZone},
        {r: role_policies(access, NAMES, r) for r in roles_of(access)},
        {r: trust_policy(access, NAMES, r, sign_in) for r in roles_of(access)},
        readers or {},
        sign_in or {},
    )  # fmt: skip
    for part in ("buckets", "copies", "keys", "copies_keys", "roles", "trusts"):
        setattr(made, part, resolve(getattr(made, part), imports))
    return made


@dataclass(frozen=True)
class Ask:
    """One call and what must come of it; `explicit` wants a denial that no Allow can lift."""

    says: str
    request: Request
    allowed: bool
    explicit: bool = False

    def held(self, identity: Sequence[Doc], resource: Doc | None, *, key: bool = False) -> Case:
        """The call put to these documents."""
        return Case(self, identity, resource, key)


@dataclass(frozen=True, slots=True)
class Case:
    """A call, and the documents that decide it; `key` says that the resource is a key."""

    ask: Ask
    identity: Sequence[Doc]
    resource: Doc | None
    key: bool

    def wrong(self) -> str:
        """What is wrong with the answer of these documents, if anything."""
        ask = self.ask
        outcome = evaluate(ask.request, self.identity, self.resource, key=self.key)
        good = (outcome is Outcome.ALLOWED) is ask.allowed
        if good and ask.explicit:
            good = outcome is Outcome.EXPLICIT
        want = "allowed" if ask.allowed else "explicitly denied" if ask.explicit else "denied"
        return "" if good else f"{ask.says}: {outcome.value}, must be {want}"

    def rests_on(self, one: Statement) -> bool:
        """Whether a statement is among those that decide it."""
        resource = [] if self.resource is None else [self.resource]
        return any(s is one for d in (*self.identity, *resource) for s in d["Statement"])

    def spoilt(self, one: Statement, other: Statement | None) -> Case:
        """The same with another statement in the place of one, or with none."""

        def changed(document: Doc) -> Doc:
            kept = (other if s is one else s for s in document["Statement"])
            return {"Statement": [s for s in kept if s is not None]}

        resource = None if self.resource is None else changed(self.resource)
        return Case(self.ask, [changed(d) for d in self.identity], resource, self.key)


def callers(access: Access, role: str) -> list[tuple[Caller, dict[str, str]]]:
    """Who a role is when it calls, with what AWS then says of it."""
    if access.roles[role].through:
        return [(Caller(), {})]
    found: list[tuple[Caller, dict[str, str]]] = []
    for name in _SERVICE_ROLES.get(role, []):
        found.append((Caller(service=f"{name}.amazonaws.com"), service(name)))
    if role not in _SERVICE_ROLES:
        found.append(person(role))
    return found


def person(role: str, account: str = ACCOUNT) -> tuple[Caller, dict[str, str]]:
    arn = told(NAMES.role_arn(role)).replace(ACCOUNT, account)
    said = {"aws:PrincipalArn": arn, "aws:PrincipalAccount": account,
            "aws:PrincipalIsAWSService": "false"}  # fmt: skip
    return Caller(arn=arn, account=account), said


def service(name: str, account: str = ACCOUNT) -> dict[str, str]:
    sources = {
        "cloudtrail": told(NAMES.trail_arn()),
        "logging.s3": told(NAMES.bucket_arn(AccessZone.RAW)),
        "logdelivery.elasticloadbalancing":
            f"arn:aws:elasticloadbalancing:ca-central-1:{ACCOUNT}:loadbalancer/app/a/b",
    }  # fmt: skip
    return {"aws:PrincipalIsAWSService": "true", "aws:SourceAccount": account,
            "aws:SourceArn": sources[name].replace(ACCOUNT, account),
            "s3:x-amz-acl": "bucket-owner-full-control"}  # fmt: skip


def object_keys(zone: AccessZone, dataset: str, caller: Caller) -> list[str]:
    """Where a dataset's objects lie; where a service writes."""
    if zone is AccessZone.TRAIL:
        return [f"AWSLogs/{ACCOUNT}/CloudTrail/ca-central-1/2026/08/17/x.json.gz"]
    if zone is AccessZone.LOG:
        if caller.service.startswith("logdelivery"):
            return [f"alb/AWSLogs/{ACCOUNT}/elasticloadbalancing/ca-central-1/x.log.gz"]
        return ["s3/raw/2026-08-17-x"]
    name = dataset or "another"
    held = HOLDS.get(zone)
    return [f"{z}/{name}/part/x" for z in held] if held else [f"{name}/x"]


SAFE = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}
PLAIN = {"aws:SecureTransport": "false"}
OLD = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}
SSE = "s3:x-amz-server-side-encryption"
SSE_KEY = "s3:x-amz-server-side-encryption-aws-kms-key-id"

ACTIONS = {
    Verb.READ: ("s3:GetObject", "s3:GetObjectVersion"),
    Verb.WRITE: ("s3:PutObject",),
    Verb.PUBLISH: ("s3:PutObject",),
    Verb.DELETE: ("s3:DeleteObject",),
    Verb.ADMINISTER: ("s3:PutBucketPolicy", "s3:PutLifecycleConfiguration"),
}


def makes_sense(verb: Verb, zone: AccessZone) -> bool:
    """The site is published, everything else is written."""
    return verb is not (Verb.WRITE if zone is AccessZone.SITE else Verb.PUBLISH)


_ASKED: dict[tuple[int, AccessZone], list[Ask]] = {}


def asks(access: Access, zone: AccessZone) -> list[Ask]:
    """Every cell of a zone, over TLS, old TLS and plain HTTP, with each kind of header."""
    key = (id(access), zone)
    if key not in _ASKED:
        _ASKED[key] = list(_asks(access, zone))
    return _ASKED[key]


def _asks(access: Access, zone: AccessZone) -> Iterator[Ask]:
    for role in access.roles:
        for verb in Verb:
            if not makes_sense(verb, zone):
                continue
            for dataset in datasets_of(access, verb, zone):
                for caller, said in callers(access, role):
                    yield from _cell(access, role, verb, zone, dataset, caller, said)


def _cell(
    access: Access, role: str, verb: Verb, zone: AccessZone, dataset: str, caller: Caller,
    said: dict[str, str],
) -> Iterator[Ask]:  # fmt: skip
    allowed = decide(access, role, verb, zone, dataset).allowed
    bucket = told(NAMES.bucket_arn(zone))
    copying = access.roles[role].assumed_by == ("s3",)
    actions = ACTIONS[verb]
    if copying and verb is Verb.READ:
        actions = ("s3:GetObjectVersionForReplication",)
    for path in object_keys(zone, dataset, caller):
        on = bucket if verb is Verb.ADMINISTER else f"{bucket}/{path}"
        for action in actions:
            name = f"{role} {action} {zone}/{dataset or '*'} ({path})"

            def ask(
                how: str, allowed: bool, *, name: str = name, action: str = action, on: str = on,
                explicit: bool = False, **more: dict[str, str],
            ) -> Ask:  # fmt: skip
                context = {**said, **more["sent"]}
                return Ask(f"{name} {how}", Request(caller, action, on, context), allowed, explicit)

            yield ask("over TLS", allowed, sent=SAFE)
            yield ask("over plain HTTP", False, explicit=True, sent=PLAIN)
            yield ask("over TLS 1.1", False, explicit=True, sent=OLD)
            if verb in (Verb.WRITE, Verb.PUBLISH):
                for how, right, sent in headers(zone):
                    yield ask(how, allowed and right, explicit=not right, sent={**SAFE, **sent})
        if verb is Verb.READ and not copying:
            listing = {**said, **SAFE, "s3:prefix": path.rpartition("/")[0] + "/"}
            yield Ask(f"{role} lists {zone} {path}",
                      Request(caller, "s3:ListBucket", bucket, listing), allowed)  # fmt: skip


def headers(zone: AccessZone, *, replica: bool = False) -> list[tuple[str, bool, dict[str, str]]]:
    """Headers a writer may send, and whether each is right."""
    s3_own = {SSE: "AES256"}
    ours = {SSE: "aws:kms", SSE_KEY: key_arn(zone, replica=replica)}
    other = {SSE: "aws:kms", SSE_KEY: f"arn:aws:kms:ca-central-1:{OTHER}:key/x"}
    log = zone is AccessZone.LOG
    return [
        ("with S3's own key", log, s3_own),
        ("with the zone's key", not log, ours),
        ("with another's key", False, other),
        ("with no header", True, {}),
        ("with DSSE", False, {SSE: "aws:kms:dsse"}),
    ]


def disagreements(platform: Platform, zone: AccessZone) -> Iterator[Case]:
    """Bucket policy and role policies together, beside what is declared."""
    role_of = {told(NAMES.role_arn(r)): r for r in platform.access.roles}
    for one in asks(platform.access, zone):
        identity = platform.identity(role_of.get(one.request.caller.arn, ""))
        yield one.held(identity, platform.buckets[zone])


def opens(p: Platform, role: str, verb: Verb, zone: AccessZone, dataset: str) -> bool:
    """What a bucket or a key can tell: of datasets that are not named, only whether a role has a
    part in the zone at all."""
    if role not in p.access.roles or role in _SERVICE_ROLES:
        return False  # a stray; or one that acts as a service, under a permission of its own
    if dataset == "":
        return may(p.access, role, verb, zone)
    return decide(p.access, role, verb, zone, dataset).allowed
