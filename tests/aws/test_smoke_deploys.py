"""Making, changing, looking at and removing a whole city's stacks, by the product's own commands.

The emulator's CloudFormation makes most of the resource types; the others are left out here, by a
list that a test keeps exact (`leaving_out.py`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cityline import wiring
from cityline.adapters.aws.leftovers import Leftovers
from cityline.adapters.aws.stacks import CloudFormation
from cityline.cli.program import run
from cityline.deploy import render as rendering
from cityline.errors import CloudUnreachable, ExitCode
from cityline.ports.stacks import FOR_EVER
from tests.aws.applier import STORES
from tests.aws.emulator import ACCOUNT, ROOT, Emulator, everything
from tests.aws.leaving_out import UNSUPPORTED, supported

pytestmark = pytest.mark.aws

HOME, COPY, BILLING = REGIONS = ("ca-central-1", "ca-west-1", "us-east-1")
GIVEN = {
    "CertificateArn": f"arn:aws:acm:{HOME}:{ACCOUNT}:certificate/x",
    "WheelsKey": "wheels.zip",
    "ScriptKey": "job.py",
    "ServerWheelsKey": "server.zip",
    "Image": "/smoke/image",
}
_PAUSE = 0.3


class City:
    """A city's folder of its own, and the command line over it."""

    def __init__(self, folder: Path, prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.prefix, self._capsys = folder, prefix, capsys
        self.change('prefix = "cityline-vancouver"', f'prefix = "{prefix}"')

    def change(self, old: str, new: str, file: str = "environments/aws.toml") -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def __call__(self, verb: str, *options: str) -> tuple[int, Any, str]:
        """The exit code, what was told as JSON, and what was said beside it."""
        given = [f"--parameter={k}={v}" for k, v in GIVEN.items()] if verb == "apply" else []
        sure = ["--yes"] if verb in ("apply", "destroy") else []
        code = run(
            ["deploy", "aws", verb, "--json", "--env", "aws", "--city", str(self.folder),
             *given, *sure, *options]
        )  # fmt: skip
        out, err = self._capsys.readouterr()
        told = json.loads(out)["data"] if out.strip() else None
        return code, told or {}, err


@pytest.fixture
def as_deployer(aws: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The product reaches the emulator as it would reach AWS, by the environment."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    key, secret, token = everything(aws, "a-deployer")  # no root: every policy holds
    settings = {
        "AWS_ENDPOINT_URL": aws.tls,
        "AWS_CA_BUNDLE": str(aws.certificate),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token,
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("cityline.wiring.cloud_stacks", lambda: CloudFormation(120.0, _PAUSE))
    monkeypatch.setattr("cityline.wiring.cloud_leftovers", lambda: Leftovers(_PAUSE))
    ssm = aws.client("ssm", HOME)
    ssm.put_parameter(Name=GIVEN["Image"], Value="ami-12345678", Type="String", Overwrite=True)
    _render_once(monkeypatch)
    return aws


def _render_once(patch: pytest.MonkeyPatch) -> None:
    """Leave out what the emulator lacks, and render a city again only when it has changed."""
    opened, render = wiring.open_estate, rendering.render
    estates: dict[tuple[Path, str], Any] = {}
    rendered: dict[int, Any] = {}

    def open_estate(city: Path, environment: str) -> Any:
        key = city, (city / "environments" / "aws.toml").read_text()
        if key not in estates:
            estates[key] = opened(city, environment)
        return estates[key]

    def templates(estate: Any) -> Any:
        if id(estate) not in rendered:
            rendered[id(estate)] = {n: supported(t) for n, t in render(estate).items()}
        return rendered[id(estate)]

    patch.setattr(wiring, "open_estate", open_estate)
    patch.setattr(rendering, "render", templates)


@pytest.fixture
def city(
    as_deployer: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], City]:
    """Makes a city with a prefix of its own."""

    def make(prefix: str) -> City:
        folder = tmp_path / prefix
        shutil.copytree(ROOT / "cities" / "vancouver", folder)
        return City(folder, prefix, capsys)

    return make


def test_the_list_of_what_is_left_out_is_exact(aws: Emulator) -> None:
    client = aws.client("cloudformation")
    learnt = []
    for kind in UNSUPPORTED:
        name = f"learnt-{kind.replace('::', '-')}"
        body = json.dumps({"Resources": {"One": {"Type": kind, "Properties": {}}}})
        try:
            client.create_stack(StackName=name, TemplateBody=body, OnFailure="DO_NOTHING")
        except client.exceptions.ClientError as error:
            told = str(error)
        else:
            waiting = client.get_waiter("stack_exists")
            waiting.wait(StackName=name)
            told = _reasons(client, name)
        if "nsupported resource type" not in told and "nrecognized resource type" not in told:
            learnt.append(f"{kind}: {told}")
    assert learnt == []


def _reasons(client: Any, name: str) -> str:
    """Why a stack's resources failed; waits until it is done."""
    for _ in range(200):
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(e.get("ResourceStatusReason", "") for e in events)


def standing(aws: Emulator, prefix: str) -> list[str]:
    """Everything that has a name with the prefix, asked of each service itself."""
    found: list[str] = []
    iam = aws.client("iam")
    found += [r["RoleName"] for r in iam.list_roles()["Roles"]]
    found += [p["PolicyName"] for p in iam.list_policies(Scope="Local")["Policies"]]
    found += [p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]]
    for region in REGIONS:
        s3, kms = aws.client("s3", region), aws.client("kms", region)
        found += [b["Name"] for b in s3.list_buckets()["Buckets"]]
        found += [a["AliasName"] for a in kms.list_aliases()["Aliases"]]
        for key in kms.list_keys()["Keys"]:
            told = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if told["KeyState"] != "PendingDeletion":
                found.append(f"key {told.get('Description', '')}")
        stacks = aws.client("cloudformation", region).describe_stacks()["Stacks"]
        found += [s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"]
        logs = aws.client("logs", region).describe_log_groups()["logGroups"]
        found += [g["logGroupName"] for g in logs]
        found += [t["TopicArn"] for t in aws.client("sns", region).list_topics()["Topics"]]
        watch = aws.client("cloudwatch", region)
        found += [a["AlarmName"] for a in watch.describe_alarms()["MetricAlarms"]]
        found += [d["DashboardName"] for d in watch.list_dashboards()["DashboardEntries"]]
        glue = aws.client("glue", region)
        found += [d["Name"] for d in glue.get_databases()["DatabaseList"]]
        found += [j["Name"] for j in glue.get_jobs()["Jobs"]]
        groups = aws.client("athena", region).list_work_groups()["WorkGroups"]
        found += [g["Name"] for g in groups]
        balancers = aws.client("elbv2", region).describe_load_balancers()["LoadBalancers"]
        found += [b["LoadBalancerName"] for b in balancers]
        vpcs = aws.client("ec2", region).describe_vpcs()["Vpcs"]
        found += [t["Value"] for v in vpcs for t in v.get("Tags", []) if t["Key"] == "Name"]
    return sorted({f for f in found if prefix in f or prefix.replace("-", "_") in f})


@pytest.mark.timeout(900)
def test_a_city_is_made_changed_left_alone_and_removed(
    as_deployer: Emulator, city: Callable[[str], City]
) -> None:
    aws, mine = as_deployer, city("smoke-whole")
    code, told, said = mine("apply")
    assert code == 0, said
    made = [s["stack"] for s in told["stacks"]]
    assert len(made) >= 11
    assert {s["status"] for s in told["stacks"]} == {"CREATE_COMPLETE"}

    code, told, said = mine("status")
    assert code == 0, said
    assert {s["stack"] for s in told if s["as declared"] == "yes"} >= set(made)

    code, told, said = mine("apply")
    assert (code, told["changes"]) == (0, 0), said

    mine.change("query_cutoff_mb = 1024", "query_cutoff_mb = 2048")
    code, told, said = mine("plan")
    assert code == 0, said
    changes = {(c["action"], c["type"]) for c in told["changes"]}
    assert changes == {("change", "AWS::Athena::WorkGroup")}
    code, told, said = mine("apply")
    assert code == 0, said
    group = aws.client("athena").get_work_group(WorkGroup="smoke-whole-analysis")["WorkGroup"]
    assert group["Configuration"]["BytesScannedCutoffPerQuery"] == 2_048_000_000
    code, told, said = mine("apply")
    assert (code, told["changes"]) == (0, 0), said

    ec2, group = aws.client("ec2"), _default_group(aws, "smoke-whole")
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])
    anybody = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group["GroupId"]}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[anybody])
    code, told, said = mine("status")
    (open_again,) = (s for s in told if s["stack"] == "smoke-whole-publish")
    assert (code, open_again["as declared"]) == (0, "no"), said
    assert "default security group has 1 rules" in open_again["why"]
    code, told, said = mine("apply")
    assert "1 rules taken out of the default security group" in said
    assert _default_group(aws, "smoke-whole")["IpPermissions"] == []
    code, told, said = mine("apply")
    assert (code, told["changes"]) == (0, 0), said

    aws.client("athena").start_query_execution(
        QueryString="SELECT 1", WorkGroup="smoke-whole-audit"
    )
    landing = f"smoke-whole-landing-{ACCOUNT}-{HOME}"
    s3 = aws.client("s3")
    for number in range(3):
        s3.put_object(Bucket=landing, Key="landing/x/y", Body=b"%d" % number)
    s3.delete_object(Bucket=landing, Key="landing/x/y")
    code, told, said = mine("destroy")
    assert code == 0, said
    assert told["versions_deleted"][landing] == 4
    assert standing(aws, "smoke-whole") == []


