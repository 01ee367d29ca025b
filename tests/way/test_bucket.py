"""The way with its lake in a bucket of a real server: the same answers, and its faults."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import StoreError, StoreRefused, StoreUnreachable
from cityline.flow.doctoring import examine
from cityline.flow.parts import Parts
from cityline.flow.run import run
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.engine import Limits
from tests.buckets import bucket_city, opened, same_tables
from tests.conftest import TODAY, Ran, copy_vancouver, run_city
from tests.s3server import Server, s3_server

pytestmark = [pytest.mark.engines, pytest.mark.timeout(1800)]
LATER = date(2026, 9, 17)
"""A day by which the portal has another month."""


def quietly(_: Receipt) -> None:
    """Nobody listens."""


def standing(parts: Parts) -> Done:
    """What readers see."""
    current = parts.ledger.current()
    assert current is not None
    return Done(current.receipts.values())


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """The same city in a folder."""
    return run_city(copy_vancouver(tmp_path_factory.mktemp("folder") / "city"), portal)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal, s3: Server) -> Ran:
    """The city in a bucket."""
    folder = bucket_city(tmp_path_factory.mktemp("bucket") / "city", s3)
    parts = opened(folder, portal)
    return Ran(folder, parts, run(parts, quietly))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill; it knows the same keys."""
    with s3_server(tmp_path / "server") as server:
        yield server


def test_a_city_in_a_bucket_has_the_same_tables_and_answers(here: Ran, there: Ran) -> None:
    same_tables((there.parts, there.done), (here.parts, here.done))
    for name in here.parts.folder.questions:
        found, wanted = (load(r.parts, name, r.done) for r in (there, here))
        assert (found.rows, found.sentence) == (wanted.rows, wanted.sentence), name
    assert not (there.parts.home / "lake").exists(), "nothing of the lake is in the home"
    assert {f.check: f.fine for f in examine(there.parts)}["lake"]


def test_a_second_run_does_nothing(there: Ran) -> None:
    assert not run(there.parts, quietly).changed


def test_what_is_in_the_bucket_is_enough_to_read(there: Ran, portal: SamplePortal) -> None:
    shutil.rmtree(there.parts.home / "cache" / "lake")
    fresh = opened(there.folder, portal)
    done = standing(fresh)
    name, version = next((n, v) for n, v in done.tables().items() if n == "curated.volume")
    assert fresh.catalog.version(version.address) == version
    found = fresh.asking.query(f"SELECT count(*) AS n FROM {name}", {name: version})
    assert found.to_pylist() == [{"n": version.rows}]
    typed = fresh.asking.explore(f"SELECT count(*) AS n FROM {name}", {name: version}, Limits())
    assert typed.table.to_pylist() == [{"n": version.rows}]
    raw = fresh.store.read(done.version("raw/inquiry-volume").files[0].key)
    assert raw.startswith(b"\xef\xbb\xbf")


def test_another_bucket_is_not_taken_for_this_one(
    there: Ran, portal: SamplePortal, s3: Server
) -> None:
    settings = there.folder / "environments" / "bucket.toml"
    text = settings.read_text(encoding="utf-8")
    other = s3.bucket("another-lake")
    named = there.parts.store.locate("").split("/")[2]
    try:
        settings.write_text(text.replace(named, other), encoding="utf-8")
        with pytest.raises(StoreError, match="lie in another lake") as caught:
            run(opened(there.folder, portal), quietly)
        assert "a home of its own" in caught.value.hint
    finally:
        settings.write_text(text, encoding="utf-8")


