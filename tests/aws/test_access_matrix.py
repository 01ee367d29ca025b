"""The access matrix as real requests: the templates' keys, roles and buckets applied to an emulator
that enforces IAM and bucket policies, each role taken on, each zone and verb tried over TLS and
plain HTTP. What `guards.protect` decides from `policies/access.toml` is what must come out.

`GAPS` names the cells the emulator cannot judge; those are evaluated from the same documents in
`tests/unit/deploy/test_matrix.py`, and a test here sees to it that they are.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cityline.declarations.access import Access, AccessZone, Verb
from cityline.declarations.folder import read_folder
from cityline.deploy.estate import Estate
from cityline.deploy.policies import replicated, roles_of
from cityline.guards.protect import decide
from cityline.guards.protect.access import datasets_of, fits
from tests.aws.applier import Applier
from tests.aws.emulator import ACCOUNT, OWNER, ROOT, Emulator, Keys, everything
from tests.unit.deploy.cities import VANCOUVER, careful
from tests.unit.deploy.evaluation import Caller
from tests.unit.deploy.platform import asks, build, object_keys

pytestmark = pytest.mark.aws

CITIES = {"vancouver": VANCOUVER, "careful": careful()}
"""Vancouver's own policy, and one with personal data, single datasets and a role's denial."""
NOBODY: Keys = ("", "", "")
STRAY = "a-stray-role"
_DENIED = {"AccessDenied", "403"}

GAPS: dict[tuple[str, Verb, AccessZone | None], str] = {
    **{
        ("log-delivery", verb, None): "a service without a role: no test can act as one"
        for verb in Verb
    },
    ("recorder", Verb.WRITE, AccessZone.TRAIL): "CloudTrail writes as itself, not as its role",
    **{
        ("replication", Verb.READ, zone): "the emulator copies without asking the role"
        for zone in AccessZone
    },
}
"""Cells only the evaluation of the documents judges: role, verb, and zone or every zone → why."""


@dataclass
class City:
    """One city applied, its sessions, and what was counted."""

    name: str
    access: Access
    estate: Estate
    aws: Emulator
    applier: Applier
    sessions: dict[str, Keys]
    policies: dict[str, str] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def bucket(self, zone: AccessZone, *, copy: bool = False) -> str:
        named = self.estate.names.bucket(zone, replica=copy)
        return named.replace("${AWS::AccountId}", ACCOUNT)

    def s3(self, who: str, *, tls: bool = True, copy: bool = False) -> Any:
        region = self.estate.names.region(replica=copy)
        held = OWNER if who == "" else self.sessions[who]
        return self.aws.client("s3", region, held, tls=tls)

    def key(self, zone: AccessZone, *, copy: bool = False) -> str:
        region = self.estate.names.region(replica=copy)
        return self.applier.known[region, f"{zone.value.capitalize()}Key.Arn"]


@pytest.fixture(scope="module")
def applied(aws: Emulator) -> Iterator[dict[str, City]]:
    """Every city in one account, under prefixes of their own."""
    began = time.monotonic()
    made = {name: _apply(aws, name, policy) for name, policy in CITIES.items()}
    yield made
    counted = {name: dict(city.counted) for name, city in made.items()}
    told = {"seconds": round(time.monotonic() - began, 1), **counted}
    (ROOT / "build" / "access-matrix.json").write_text(json.dumps(told, indent=2) + "\n")


def _apply(aws: Emulator, name: str, policy: Access) -> City:
    estate = estate_of(name, policy)
    applier = Applier(aws, estate)
    applier.apply()
    sessions = {r: aws.assume(estate.names.role(r)) for r in roles_of(policy)}
    sessions |= {r: NOBODY for r, role in policy.roles.items() if role.through}
    sessions[STRAY] = everything(aws, STRAY)
    city = City(name, policy, estate, aws, applier, sessions)
    for zone in AccessZone:
        owner, bucket = city.s3(""), city.bucket(zone)
        city.policies[bucket] = owner.get_bucket_policy(Bucket=bucket)["Policy"]
        for path in (p for d in (*policy.named(zone), "") for p in paths(zone, d)):
            owner.put_object(Bucket=bucket, Key=path, Body=b"held")
    return city


def estate_of(name: str, policy: Access) -> Estate:
    """Vancouver on AWS with another prefix and policy; no question is rendered."""
    folder = read_folder(ROOT / "cities" / "vancouver", "aws")
    assert folder.environment.aws is not None
    settings = folder.environment.aws.model_copy(update={"prefix": f"matrix-{name}"})
    environment = folder.environment.model_copy(update={"aws": settings})
    return Estate(dataclasses.replace(folder, environment=environment, access=policy), {})


def paths(zone: AccessZone, dataset: str) -> list[str]:
    return object_keys(zone, dataset, Caller())


def gap(role: str, verb: Verb, zone: AccessZone) -> str:
    return GAPS.get((role, verb, zone)) or GAPS.get((role, verb, None), "")


def outcome(client: Any, call: str, **asked: Any) -> str:
    """`allowed`, `denied`, or what else the emulator answered."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    try:
        getattr(client, call)(**asked)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if code in _DENIED else code
    return "allowed"


