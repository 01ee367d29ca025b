"""A query that a person typed, on Spark and on Trino: cut to its first rows, and stopped after its
seconds."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from cityline.errors import QueryStopped
from cityline.ports.engine import Engine, Limits

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]
LONG = "SELECT count(*) AS n FROM t AS a CROSS JOIN t AS b CROSS JOIN t AS c WHERE a.i * b.i < c.i"
WHILE = 3_000
"""Rows that keep LONG busy for a minute, and no longer: Spark's tasks do not look up inside its loop,
so one that was stopped goes on until its end."""
LAST = list(range(49, 39, -1))
FIRST_ROWS = {
    "SELECT i FROM t ORDER BY i DESC": (LAST, True),
    "(SELECT i FROM t ORDER BY i DESC)": (LAST, True),
    "WITH w AS (SELECT i FROM t) SELECT i FROM w ORDER BY i DESC": (LAST, True),
    "SELECT i FROM t WHERE i < 30 UNION ALL SELECT i FROM t WHERE i >= 30 ORDER BY i DESC": (
        LAST,
        True,
    ),
    "(SELECT i FROM t ORDER BY i DESC LIMIT 20) ORDER BY i": (list(range(30, 40)), True),
    "SELECT i FROM t ORDER BY i DESC OFFSET 45": ([4, 3, 2, 1, 0], False),
    "SELECT i FROM t ORDER BY i DESC LIMIT 3 OFFSET 1": ([48, 47, 46], False),
    "SELECT i FROM t ORDER BY i DESC LIMIT 10": (LAST, False),
    "SELECT i FROM t ORDER BY i DESC LIMIT 20": (LAST, True),
}
"""Typed queries over fifty rows, and what is given of each when ten may be."""


def many(rows: int) -> dict[str, pa.Table]:
    return {"t": pa.table({"i": pa.array(range(rows), pa.int64())})}


STOPPED = [FIRST_ROWS, "the query took longer than 2 seconds", [{"one": 1}]]
"""What `typed` gives when all is well."""


def typed(engine: Engine) -> list[Any]:
    """How a query is cut to its rows, what one that takes too long is told, and a query after it."""
    given = {sql: engine.explore(sql, many(50), Limits(rows=10, seconds=60)) for sql in FIRST_ROWS}
    cut = {sql: (g.table.column("i").to_pylist(), g.truncated) for sql, g in given.items()}
    with pytest.raises(QueryStopped) as caught:
        engine.explore(LONG, many(WHILE), Limits(seconds=2))
    after = engine.query("SELECT 1 AS one", {}).to_pylist()
    return [cut, caught.value.what, after]


def test_a_typed_query_in_process(spark: Engine) -> None:
    assert typed(spark) == STOPPED


def test_a_typed_query_on_trino(trino: Engine) -> None:
    assert typed(trino) == STOPPED