def test_a_denied_write_leaves_the_old_state(
    tmp_path: Path, s3: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bucket_city(tmp_path / "city", s3)
    with SamplePortal(today=TODAY) as now:
        first = run(opened(folder, now), quietly)
    bucket = opened(folder, now).folder.environment.lake.bucket  # type: ignore[union-attr]
    for name, value in s3.user("clerk").items():
        monkeypatch.setenv(name, value)
    reading = ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"]
    everything = [*reading, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    s3.policy(bucket, "clerk", allow=everything, deny=["s3:PutObject"])
    with SamplePortal(today=LATER) as later:
        parts = opened(folder, later)
        with pytest.raises(StoreRefused, match="denies") as caught:
            run(parts, quietly)
        assert not caught.value.passing
        assert caught.value.where.startswith(f"s3://{bucket}/city/lake/raw/")
        current = parts.ledger.current()
        assert current is not None
        assert first.release is not None
        assert current.id == first.release.id
        load(parts, "departments", standing(parts))
        s3.policy(bucket, "clerk", allow=everything, deny=[])
        assert run(parts, quietly).changed
    versions = s3.client().list_object_versions(Bucket=bucket, Prefix="city/lake/scratch/")
    assert "Versions" not in versions


@pytest.mark.slow
def test_a_server_that_dies_in_a_run_is_an_error_in_time_and_the_old_state_stays(
    tmp_path: Path, own: Server, s3: Server
) -> None:
    assert s3.keys == own.keys
    folder = bucket_city(tmp_path / "city", own, deadline=4)
    with SamplePortal(today=TODAY) as now:
        first = run(opened(folder, now), quietly)
    with SamplePortal(today=LATER) as later:
        parts = opened(folder, later)
        for stage, fault in (("ingest", own.kill), ("prepare", own.pause), ("structure", own.kill)):
            began: list[float] = []

            def strike(
                receipt: Receipt,
                stage: str = stage,
                fault: object = fault,
                began: list[float] = began,
            ) -> None:
                if receipt.stage == stage and not began:
                    began.append(time.monotonic())
                    fault()  # type: ignore[operator]

            with pytest.raises(StoreUnreachable) as caught:
                run(parts, strike)
            assert time.monotonic() - began[0] < 4 + 4 + 30, "a bounded time, steps included"
            assert caught.value.passing
            current = parts.ledger.current()
            assert current is not None
            assert first.release is not None
            assert current.id == first.release.id, "readers see what they saw"
            own.resume() if own.process else own.start()
            standing_rows = parts.asking.query(
                "SELECT count(*) AS n FROM curated.volume", standing(parts).tables()
            ).to_pylist()
            assert standing_rows == [{"n": standing(parts).version("curated/volume").rows}]
        finished = run(parts, quietly)
        assert finished.changed
        same = run_city(copy_vancouver(tmp_path / "folder"), later)
    same_tables((parts, Done(finished.receipts)), (same.parts, same.done))


@pytest.mark.slow
def test_a_minute_without_the_store_is_waited_for(
    tmp_path: Path, own: Server, s3: Server, portal: SamplePortal
) -> None:
    assert s3.keys == own.keys
    folder = bucket_city(tmp_path / "city", own, deadline=120)
    began: list[float] = []

    def strike(receipt: Receipt) -> None:
        if receipt.stage == "prepare" and not began:
            began.append(time.monotonic())
            own.kill()
            threading.Timer(60, own.start).start()

    finished = run(opened(folder, portal), strike)
    assert finished.release is not None
    assert time.monotonic() - began[0] >= 60


_DIES = """
import os, signal, sys
from pathlib import Path
from cityline.adapters.aws.store import S3Store
from cityline.flow.run import run
from cityline.wiring import open_city

left, adopt = [int(sys.argv[3])], S3Store.adopt

def until(self, path, key):
    if "/data/" in key:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    adopt(self, path, key)

S3Store.adopt = until
run(open_city(Path(sys.argv[1]), environment="bucket", portal=sys.argv[2]), lambda _: None)
"""


@pytest.mark.slow
def test_a_run_killed_between_the_files_of_a_candidate(
    tmp_path: Path, s3: Server, portal: SamplePortal, here: Ran
) -> None:
    folder = bucket_city(tmp_path / "city", s3)
    for files in (1, 3, 6):  # of nine and more: within a table, and between tables
        done = subprocess.run(
            [sys.executable, "-c", _DIES, str(folder), portal.base_url, str(files)],
            capture_output=True,
            check=False,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
    parts = opened(folder, portal)
    assert parts.ledger.current() is None
    finished = run(parts, quietly)
    tables = Done(finished.receipts)
    same_tables((parts, tables), (here.parts, here.done))
    written = [r for r in finished.receipts if r.outcome is Outcome.DONE]
    for version in (v for r in written if r.stage in ("prepare", "structure") for v in r.versions):
        lying = set(parts.store.keys(version.address.key("data")))
        past = [parts.catalog.version(version.address, s.id)
                for s in parts.catalog.snapshots(version.address)]  # fmt: skip
        assert lying == {f.key for v in past for f in v.files}, "the never committed is swept"
