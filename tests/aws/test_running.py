"""`cityline run --env aws`: jobs that really run, each with its own role's keys, over the platform
that the templates make, in an emulator that enforces their policies."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cityline import wiring
from cityline.adapters.portals.sample import SamplePortal
from cityline.cli import job
from cityline.cli.program import run
from cityline.deploy.jobs import WAY
from cityline.deploy.policies.statements import document, statement
from cityline.errors import CitylineError, ExitCode
from cityline.flow.plan import plan
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.aws.emulator import Emulator
from tests.aws.running import put_code, with_jobs
from tests.aws.standing import Standing, stand
from tests.buckets import same_tables
from tests.conftest import Ran, copy_vancouver, run_city

_METRICS = json.dumps(
    document([statement("Metrics", "Allow", ["cloudwatch:PutMetricData"], ["*"])])
)
pytestmark = [pytest.mark.aws, pytest.mark.timeout(1200)]


@dataclass(frozen=True)
class Told:
    """What a command said: its exit code, its data, and what it said beside."""

    code: int
    data: Any
    error: Any
    said: str


@dataclass(frozen=True)
class Line:
    """The command line as somebody, over one platform."""

    standing: Standing
    role: str = "operator"

    def __call__(self, *arguments: str) -> Told:
        out, said = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(said):
            self.standing.act(patch, self.role)
            code = run([*arguments, "--env", "aws", "--city", str(self.standing.root), "--json"])
        told = json.loads(out.getvalue())
        return Told(code, told["data"], told["error"], said.getvalue())


@pytest.fixture(scope="module", autouse=True)
def _quickly() -> Iterator[None]:
    """Look at the jobs often: they are small here."""
    way = wiring.open_way
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "open_way", lambda folder: replace(way(folder), pause=0.2))
        yield


@pytest.fixture(scope="module")
def standing(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A platform with its jobs, and nothing in it yet."""
    work = tmp_path_factory.mktemp("platform")
    made = stand(aws, work / "city", "cityline-run")
    with_jobs(made, work)
    for role in WAY:  # the emulator tells policies no namespace; the matrix of policies has it
        aws.client("iam").put_role_policy(
            RoleName=made.names.role(role), PolicyName="metrics", PolicyDocument=_METRICS
        )
    return made


@pytest.fixture(scope="module")
def cityline(standing: Standing) -> Line:
    return Line(standing)


@pytest.fixture(scope="module")
def first(cityline: Line, portal: SamplePortal) -> Told:
    """The first run of the whole way."""
    return cityline("run", "--portal", portal.base_url)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """The same city on this machine."""
    return run_city(copy_vancouver(tmp_path_factory.mktemp("here") / "city"), portal)


def test_a_run_on_aws_says_what_a_run_here_says(first: Told, here: Ran) -> None:
    assert first.code == ExitCode.OK, first.said
    steps = [s["step"] for s in first.data["steps"]]
    assert steps == list(plan(here.parts.folder))
    assert {s["outcome"] for s in first.data["steps"]} == {"done"}
    sentences = {
        s.removeprefix("analyse/"): r.details["sentence"]
        for s, r in here.done.receipts.items()
        if s.startswith("analyse/")
    }
    assert first.data["answers"] == {q: sentences[q] for q in first.data["answers"]}
    assert first.data["release"]
    assert first.data["generated"] is True
    assert "cityline-run-publisher: succeeded" in first.said
    assert "✓ structure" in first.said


def test_the_tables_are_those_of_a_run_here(
    standing: Standing, first: Told, here: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first.code == ExitCode.OK
    standing.act(monkeypatch, "privacy-officer")
    officer = open_city(standing.root, environment="aws")
    current = officer.ledger.current()
    assert current is not None
    same_tables((officer, Done(current.receipts.values())), (here.parts, here.done))


def test_a_second_run_changes_nothing(cityline: Line, first: Told, portal: SamplePortal) -> None:
    again = cityline("run", "--portal", portal.base_url)
    assert again.code == ExitCode.OK, again.said
    assert again.data["changed"] is False
    assert again.data["release"] == first.data["release"]
    assert {s["outcome"] for s in again.data["steps"]} == {"unchanged"}


@pytest.mark.parametrize("verb", ["status", "runs", "lineage", "quality", "profile"])
def test_looking_at_aws_is_looking_at_home(
    verb: str, cityline: Line, first: Told, here: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    there = cityline(verb)
    assert there.code == ExitCode.OK, there.said
    assert run([verb, "--city", str(here.folder), "--json"]) == ExitCode.OK
    home = json.loads(capsys.readouterr().out)["data"]
    assert _shape(there.data) == _shape(home)


def _shape(told: Any) -> Any:
    """What is told, without when, which run and which version."""
    if isinstance(told, dict):
        return {k: _shape(v) for k, v in told.items() if k not in _OWN}
    return [_shape(v) for v in told[:40]] if isinstance(told, list) else type(told).__name__


_OWN = ("site", "last_failure", "run")


def test_the_operator_sees_how_each_job_ended(
    standing: Standing, cityline: Line, first: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _gauges(cityline)
    assert first.code == ExitCode.OK
    for role in WAY:
        assert before["job successes", role] >= 1
        assert before["job failures", role] == 0
    assert before["job rows", "prepare"] > 0
    assert before["job time", "structure"] > 0
    standing.act(monkeypatch, "publisher")  # which may not do another job's work
    told = ["--environment", "aws", "--city", put_code(standing), "--stage", "ingest"]
    with pytest.raises(CitylineError):
        job.main([*told, "--portal", "http://127.0.0.1:9"])
    after = _gauges(cityline)
    assert after["job failures", "ingest"] == 1
    assert after["job successes", "ingest"] == before["job successes", "ingest"]


def _gauges(cityline: Line) -> dict[tuple[str, str], Any]:
    told = cityline("monitor", "--days", "1")
    assert told.code == ExitCode.OK, told.said
    return {(g["gauge"], g["of"]): g["value"] for g in told.data["gauges"]}


def test_who_may_not_run_is_told(standing: Standing, portal: SamplePortal) -> None:
    told = Line(standing, "analyst")("run", "--portal", portal.base_url)
    assert told.code == ExitCode.CLOUD
    assert told.error["code"] in ("CLOUD_REFUSED", "STORE_REFUSED")
    assert "denies" in told.error["what"]
