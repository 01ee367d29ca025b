"""Random portable SQL: every engine answers it alike, or none does.

CITYLINE_RANDOM says how many queries are asked, CITYLINE_SEED which ones; without them those that the
page of the matrix tells of. A failure names the seed, and the smallest query that still differs.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.dialect import lint
from cityline.dialect.functions import FUNCTIONS, REFUSED
from cityline.ports.engine import Engine
from tests.conformance import data, differences
from tests.conformance.generator import AGGREGATES, GRAMMAR, LEFT_OUT, WINDOWS, Maker
from tests.conformance.matrix import Cell
from tests.conformance.page import record

SEED = os.environ.get("CITYLINE_SEED", "cityline")
COUNT = int(os.environ.get("CITYLINE_RANDOM", "120"))
ANY = bool({"CITYLINE_RANDOM", "CITYLINE_SEED"} & set(os.environ))
TABLES = {"t": data.rows(), "hard": data.hard()}
SCHEMAS = {
    "t": {"id": "BIGINT", "g": "VARCHAR", "s": "VARCHAR", "r": "VARCHAR", "n": "BIGINT",
          "m": "INTEGER", "x": "DOUBLE", "y": "DOUBLE", "d": "DATE", "e": "DATE",
          "ts": "TIMESTAMP", "b": "BOOLEAN"},
    "hard": {"id": "BIGINT", "g": "VARCHAR", "q": "INTEGER", "k": "BIGINT", "c": "DECIMAL(12, 2)",
             "p": "DECIMAL(9, 4)", "z": "DOUBLE", "w": "DOUBLE", "s": "VARCHAR", "d": "DATE",
             "ts": "TIMESTAMP", "b": "BOOLEAN"},
}  # fmt: skip


@pytest.mark.engines
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", ["spark", "trino"])
def test_random_queries_are_answered_alike(
    name: str, duck: DuckEngine, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(name)
    found = differences.search(SEED, range(COUNT), duck, [engine], TABLES)
    verdict = "different" if found.differences else "identical"
    told = f"{found.asked} queries of the seed {SEED}"
    if not ANY:
        record([Cell("random", told, engine.name, verdict)])  # type: ignore[arg-type]
    assert not found.differences, "\n".join([engine.name, *found.differences])
    answered = found.told["alike"] + found.told["tolerance"]
    assert answered >= 0.8 * sum(found.told.values()), found.told


@pytest.mark.engines
def test_a_planted_difference_would_be_found(duck: DuckEngine) -> None:
    class Wrong(DuckEngine):
        """Answers NULL for empty texts, as one engine that was seen does."""

        name = "wrong"

        def query(self, sql: str, tables: Any, parameters: Any = None) -> pa.Table:
            table = super().query(sql, tables, parameters)
            columns = [
                pa.array([None if v == "" else v for v in table.column(n).to_pylist()], f.type)
                if pa.types.is_string(f.type)
                else table.column(n)
                for n, f in zip(table.column_names, table.schema, strict=True)
            ]
            return pa.table(columns, names=table.column_names)

    found = differences.search("planted", range(40), duck, [Wrong(duck._store)], TABLES)
    assert found.differences
    least = min(found.differences, key=len)
    assert "seed planted-" in least
    assert len(least.splitlines()[-1]) < 200, "it was not shrunk"


def test_a_seed_makes_the_same_queries() -> None:
    one, other = ([Maker(f"s-{n}").query().sql() for n in range(50)] for _ in range(2))
    assert one == other
    assert len(set(one)) == 50


def test_what_is_generated_is_portable() -> None:
    """Nearly all of it: what a query refuses, no engine is asked."""
    told: Counter[str] = Counter()
    for number in range(60):
        for query in list(Maker(f"lint-{number}").query().alone())[:2]:
            problems = lint(query.sql(), "random", SCHEMAS)
            told["refused" if problems else "portable"] += 1
    assert told["refused"] <= 0.05 * told["portable"], told


def test_every_portable_function_is_asked() -> None:
    rules = {**GRAMMAR, "aggregates": AGGREGATES, "windows": WINDOWS}
    asked = differences.functions_asked(rules) | {"coalesce", "ifnull", "nullif", "if"}
    asked |= {"greatest", "least"}
    portable = {n for n, f in FUNCTIONS.items() if REFUSED not in (f.spark, f.trino)}
    assert portable - asked - set(LEFT_OUT) == set()
