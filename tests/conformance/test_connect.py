"""Spark Connect for real: a city on a server, and a server that goes away and comes back."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.spark.engine import SparkEngine
from cityline.adapters.spark.session import Cluster
from cityline.errors import EngineError, SessionLost, UsageError
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.reading import Reading
from cityline.flow.run import run
from cityline.flow.steps.answer import compute
from cityline.flow.steps.outcome import Done
from cityline.lake.receipt import Receipt
from tests.buckets import same_tables
from tests.conformance.conftest import engines_are_there
from tests.conformance.test_city import opened, structured, told_otherwise
from tests.conformance.test_typed import LONG, STOPPED, WHILE, many, typed
from tests.conftest import Ran
from tests.ports import free_port

if TYPE_CHECKING:
    from tests.conformance.connect import ConnectServer

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConnectServer]:
    """A server over a home that is empty at first."""
    engines_are_there()
    _client_is_there()
    from tests.conformance.connect import ConnectServer  # noqa: PLC0415 - needs pyspark

    home = tmp_path_factory.mktemp("connected")
    (home / "lake").mkdir()
    made = ConnectServer(home, tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.kill()


def _client_is_there() -> None:
    """Looked for and not loaded: the product says first how it is to be used."""
    if find_spec("grpc") is None:
        pytest.skip("Spark Connect's client is not installed")


def at(address: str, home: Path) -> SparkEngine:
    store = FolderStore(home / "lake")
    return SparkEngine(store, home / "incoming", Cluster(address, home, home, str(home)))


def test_a_city_over_connect_and_a_server_that_dies(
    ran: Ran, portal: SamplePortal, server: ConnectServer
) -> None:
    engine = server.engine()
    parts = opened(server.home, portal, engine)
    _dies_under_a_run(server, parts)
    server.start()
    done = structured(parts)
    same_tables((parts, done), (ran.parts, ran.done))
    assert told_otherwise(ran, done) == []
    _answers_alike(ran, replace(parts, asking=engine), done)
    assert "answers" in engine.examine()
    assert "warning" not in engine.examine()

    version = done.tables()["curated.calendar"]
    before = [s.id for s in parts.catalog.snapshots(version.address)]
    _dies_under_a_query(server, engine)
    assert [s.id for s in parts.catalog.snapshots(version.address)] == before
    with pytest.raises(EngineError, match="no Spark Connect server answers"):
        engine.query("SELECT count(*) AS n FROM it", {"it": version})

    server.start()
    again = engine.query("SELECT count(*) AS n FROM it", {"it": version}).to_pylist()
    assert again == [{"n": version.rows}]


def _dies_under_a_run(server: ConnectServer, parts: Parts) -> None:
    """Killed after the first model: what was done until then is kept, nothing is half-made."""
    finished: list[str] = []

    def kill(receipt: Receipt) -> None:
        finished.append(receipt.step)
        if receipt.step.startswith("structure/"):
            server.kill()

    with pytest.raises(SessionLost, match="nothing was promoted"):
        run(parts, kill, until="structure")
    due = [step for step in plan(parts.folder) if step.startswith("structure/")]
    kept = [step for step in due if parts.ledger.last(step)]
    assert kept == due[:1] == finished[-1:]


def _answers_alike(ran: Ran, beyond: Parts, done: Done) -> None:
    reading = Reading(ran.parts, ran.done)
    for name in [*reading.questions][:3]:
        question = reading.folder.questions[name]
        calendar = reading.calendar(question.period.source)
        known = {
            p.values_from: reading.values(p.values_from)
            for p in question.parameters.values()
            if p.kind == "value"
        }
        left, right = (
            compute(parts, name, stands, {}, calendar=calendar, known=known)
            for parts, stands in ((ran.parts, ran.done), (beyond, done))
        )
        assert left.sentence == right.sentence
        assert [*map(list, left.rows)] == [*map(list, right.rows)]


def _dies_under_a_query(server: ConnectServer, engine: SparkEngine) -> None:
    killer = threading.Timer(4, server.kill)
    killer.start()
    began = time.monotonic()
    try:
        with pytest.raises(SessionLost, match="nothing was promoted") as caught:
            engine.query(LONG, many(WHILE))
    finally:
        killer.cancel()
    assert caught.value.passing
    assert caught.value.hint
    assert time.monotonic() - began < 120


def test_a_typed_query_over_connect_is_stopped(server: ConnectServer) -> None:
    if server.process is None:
        server.start()
    assert typed(server.engine()) == STOPPED


def test_a_session_that_is_collected_holds_up_nobody(server: ConnectServer) -> None:
    """Collected by a thread that releases results, it would wait for that thread."""
    if server.process is None:
        server.start()
    engine, other = server.engine(), server.engine()
    for each in (engine, other):
        assert each.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]
    from pyspark.sql.connect.client.reattach import (  # noqa: PLC0415 - an extra
        ExecutePlanResponseReattachableIterator as Shared,
    )

    shared: Any = Shared
    collected = vars(type(other.session()))["__del__"]
    if hasattr(shared, "_get_or_create_release_thread_pool"):  # Spark 4
        releasing = shared._get_or_create_release_thread_pool()
        releasing.submit(collected, other.session()).result(timeout=60)
        assert not releasing._shutdown
    else:
        shared._release_thread_pool.apply_async(collected, [other.session()]).get(timeout=60)
    assert engine.query("SELECT 2 AS two", {}).to_pylist() == [{"two": 2}]


def test_programs_are_started_beside_a_session(server: ConnectServer) -> None:
    """As PySpark starts Java: one in fourteen was aborted before it began."""
    if server.process is None:
        server.start()
    engine = server.engine()
    for _ in range(10):
        assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]
        for _ in range(10):
            ended = subprocess.run(["true"], preexec_fn=int, capture_output=True, check=False)
            assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_server_started_anew_between_queries(server: ConnectServer) -> None:
    if server.process is None:
        server.start()
    engine, tables = server.engine(), many(3)
    sql = "SELECT count(*) AS n FROM t"
    assert engine.query(sql, tables).to_pylist() == [{"n": 3}]
    server.kill()
    server.start()
    with pytest.raises(SessionLost, match="nothing was promoted"):
        engine.query(sql, tables)
    assert engine.query(sql, tables).to_pylist() == [{"n": 3}]
    with pytest.raises(EngineError) as caught:
        engine.query("SELECT n FROM nowhere ORDER BY n", {})
    assert not isinstance(caught.value, SessionLost)


@pytest.mark.parametrize("address", ["sc://", "sc://:15002", "sc://127.0.0.1:notaport"])
def test_an_address_that_is_none(address: str, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed")
    with pytest.raises(UsageError, match="no address"):
        at(address, tmp_path).query("SELECT 1 AS one", {})


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_nobody_answers(host: str, tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="Spark is not installed")
    began = time.monotonic()
    address = f"sc://{host}:{free_port()}"
    with pytest.raises(EngineError, match="no Spark Connect server answers") as caught:
        at(address, tmp_path).query("SELECT 1 AS one", {})
    assert caught.value.where == address
    assert "is it running" in caught.value.hint
    assert time.monotonic() - began < 30


def test_somebody_else_answers(tmp_path: Path) -> None:
    """A web server on that port speaks no gRPC."""
    _client_is_there()
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(SessionLost) as caught:
            at(f"sc://127.0.0.1:{other.server_port}", tmp_path).query("SELECT 1 AS one", {})
        other.shutdown()
    assert caught.value.where.startswith("sc://")


@pytest.mark.parametrize("answered", [0, 1], ids=["before an answer", "within an answer"])
def test_a_server_that_goes_and_comes_back_without_the_query(answered: int, tmp_path: Path) -> None:
    """Each attempt finds it away, or without the query: Spark 3.5's client gives up with an error
    that is none of Spark's and, before any answer, says nothing."""
    _client_is_there()
    from tests.conformance.connect import forgetful  # noqa: PLC0415 - needs pyspark

    with forgetful(answered) as address, pytest.raises(SessionLost) as caught:
        at(address, tmp_path).query("SELECT 1 AS one", {})
    assert caught.value.what == "the Spark session was lost; nothing was promoted"
