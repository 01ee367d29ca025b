"""Starting and following jobs on AWS, and every way that can go wrong: each a clear error that
names the remedy. The jobs are processes that the emulator really starts."""

from __future__ import annotations

import io
import os
import signal
import threading
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.stub import Stubber

from cityline import wiring
from cityline.adapters.aws.catalog import GlueTables
from cityline.adapters.aws.clients import account, client
from cityline.adapters.aws.jobs import GlueJobs
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.ledger import SqliteLedger
from cityline.adapters.local.store import FolderStore
from cityline.cli.program import run
from cityline.errors import (
    CatalogError,
    CitylineError,
    CloudError,
    CloudRefused,
    CloudSignIn,
    CloudUnreachable,
    ExitCode,
    JobFailed,
    QualityError,
    SourceUnreachable,
    StepError,
    StoreUnreachable,
)
from cityline.flow import remote
from cityline.flow.parts import Parts
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.wiring import open_city
from tests.aws.emulator import Emulator
from tests.aws.running import make_job
from tests.aws.standing import Standing, stand
from tests.contracts.places import REGION, as_owner

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Remote:
    """Four jobs that do what a script says, over a ledger of this machine."""

    aws: Emulator
    parts: Parts
    way: remote.Way
    said: list[str]
    told: list[Receipt]

    def jobs(self, folder: Path, script: str) -> None:
        """Make all jobs do this."""
        path = folder / f"{uuid4().hex}.py"
        path.write_text(script, encoding="utf-8")
        glue = self.aws.client("glue")
        for name in self.way.names.values():
            command = {"Name": "pythonshell", "ScriptLocation": str(path)}
            glue.create_job(Name=name, Role="r", Command=command, Timeout=60)

    def run(self, **more: Any) -> Any:
        return remote.run(self.parts, self.way, self.told.append, self.said.append, **more)


@pytest.fixture
def far(aws: Emulator, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    as_owner(aws, monkeypatch)
    parts = open_city(root / "cities" / "vancouver", home=tmp_path / "home")
    mark = uuid4().hex[:6]
    names = {part: f"j-{mark}-{part}" for part in ("ingest", "prepare", "structure", "publish")}
    return Remote(aws, parts, remote.Way(GlueJobs(REGION), names, pause=0.05), [], [])


def receipt(step: str, run: str, outcome: Outcome, **details: str) -> Receipt:
    return Receipt(run, step, outcome, "f", "2026-01-01T00:00:00+00:00", 0.1, details=details)


def test_a_job_that_dies_is_told_in_its_own_words(far: Remote, tmp_path: Path) -> None:
    far.jobs(tmp_path, "raise SystemExit('no module named cityline')")
    with pytest.raises(JobFailed, match="failed: no module named cityline") as caught:
        far.run()
    assert caught.value.where == far.way.names["ingest"]
    assert "/aws-glue/jobs" in caught.value.hint
    assert caught.value.exit is ExitCode.CLOUD


@pytest.mark.parametrize(
    ("code", "outcome", "kind"),
    [
        ("SOURCE_UNREACHABLE", Outcome.FAILED, SourceUnreachable),
        ("QUALITY_ERROR", Outcome.BLOCKED, QualityError),
        ("SOMETHING_NEWER", Outcome.FAILED, StepError),
    ],
)
def test_a_step_that_fails_there_is_the_error_it_would_be_here(
    far: Remote, tmp_path: Path, code: str, outcome: Outcome, kind: type[CitylineError]
) -> None:
    """The script tells a failed step in the ledger, as a run does, and fails."""
    step = next(iter(far.parts.folder.sources))
    script = f"""
import os, sys
sys.path[:0] = {[str(Path(wiring.__file__).parents[1]), *_packages()]!r}
from pathlib import Path
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.ledger import SqliteLedger
from cityline.lake.receipt import Outcome, Receipt
SqliteLedger(Path({str(far.parts.home)!r})).record(Receipt(
    os.environ["run"], "ingest/{step}", Outcome.{outcome.name}, "f", "2026-01-01T00:00:00+00:00",
    0.1, details={{"error": "it was so", "code": "{code}", "where": "there"}}))
sys.exit("it was so")
"""
    far.jobs(tmp_path, script)
    assert isinstance(far.parts.ledger, SqliteLedger)
    with pytest.raises(kind, match="it was so") as caught:
        far.run()
    assert type(caught.value) is kind
    assert caught.value.where == "there"
    assert [r.step for r in far.told] == [f"ingest/{step}"]


def _packages() -> list[str]:
    """Where this interpreter's packages are, for a process of another."""
    import sys  # noqa: PLC0415 - only here

    return [p for p in sys.path if "site-packages" in p]


def test_a_job_at_work_is_followed_and_not_started_again(far: Remote, tmp_path: Path) -> None:
    far.jobs(tmp_path, "import time; time.sleep(6)")
    job = far.way.names["ingest"]
    first = far.way.jobs.start(job, {"--run": "r-before"})
    with pytest.raises(StepError, match="left no receipt") as caught:
        far.run()
    assert "cityline runs" in caught.value.hint
    assert far.said[0] == f"{job}: at work already, run {first}"
    assert f"{job}: succeeded" in far.said
    runs = far.aws.client("glue").get_job_runs(JobName=job)["JobRuns"]
    assert [r["Id"] for r in runs] == [first]


def test_steps_that_stood_are_told_as_unchanged(far: Remote, tmp_path: Path) -> None:
    far.jobs(tmp_path, "pass")
    for source in far.parts.folder.sources:
        far.parts.ledger.record(receipt(f"ingest/{source}", "r-old", Outcome.DONE))
    finished = far.run(until="ingest")
    assert {r.outcome for r in finished.receipts} == {Outcome.UNCHANGED}
    assert far.told == list(finished.receipts)
    assert finished.release is None


class Away:
    """A ledger whose bucket is away at first."""

    def __init__(self, ledger: object, times: int) -> None:
        self.ledger, self.times = ledger, times

    def receipts(self, **asked: Any) -> Any:
        if self.times:
            self.times -= 1
            raise StoreUnreachable("the store does not answer", where="here")
        return self.ledger.receipts(**asked)  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)