def attempt(
    city: City, who: str, verb: Verb, zone: AccessZone, path: str, *, tls: bool = True
) -> str:
    """The request a verb is."""
    client, bucket = city.s3(who, tls=tls), city.bucket(zone)
    match verb:
        case Verb.READ:
            return outcome(client, "get_object", Bucket=bucket, Key=path)
        case Verb.WRITE | Verb.PUBLISH:
            return outcome(client, "put_object", Bucket=bucket, Key=f"{path}-{who}", Body=b"new")
        case Verb.DELETE:
            return outcome(client, "delete_object", Bucket=bucket, Key=f"{path}-{who}-old")
        case Verb.ADMINISTER:
            policy = city.policies[bucket]
            return outcome(client, "put_bucket_policy", Bucket=bucket, Policy=policy)


def cells(city: City, role: str, zone: AccessZone) -> Iterator[str]:
    """Tries every cell of a role in a zone, and tells each that came out otherwise."""
    for verb in Verb:
        if not fits(verb, zone):
            continue
        if gap(role, verb, zone):
            city.counted["gaps"] += 1
            continue
        for dataset in datasets_of(city.access, verb, zone):
            city.counted["cells"] += 1
            allowed = decide(city.access, role, verb, zone, dataset).allowed
            for path in paths(zone, dataset):
                told = f"{role} {verb} {zone}/{dataset or '*'} ({path})"
                yield from _differs(city, told, attempt(city, role, verb, zone, path), allowed)
                if verb is Verb.READ:
                    below = path.rpartition("/")[0] + "/"
                    found = outcome(
                        city.s3(role), "list_objects_v2", Bucket=city.bucket(zone), Prefix=below
                    )
                    yield from _differs(city, f"{told} listed", found, allowed)
        path = paths(zone, "")[0]
        found = attempt(city, role, verb, zone, path, tls=False)
        yield from _differs(city, f"{role} {verb} {zone} over plain HTTP", found, allowed=False)


def _differs(city: City, told: str, found: str, allowed: bool) -> Iterator[str]:
    city.counted["requests"] += 1
    if found != ("allowed" if allowed else "denied"):
        city.counted["mismatches"] += 1
        yield f"{told}: {found}, declared {'allowed' if allowed else 'denied'}"


@pytest.mark.parametrize("zone", AccessZone)
@pytest.mark.parametrize("role", VANCOUVER.roles)
@pytest.mark.parametrize("name", CITIES)
def test_each_cell_comes_out_as_declared(
    applied: dict[str, City], name: str, role: str, zone: AccessZone
) -> None:
    assert list(cells(applied[name], role, zone)) == []


