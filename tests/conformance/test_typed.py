"""A query that a person typed, on Spark: cut to its rows, and stopped after its seconds."""

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


def many(rows: int) -> dict[str, pa.Table]:
    return {"t": pa.table({"i": pa.array(range(rows), pa.int64())})}


STOPPED = [(10, True), "the query took longer than 2 seconds", [{"one": 1}]]
"""What `typed` gives when all is well."""


def typed(engine: Engine) -> list[Any]:
    """How a query is cut to its rows, what one that takes too long is told, and a query after it."""
    few = engine.explore("SELECT i FROM t ORDER BY i", many(50), Limits(rows=10, seconds=60))
    with pytest.raises(QueryStopped) as caught:
        engine.explore(LONG, many(WHILE), Limits(seconds=2))
    after = engine.query("SELECT 1 AS one", {}).to_pylist()
    return [(few.table.num_rows, few.truncated), caught.value.what, after]


def test_a_typed_query_in_process(spark: Engine) -> None:
    assert typed(spark) == STOPPED
