"""Every reading verb as a person types it, `--env aws` after a run there, in a home of its own and
under the role whose work it is: it names what the same verb names on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import ExitCode
from tests.aws.emulator import ROOT
from tests.aws.standing import Standing
from tests.conftest import copy_vancouver

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Side:
    """A city as somebody at a terminal finds it: what every command is given, and the variables of
    a role."""

    options: tuple[str, ...]
    variables: Callable[[str], dict[str, str]]
    homes: Path

    def __call__(self, role: str, *verb: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CITYLINE"))}
        return subprocess.run(
            [sys.executable, "-m", "cityline.cli", *verb, *self.options],
            env={**clean, "PYTHONPATH": str(ROOT / "src"), **self.variables(role)},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def told(self, role: str, *verb: str) -> Any:
        done = self(role, *verb, "--json")
        assert done.returncode == ExitCode.OK, (verb, role, done.stderr)
        return json.loads(done.stdout)["data"]


def side(published: Standing, homes: Path, environment: str) -> Side:
    """The city on AWS by one of its environments; each role has a home of its own."""

    def variables(role: str) -> dict[str, str]:
        return {**published.environment(published.role(role)), "CITYLINE_HOME": str(homes / role)}

    return Side(("--env", environment, "--city", str(published.root)), variables, homes)


@pytest.fixture(scope="module")
def there(published: Standing, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The city on AWS; each role has a home in which nothing is yet."""
    return side(published, tmp_path_factory.mktemp("homes"), "aws")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Side:
    """The same city on this machine."""
    city = copy_vancouver(tmp_path_factory.mktemp("here") / "city")
    made = Side(("--city", str(city)), lambda _: {}, city)
    assert made("", "run", "--portal", portal.base_url).returncode == ExitCode.OK
    return made


_OWN = re.compile(
    r"r-\d{8}-\d{6}-\w+"  # runs
    r"|\d{4}-\d\d-\d\d[T ][\d:.+]+|\d+(\.\d+)? ms|(?<=  )\d+\.\d\d(?=  )"  # when, how long
    r"|(?<=@)\w{7}|(?<=snapshot )\w{7}|\b\d{15,19}\b"  # versions
    r"|\S+://\S+/api/|/\S+\.csv"  # places
)


def named(text: str) -> list[str]:
    """What an output says, without what is a run's own."""
    return [re.sub(r" +", " ", _OWN.sub("…", line)).strip() for line in text.splitlines()]


SQL = "SELECT year, sum(inquiries) AS n FROM curated.department_year GROUP BY year ORDER BY year"
ALIKE = {
    "status": ("operator", ["status"]),
    "runs": ("operator", ["runs"]),
    "lineage": ("operator", ["lineage", "departments"]),
    "quality": ("operator", ["quality"]),
    "profile": ("operator", ["profile"]),
    "changes": ("operator", ["changes"]),
    "snapshots": ("privacy-officer", ["snapshots"]),
    "verify": ("privacy-officer", ["verify"]),
    "query": ("analyst", ["query", SQL]),
    "answers": ("analyst", ["answer"]),
    "answer": ("analyst", ["answer", "departments"]),
    "answer of a year": ("analyst", ["answer", "departments", "--year", "2024"]),
    "export": ("analyst", ["export", "departments"]),
}


@pytest.mark.parametrize("verb", ALIKE)
def test_a_verb_says_on_aws_what_it_says_here(verb: str, there: Side, here: Side) -> None:
    role, words = ALIKE[verb]
    cloud, laptop = there(role, *words), here("", *words)
    assert cloud.returncode == laptop.returncode == ExitCode.OK, cloud.stderr
    assert "Sample data" in laptop.stderr or verb == "runs"
    assert named(cloud.stderr) == named(laptop.stderr)
    assert named(cloud.stdout) == named(laptop.stdout)


def test_status_names_where_readers_see_it(there: Side) -> None:
    assert there.told("operator", "status")["site"] == "https://data.vancouver.example/"


def test_who_may_see_a_part_sees_it_and_is_told_of_the_rest(there: Side) -> None:
    done = there("analyst", "snapshots")
    assert done.returncode == ExitCode.OK
    assert "curated/volume" in done.stdout
    assert "landing" not in done.stdout
    assert "landing/inquiry-volume: AWS denies GetTable" in done.stderr
    one = there("analyst", "snapshots", "landing.inquiry_volume")
    assert one.returncode == ExitCode.CLOUD