@pytest.mark.parametrize(("role", "verb", "zone"), GAPS, ids=lambda v: str(v or "every"))
def test_what_the_emulator_cannot_judge_is_evaluated(
    role: str, verb: Verb, zone: AccessZone | None
) -> None:
    platform = build(VANCOUVER)
    for place in [zone] if zone else [z for z in AccessZone if fits(verb, z)]:
        service = role != "replication"
        mine = [
            ask
            for ask in asks(VANCOUVER, place)
            if ask.says.startswith(f"{role} ") and bool(ask.request.caller.service) is service
        ]
        assert mine, f"nothing evaluates {role} {verb} {place}"
        for ask in mine:
            who = platform.identity(role) if not service else []
            assert ask.held(who, platform.buckets[place]).wrong() == ""


def test_a_role_with_everything_still_meets_the_buckets_own_policy(
    applied: dict[str, City],
) -> None:
    city = applied["vancouver"]
    for zone in AccessZone:
        for verb in (Verb.READ, Verb.PUBLISH, Verb.DELETE):
            if zone is AccessZone.CODE and verb is not Verb.READ:
                continue  # whoever deploys puts the jobs' code there
            found = attempt(city, STRAY, verb, zone, paths(zone, "")[0])
            assert (verb, zone, found) == (verb, zone, "denied")
            city.counted["requests"] += 1


WRITERS = {
    AccessZone.RAW: "ingest",
    AccessZone.LANDING: "prepare",
    AccessZone.CURATED: "structure",
    AccessZone.SITE: "publisher",
    AccessZone.RESULTS: "analyst",
}