def test_logs_that_services_made_are_left(as_deployer: Emulator) -> None:
    mine = ["/left/ours", "/aws-glue/jobs/left-prepare-role/left-prepare/x",
            "/aws-glue/jobs/logs-v2-left-prepare", "/aws-glue-databrew/jobs-left-x"]  # fmt: skip
    others = ["/leftover/x", "/aws-glue/jobs/error", "/aws-glue/jobs/nleft-x", "/aws-glue/left"]
    for group in (*mine, *others):
        as_deployer.client("logs", HOME).create_log_group(logGroupName=group)
    assert Leftovers().left("left", HOME) == [f"log group {g}" for g in sorted(mine)]


def _default_group(aws: Emulator, prefix: str) -> dict[str, Any]:
    """The default security group of a city's network."""
    ec2 = aws.client("ec2")
    named = [{"Name": "tag:Name", "Values": [f"{prefix}-vpc"]}]
    (vpc,) = ec2.describe_vpcs(Filters=named)["Vpcs"]
    asked = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["default"]}]  # fmt: skip
    found: list[dict[str, Any]] = ec2.describe_security_groups(Filters=asked)["SecurityGroups"]
    return found[0]


def test_nothing_is_touched_while_a_lock_stands(
    as_deployer: Emulator, city: Callable[[str], City]
) -> None:
    aws, mine = as_deployer, city("smoke-locked")
    code, _, said = mine("apply", *(f"--only={s}" for s in STORES))
    assert code == 0, said
    raw = f"smoke-locked-raw-{ACCOUNT}-{HOME}"
    days = {"Mode": "GOVERNANCE", "Days": 366}
    # the emulator's CloudFormation leaves the declared lock out; the access matrix applies it
    aws.client("s3").put_object_lock_configuration(
        Bucket=raw,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": days},
        },
    )
    aws.client("s3").put_object(Bucket=raw, Key="raw/x/received", Body=b"as received")
    before = standing(aws, "smoke-locked")
    code, _, said = mine("destroy")
    assert code == ExitCode.CLOUD
    assert "versions are locked until" in said
    assert "nothing was deleted" in said
    assert "wait until then" in said
    assert standing(aws, "smoke-locked") == before
    trail = f"smoke-locked-trail-{ACCOUNT}-{HOME}"
    aws.client("s3").put_object_lock_configuration(
        Bucket=trail, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )
    held = aws.client("s3").put_object(
        Bucket=trail, Key="held", Body=b"", ObjectLockLegalHoldStatus="ON"
    )
    assert Leftovers().locked_until(trail, HOME) == FOR_EVER
    _lift(aws, raw)
    code, _, said = mine("destroy")
    assert (code, "on legal hold" in said) == (ExitCode.CLOUD, True)
    assert held["VersionId"]
    assert standing(aws, "smoke-locked") == before