def test_a_line_that_is_down_for_a_while_does_not_end_the_following(
    far: Remote, tmp_path: Path
) -> None:
    """Neither the job nor its receipts can be looked at then."""
    far.jobs(tmp_path, "pass")
    for source in far.parts.folder.sources:
        far.parts.ledger.record(receipt(f"ingest/{source}", "r-old", Outcome.DONE))
    ledger: Any = Away(far.parts.ledger, 3)
    finished = replace(far, parts=replace(far.parts, ledger=ledger)).run(until="ingest")
    assert {r.outcome for r in finished.receipts} == {Outcome.UNCHANGED}
    assert ledger.times == 0


def test_a_job_that_is_not_there(far: Remote) -> None:
    with pytest.raises(CloudRefused, match="there is no such job") as caught:
        far.run()
    assert "home_region" in caught.value.hint
    assert REGION in caught.value.where


@pytest.fixture(scope="module")
def slow(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A platform whose jobs take two minutes, which no test waits for."""
    work = tmp_path_factory.mktemp("slow")
    made = stand(aws, work / "city", "cityline-slow")
    script = work / "sleep.py"
    script.write_text("import time; time.sleep(120)", encoding="utf-8")
    make_job(made, "ingest", script, {})
    return made


def test_interrupted_the_job_goes_on_and_we_say_how_to_follow_it(
    slow: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.act(monkeypatch, "operator")
    way = wiring.open_way
    monkeypatch.setattr(wiring, "open_way", lambda folder: replace(way(folder), pause=0.2))
    glue = slow.emulator.client("glue")
    job = slow.names.job("ingest")

    def interrupt() -> None:
        while not glue.get_job_runs(JobName=job)["JobRuns"]:
            threading.Event().wait(0.2)
        threading.Event().wait(1)
        os.kill(os.getpid(), signal.SIGINT)

    # a shell's background jobs are born deaf to it
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=interrupt, daemon=True).start()
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        code = run(["run", "--env", "aws", "--city", str(slow.root)])
    signal.signal(signal.SIGINT, before)
    assert code == ExitCode.INTERRUPTED, said.getvalue()
    assert "the job on AWS goes on" in said.getvalue()
    assert "cityline run --env aws" in said.getvalue()
    (there,) = glue.get_job_runs(JobName=job)["JobRuns"]
    assert there["JobRunState"] == "RUNNING"


# -- what AWS refuses ----------------------------------------------------------------------


REFUSALS = {
    "ExpiredTokenException": (CloudSignIn, "have expired", "sign in again"),
    "UnrecognizedClientException": (CloudSignIn, "does not know", "AWS_PROFILE"),
    "AccessDeniedException": (CloudRefused, "AWS denies", "cityline access"),
    "ThrottlingException": (CloudUnreachable, "cannot answer now", "run again"),
    "ResourceNumberLimitExceededException": (CloudRefused, "quota", "Service Quotas"),
    "OperationTimeoutException": (CloudUnreachable, "cannot answer now", "run again"),
    "InvalidInputException": (CloudError, "refused", ""),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_glue_refuses_is_told(
    code: str, aws: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(aws, monkeypatch)
    kind, what, hint = REFUSALS[code]
    asked = client("glue", REGION)
    jobs, tables = GlueJobs(REGION), _tables(tmp_path)
    monkeypatch.setattr(jobs, "_opened", asked)
    monkeypatch.setattr("cityline.adapters.aws.catalog.client", lambda *_: asked)
    with Stubber(asked) as stub:
        for method, ask in (
            ("start_job_run", lambda: jobs.start("a-job", {})),
            ("get_table", lambda: tables.version(Address(Zone.CURATED, "x"))),
        ):
            stub.add_client_error(method, code, "they say so")
            with pytest.raises(kind, match=what) as caught:
                ask()
            assert type(caught.value) is kind
            assert hint in caught.value.hint
            assert caught.value.passing is (kind is CloudUnreachable)
            assert REGION in caught.value.where


def test_no_credentials_and_no_network_are_told(
    aws: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(aws, monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYKNOWS00000")
    with pytest.raises(CloudSignIn, match="does not know these credentials"):
        account(REGION)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CloudSignIn, match="no credentials") as caught:
        account(REGION)
    assert "sign in" in caught.value.hint
    as_owner(aws, monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(CloudUnreachable, match="does not answer"):
        account(REGION)


def test_in_another_region_no_database_is_made(
    aws: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_owner(aws, monkeypatch)
    tables, address = _tables(tmp_path), Address(Zone.CURATED, "x")
    assert tables.snapshots(address) == []
    engine = DuckEngine(FolderStore(tmp_path))
    written = engine.write("SELECT 1 AS a", {}, address.key("data", "0"))
    with pytest.raises(CatalogError, match="no such database") as caught:
        tables.commit(address, written)
    assert "home_region" in caught.value.hint
    assert REGION in caught.value.where
    found = aws.client("glue").get_databases()["DatabaseList"]
    assert "nowhere" not in [d["Name"] for d in found]


def _tables(folder: Path) -> GlueTables:
    return GlueTables(FolderStore(folder), REGION, {Zone.CURATED: "nowhere"})
