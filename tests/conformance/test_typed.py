"""A query that a person typed, on Spark: cut to its rows, and stopped after its seconds."""

from __future__ import annotations

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


def is_stopped(engine: Engine) -> None:
    few = engine.explore("SELECT i FROM t ORDER BY i", many(50), Limits(rows=10, seconds=60))
    assert (few.table.num_rows, few.truncated) == (10, True)
    with pytest.raises(QueryStopped, match="longer than 2 seconds"):
        engine.explore(LONG, many(WHILE), Limits(seconds=2))
    assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]


def test_a_typed_query_in_process(spark: Engine) -> None:
    is_stopped(spark)