def _lift(aws: Emulator, bucket: str) -> None:
    """Erase what is locked, as the account's root may with a governance lock."""
    s3 = aws.client("s3")
    for version in s3.list_object_versions(Bucket=bucket)["Versions"]:
        s3.delete_object(
            Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"],
            BypassGovernanceRetention=True,
        )  # fmt: skip


@pytest.mark.timeout(900)
def test_removing_goes_on_where_it_was_cut_off(
    as_deployer: Emulator, city: Callable[[str], City], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = city("smoke-cut")
    code, _, said = mine("apply", *(f"--only={s}" for s in STORES))
    assert code == 0, said
    before = standing(as_deployer, "smoke-cut")
    for of, verb, after in (
        (CloudFormation, "delete", 1), (Leftovers, "remove_bucket", 2), (Leftovers, "end_key", 3),
    ):  # fmt: skip
        whole, calls = getattr(of, verb), iter(range(100))

        def cut(*asked: Any, whole: Any = whole, calls: Any = calls, after: int = after) -> Any:
            if next(calls) >= after:
                raise CloudUnreachable("the line was cut", where="test")
            return whole(*asked)

        with monkeypatch.context() as patch:
            patch.setattr(of, verb, cut)
            assert mine("destroy")[0] == ExitCode.CLOUD
        after_cut = standing(as_deployer, "smoke-cut")
        assert after_cut != []
        assert set(after_cut) <= set(before)
        before = after_cut
    code, _, said = mine("destroy")
    assert code == 0, said
    assert standing(as_deployer, "smoke-cut") == []
    code, told, said = mine("destroy")
    assert code == 0, said
    assert not any(told["versions_deleted"].values())


def test_what_an_earlier_try_left_half_made_is_made_again(
    as_deployer: Emulator, city: Callable[[str], City]
) -> None:
    aws, mine = as_deployer, city("smoke-half")
    client = aws.client("cloudformation", COPY)
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "smoke-half-taken"}}
    aws.client("s3", COPY).create_bucket(
        Bucket="smoke-half-taken", CreateBucketConfiguration={"LocationConstraint": COPY}
    )
    client.create_stack(
        StackName="smoke-half-replica-keys",
        TemplateBody=json.dumps({"Resources": {"Taken": taken}}),
        OnFailure="ROLLBACK",
    )
    _reasons(client, "smoke-half-replica-keys")
    status = client.describe_stacks(StackName="smoke-half-replica-keys")["Stacks"][0]["StackStatus"]
    assert status == "ROLLBACK_COMPLETE"
    code, told, said = mine("apply", "--only", "replica-keys")
    assert code == 0, said
    assert told["stacks"][0]["status"] == "CREATE_COMPLETE"
    assert "removing what an earlier try left" in said


def test_a_name_that_is_taken_leaves_nothing_half_made(
    as_deployer: Emulator, city: Callable[[str], City]
) -> None:
    aws, mine = as_deployer, city("smoke-taken")
    assert mine("apply", "--only", "replica-keys")[0] == 0
    before = standing(aws, "smoke-taken")
    taken = f"smoke-taken-raw-{ACCOUNT}-{COPY}"
    aws.client("s3", COPY).create_bucket(
        Bucket=taken, CreateBucketConfiguration={"LocationConstraint": COPY}
    )
    code, _, said = mine("apply")
    assert code == ExitCode.CLOUD
    assert "RawBucket" in said
    assert "another prefix" in said
    assert standing(aws, "smoke-taken") == sorted([*before, taken])