def test_the_site_is_verified_where_it_is_put_up(published: Standing, there: Side) -> None:
    from cityline.declarations.access import AccessZone  # noqa: PLC0415

    site, s3 = published.bucket(AccessZone.SITE), published.emulator.client("s3")
    key = "site/current/index.html"
    body = s3.get_object(Bucket=site, Key=key)["Body"].read()
    publisher = published.emulator.client("s3", keys=published.role("publisher"))
    publisher.put_object(Bucket=site, Key=key, Body=b"not what was published")
    publisher.put_object(Bucket=site, Key="site/current/more.html", Body=b"x")
    done = there("privacy-officer", "verify", "departments")
    publisher.put_object(Bucket=site, Key=key, Body=body)
    publisher.delete_object(Bucket=site, Key="site/current/more.html")
    assert done.returncode == ExitCode.STEP_FAILED
    assert "index.html: altered\nmore.html: not part of the release" in done.stdout


def test_the_doctor_looks_at_the_keys(
    published: Standing, there: Side, here: Side, portal: SamplePortal
) -> None:
    """A key that is to be deleted is a fault with its day; the other things are as they are here."""
    asked = ["doctor", "--portal", portal.base_url]
    laptop, cloud = here("", *asked), there("operator", *asked)
    assert laptop.returncode == cloud.returncode == ExitCode.OK, cloud.stdout + cloud.stderr
    names = [line.split()[1] for line in laptop.stdout.splitlines()[1:]]
    assert names[-1] == "keys"
    assert "owner's affair" in laptop.stdout
    assert [line.split()[1] for line in cloud.stdout.splitlines()[1:]][: len(names) - 1] == (
        names[:-1]
    )
    assert len(re.findall(r"✓  key .* enabled, rotated every 365 days", cloud.stdout)) == 13
    key = re.search(r"ca-west-1 alias/cityline-verbs-site (\S+):", cloud.stdout)
    assert key
    kms = published.emulator.client("kms", "ca-west-1")
    kms.schedule_key_deletion(KeyId=key[1], PendingWindowInDays=30)
    ending = there("operator", *asked)
    kms.cancel_key_deletion(KeyId=key[1])
    kms.enable_key(KeyId=key[1])
    assert ending.returncode == ExitCode.STEP_FAILED
    assert "not in order: key site" in ending.stderr
    assert re.search(
        rf"✗  key site .*{key[1]}: will be deleted on \d{{4}}-\d\d-\d\d .*cancel-key-deletion",
        ending.stdout,
    )


# -- gauges, the trail and charges: each side has its own, in the same columns --------------------


def test_watching_looks_the_same(there: Side, here: Side) -> None:
    for role, words, same in (
        ("operator", ["monitor", "--days", "1"], ("gauge", "of", "last 1 days", "CloudWatch")),
        ("operator", ["cost"], ("service", "low", "expected", "high")),
        ("auditor", ["audit", "--since", "2h", "--limit", "3"], ("when", "who", "what", "on")),
    ):
        cloud, laptop = there(role, *words), here("", *words)
        assert cloud.returncode == laptop.returncode == ExitCode.OK, cloud.stderr
        for told in (cloud.stdout, laptop.stdout):
            heads = [" ".join(x.split()) for x in told.splitlines()]
            assert any(x.startswith(" ".join(same)) for x in heads), told
    known = {name: {g["gauge"] for g in asked.told(role, "monitor")["gauges"]}
             for name, asked, role in (("aws", there, "operator"), ("local", here, ""))}  # fmt: skip
    assert known["local"] <= known["aws"]


# -- as a city is declared: Spark in the jobs, Athena for questions ---------------------------------


@pytest.fixture(scope="module")
def declared(published: Standing, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The same platform by an environment that asks Athena."""
    return side(published, tmp_path_factory.mktemp("declared"), "cloud")


@pytest.mark.parametrize("verb", ["status", "lineage", "quality", "profile", "changes", "runs"])
def test_who_follows_runs_asks_no_engine(verb: str, declared: Side, here: Side) -> None:
    role, words = ALIKE[verb]
    cloud = declared(role, *words)
    assert cloud.returncode == ExitCode.OK, cloud.stderr
    assert named(cloud.stdout) == named(here("", *words).stdout)


GAPS = {
    "query": ["query", SQL],
    "answer of a year": ["answer", "departments", "--year", "2024"],
}
"""What Athena answers and the emulator does not, for it reads no Iceberg table; on Athena's side
tests/contracts/test_questions.py shows the SQL. Here the refusal must be told in three parts."""


@pytest.mark.parametrize("verb", GAPS)
def test_what_the_emulator_cannot_answer_is_told(verb: str, declared: Side) -> None:
    done = declared("analyst", *GAPS[verb])
    assert done.returncode != ExitCode.OK, "the emulator reads Iceberg now: compare its answer"
    assert done.returncode in (ExitCode.STEP_FAILED, ExitCode.CLOUD), done.stderr
    for part in ("error: ", "\n  where  ", "\n  try    "):
        assert part in done.stderr
    assert "bug" not in done.stderr
