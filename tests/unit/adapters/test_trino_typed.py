"""What Trino is sent for a typed query, and what is said of one that it stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from cityline.adapters.trino.engine import Coordinator, TrinoEngine
from cityline.errors import QueryStopped
from cityline.ports.engine import Limits

trino = pytest.importorskip("trino")
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
