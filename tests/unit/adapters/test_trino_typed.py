"""What Trino is sent for a typed query, and what is said of what it answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pytest

from cityline.adapters.trino.engine import Coordinator, TrinoEngine
from cityline.errors import CitylineError, EngineError, QueryStopped, SessionLost
from cityline.ports.engine import Limits
from tests.aws.scripted import answering

pytestmark = pytest.mark.engines
trino = pytest.importorskip("trino", reason="Trino's client is not installed")
NUMBERS = {"t": pa.table({"i": [1, 2, 3]})}
TYPED = "SELECT i FROM t ORDER BY i DESC"


class Sent:
    """A connection that keeps what it is given and answers as it was told."""

    def __init__(self, rows: list[list[int]], failure: Exception | None = None) -> None:
        self.rows, self.failure = rows, failure
        self.sql: list[str] = []
        self.within: list[dict[str, str]] = []

    def connect(self, **settings: Any) -> Any:
        self.within.append(settings["session_properties"])
        return SimpleNamespace(cursor=lambda: self)

    def execute(self, sql: str) -> None:
        if self.failure:
            raise self.failure
        self.sql.append(" ".join(sql.split()))

    def fetchall(self) -> list[list[int]]:
        return self.rows

    description = (("i", "bigint"),)


@pytest.fixture
def engine() -> TrinoEngine:
    return TrinoEngine(Coordinator(seconds=90))


def test_a_typed_query_is_cut_on_its_own_and_held_to_its_seconds(
    engine: TrinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Sent([[3], [2], [1]])
    monkeypatch.setattr(trino.dbapi, "connect", sent.connect)
    found = engine.explore(TYPED, NUMBERS, Limits(rows=2, seconds=2.5))
    assert (found.table.to_pylist(), found.truncated) == ([{"i": 3}, {"i": 2}], True)
    assert sent.sql[0].startswith("SELECT t.i AS i FROM (")
    assert sent.sql[0].endswith("ORDER BY i DESC LIMIT 3")
    assert sent.within[0]["query_max_run_time"] == "2500ms"
    engine.query(TYPED, NUMBERS)
    assert sent.sql[1].endswith("ORDER BY i DESC")
    assert "query_max_run_time" not in sent.within[1]
    assert sent.within[1]["query_max_execution_time"] == "90s"


@pytest.mark.parametrize(("asked", "held"), [(2, "2"), (2.5, "2.5"), (0, "0"), (600, "90")])
def test_a_query_that_was_stopped_says_after_how_long(
    engine: TrinoEngine, monkeypatch: pytest.MonkeyPatch, asked: float, held: str
) -> None:
    told = {"errorName": "EXCEEDED_TIME_LIMIT", "errorType": "INSUFFICIENT_RESOURCES"}
    failure = trino.exceptions.TrinoQueryError(told, "q1")
    monkeypatch.setattr(trino.dbapi, "connect", Sent([], failure).connect)
    with pytest.raises(QueryStopped) as stopped:
        engine.explore(TYPED, NUMBERS, Limits(seconds=asked))
    assert stopped.value.what == f"the query took longer than {held} seconds"
    assert stopped.value.hint


def told(engine: TrinoEngine, monkeypatch: pytest.MonkeyPatch, **answered: str) -> CitylineError:
    failure = trino.exceptions.TrinoQueryError(answered, "q1")
    monkeypatch.setattr(trino.dbapi, "connect", Sent([], failure).connect)
    with pytest.raises(CitylineError) as caught:
        engine.query(TYPED, NUMBERS)
    return caught.value


def test_no_worker_and_a_full_queue_are_not_told_as_too_little_memory(
    engine: TrinoEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three are of one type, and two of one name."""
    short, generic = "INSUFFICIENT_RESOURCES", "GENERIC_INSUFFICIENT_RESOURCES"
    waited = "Insufficient active worker nodes. Waited 1.00m for at least 1 workers"
    alone = told(engine, monkeypatch, errorType=short, errorName=generic, message=waited)
    assert (type(alone), alone.passing) == (SessionLost, True)
    assert alone.what == f"Trino lost a worker: {waited}"
    many = "Too many queued queries for 'global'"
    full = told(engine, monkeypatch, errorType=short, errorName="QUERY_QUEUE_FULL", message=many)
    assert type(full) is EngineError
    assert full.what == f"Trino takes no more queries now: {many}"
    large = "Size of hash table cannot exceed 1 billion entries"
    memory = told(engine, monkeypatch, errorType=short, errorName=generic, message=large)
    assert type(memory) is EngineError
    assert memory.what == f"Trino ran out of memory: {large}"


@pytest.mark.parametrize(
    ("status", "body", "kind", "what"),
    [
        (502, "", SessionLost, "Trino does not answer"),
        (503, "", SessionLost, "Trino does not answer"),
        (504, "", SessionLost, "Trino does not answer"),
        (200, "", SessionLost, "Trino does not answer"),
        (404, "Query not found", SessionLost, "Trino no longer knows the query"),
        (404, "no such page", EngineError, "no Trino, or it refuses: error 404: b'no such page'"),
        (401, "who?", EngineError, "no Trino, or it refuses: error 401: b'who?'"),
        (500, "", EngineError, "no Trino, or it refuses: error 500"),
        (200, "<html>", EngineError, "no Trino, or it refuses: "),
    ],
)
def test_whatever_answers_there_is_told(
    status: int, body: str, kind: type[EngineError], what: str
) -> None:
    with answering("application/json", lambda *_: (status, body)) as url:
        engine = TrinoEngine(Coordinator(port=urlsplit(url).port or 0))
        with pytest.raises(EngineError) as caught:
            engine.query(TYPED, NUMBERS)
    assert type(caught.value) is kind
    assert what in caught.value.what
    assert caught.value.where.startswith("127.0.0.1:")
    assert caught.value.hint