@pytest.mark.parametrize("zone", WRITERS)
def test_only_the_declared_encryption_is_taken(applied: dict[str, City], zone: AccessZone) -> None:
    city = applied["vancouver"]
    client, bucket = city.s3(WRITERS[zone]), city.bucket(zone)
    other = city.key(AccessZone.RAW if zone is not AccessZone.RAW else AccessZone.SITE)
    ways: list[tuple[dict[str, str], str]] = [
        ({}, "allowed"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": city.key(zone)}, "allowed"),
        ({"ServerSideEncryption": "AES256"}, "denied"),
        ({"ServerSideEncryption": "aws:kms:dsse"}, "denied"),
        ({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": other}, "denied"),
    ]
    path = paths(zone, "analysis" if zone is AccessZone.RESULTS else "")[0]
    for number, (sent, expected) in enumerate(ways):
        key = f"{path}-header-{number}"
        found = outcome(client, "put_object", Bucket=bucket, Key=key, Body=b"x", **sent)
        assert (sent, found) == (sent, expected)
        if expected == "allowed":
            told = city.s3("").head_object(Bucket=bucket, Key=key)
            assert told["ServerSideEncryption"] == "aws:kms"
            assert told["SSEKMSKeyId"] == city.key(zone)
        city.counted["requests"] += 1


@pytest.mark.parametrize("zone", replicated(VANCOUVER))
def test_a_copy_arrives_in_the_second_region(applied: dict[str, City], zone: AccessZone) -> None:
    city = applied["vancouver"]
    path = f"{paths(zone, '')[0]}-copied"
    city.s3("").put_object(Bucket=city.bucket(zone), Key=path, Body=b"to be copied")
    source = city.s3("").head_object(Bucket=city.bucket(zone), Key=path)
    copy = city.s3("", copy=True)
    found = copy.get_object(Bucket=city.bucket(zone, copy=True), Key=path)
    assert source["ReplicationStatus"] == "COMPLETED"
    assert found["ReplicationStatus"] == "REPLICA"
    assert found["Body"].read() == b"to be copied"
    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["StorageClass"] == "STANDARD_IA"
    # which key sealed the copy the emulator tells wrongly (the source's): what was asked is read
    rules = city.s3("").get_bucket_replication(Bucket=city.bucket(zone))
    destination = rules["ReplicationConfiguration"]["Rules"][0]["Destination"]
    alias = f"alias/{city.estate.settings.prefix}-{zone}"
    asked = destination["EncryptionConfiguration"]["ReplicaKmsKeyID"]
    assert asked == f"arn:aws:kms:ca-west-1:{ACCOUNT}:{alias}"
    known = city.aws.client("kms", "ca-west-1").describe_key(KeyId=alias)["KeyMetadata"]
    assert known["Arn"] == city.key(zone, copy=True)


@pytest.mark.parametrize("zone", replicated(VANCOUVER))
@pytest.mark.parametrize("role", ["ingest", "prepare", "structure", "publisher", STRAY])
def test_nobody_but_the_copying_writes_the_copy(
    applied: dict[str, City], role: str, zone: AccessZone
) -> None:
    city = applied["vancouver"]
    client, bucket = city.s3(role, copy=True), city.bucket(zone, copy=True)
    path = paths(zone, "")[0]
    assert outcome(client, "put_object", Bucket=bucket, Key=f"{path}-own", Body=b"x") == "denied"
    assert outcome(client, "delete_object", Bucket=bucket, Key=path) == "denied"


@pytest.mark.parametrize("zone", [AccessZone.RAW, AccessZone.TRAIL])
def test_a_version_cannot_be_erased(applied: dict[str, City], zone: AccessZone) -> None:
    city = applied["vancouver"]
    bucket, path = city.bucket(zone), f"{paths(zone, '')[0]}-kept"
    version = city.s3("").put_object(Bucket=bucket, Key=path, Body=b"kept")["VersionId"]
    asked = {"Bucket": bucket, "Key": path, "VersionId": version}
    for who in (*city.sessions, ""):  # the last is the account's own root, held by the lock alone
        for around in (False, True):
            if around and who == "" and zone is AccessZone.RAW:
                continue  # a governance lock yields to the root that says so; on AWS the policy not
            found = outcome(
                city.s3(who), "delete_object", BypassGovernanceRetention=around, **asked
            )
            assert (who, around, found) == (who, around, "denied")
    assert city.s3("").get_object(**asked)["Body"].read() == b"kept"


def test_a_bucket_takes_no_public_policy(applied: dict[str, City]) -> None:
    city = applied["vancouver"]
    for zone in AccessZone:
        bucket = city.bucket(zone)
        everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                     "Resource": f"arn:aws:s3:::{bucket}/*"}  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
        found = outcome(city.s3(""), "put_bucket_policy", Bucket=bucket, Policy=policy)
        assert (zone, found) == (zone, "denied")


def test_in_an_emergency_every_rule_of_a_zone_can_be_mended(applied: dict[str, City]) -> None:
    city = applied["vancouver"]
    mender = city.s3("administrator")
    for zone in replicated(VANCOUVER):
        bucket = city.bucket(zone)
        rules = mender.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        sealed = mender.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        closed = mender.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        copied = mender.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]
        logged = mender.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
        off = [{**rules[0], "Status": "Disabled"}, *rules[1:]]
        mender.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": off}
        )
        seen = mender.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert seen[0]["Status"] == "Disabled", zone
        mender.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": rules}
        )
        mender.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=sealed)
        mender.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=closed)
        mender.put_bucket_replication(Bucket=bucket, ReplicationConfiguration=copied)
        mender.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": logged})
        again = mender.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert again == rules, zone


def test_a_person_without_a_second_factor_takes_no_role(applied: dict[str, City]) -> None:
    city = applied["vancouver"]
    iam = city.aws.client("iam")
    iam.create_user(UserName="somebody")
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName="somebody", PolicyName="assume", PolicyDocument=document)
    made = iam.create_access_key(UserName="somebody")["AccessKey"]
    keys = made["AccessKeyId"], made["SecretAccessKey"], ""
    for role in roles_of(city.access):
        name = city.estate.names.role(role)
        wider = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        declared = json.dumps(city.applier.trusts[name])
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=declared)
        asked = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "RoleSessionName": "somebody"}
        found = outcome(city.aws.client("sts", keys=keys), "assume_role", **asked)
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(wider))
        assert (role, found) == (role, "denied")
