"""The jobs as Glue runs them: the script alone, in a fresh Python 3.11 made only from the zip of
wheels, on Spark 3.5.6 with Iceberg 1.10's clients of Glue and S3, each with its own role's keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.flow.plan import plan
from cityline.flow.run import run
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.aws.emulator import Emulator
from tests.aws.glue import JARS, Runner, fresh_python
from tests.aws.running import put_code
from tests.aws.standing import Standing, stand
from tests.buckets import same_tables
from tests.conftest import absent, copy_vancouver

pytestmark = [pytest.mark.aws, pytest.mark.engines, pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def standing(aws: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A platform whose jobs are Spark's."""
    if not all(list(folder.glob("*.jar")) for folder in JARS) or not shutil.which("keytool"):
        absent("Spark's libraries, or Java, are not there: python tools/engines/fetch.py")
    return stand(aws, tmp_path_factory.mktemp("platform") / "city", "cityline-glue", engine="spark")


@pytest.fixture(scope="module")
def glue(standing: Standing, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    work = tmp_path_factory.mktemp("glue")
    return Runner(standing, fresh_python(work), work)


def test_the_jobs_make_the_tables_of_a_run_here(
    standing: Standing,
    glue: Runner,
    portal: SamplePortal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = {"--city": put_code(standing), "--portal": portal.base_url, "--run": "r-glue"}
    for role in ("ingest", "prepare", "structure"):
        done = glue(role, given)
        assert done.returncode == 0, f"{role}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        assert f"✓ {role}" in done.stdout
    standing.act(monkeypatch, "privacy-officer")
    there = open_city(standing.root, environment="aws", home=tmp_path / "officer")
    receipts = there.ledger.receipts(run="r-glue")
    stages = ("ingest", "prepare", "structure")
    assert [r.step for r in reversed(receipts)] == [
        s for s in plan(there.folder) if s.startswith(stages)
    ]
    parts = open_city(copy_vancouver(tmp_path / "here"), portal=portal.base_url)
    wanted = Done(run(parts, lambda _: None, until="structure").receipts)
    for name, version in Done(receipts).tables().items():
        assert there.catalog.version(version.address).id == version.id, name
    same_tables((there, Done(receipts)), (parts, wanted))
    second = glue("structure", given)
    assert second.returncode == 0
    assert "✓ structure" not in second.stdout, "what stands is not done again"


def test_a_job_that_cannot_be_done_tells_glue_why(
    standing: Standing, glue: Runner, portal: SamplePortal
) -> None:
    """The run's message is the last line of what the script raised."""
    given = {"--city": "s3://no-such-bucket-here/x.zip", "--portal": portal.base_url}
    done = glue("prepare", given)
    assert done.returncode != 0
    assert "StoreRefused" in done.stderr.strip().splitlines()[-2]
