"""Every operation on real values in the real engine; parameters can never become SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityline.adapters.local.engine import DuckEngine
from cityline.errors import DeclarationError
from cityline.lake.version import Version
from cityline.ports.cleaning import REASON, ROW, Cleaned, CleaningPlan
from cityline.stages.prepare import sql_of, to_databrew
from cityline.stages.prepare.operations import OPERATIONS
from tests.operations import CORRECTIONS, Case, cases, compiled, recipe, texts


def cleaned(engine: DuckEngine, plan: CleaningPlan, *rows: tuple[str, str]) -> Cleaned:
    return engine.clean(plan, texts(*rows))


def held(done: Cleaned) -> pa.Table:
    """The kept rows, which DuckDB holds as a table."""
    assert not isinstance(done.kept, Version)
    return done.kept


@pytest.mark.parametrize("case", cases(), ids=lambda c: c.operation)
def test_an_operation_does_what_it_says(engine: DuckEngine, case: Case) -> None:
    done = cleaned(engine, case.plan(), *case.rows)
    wanted = [
        {n: pytest.approx(v) if isinstance(v, float) else v for n, v in row.items()}
        for row in case.kept
    ]
    assert held(done).to_pylist() == wanted
    assert sorted(done.quarantined["reason"].to_pylist()) == sorted(case.reasons)


def test_every_operation_has_a_case() -> None:
    assert {c.operation for c in cases()} == set(OPERATIONS)


def test_a_day_beyond_pythons_years_is_told_as_it_stands(engine: DuckEngine) -> None:
    plan = compiled(recipe(("CHANGE_DATA_TYPE", {"sourceColumn": "a", "columnDataType": "date"})))
    done = cleaned(engine, plan, ("10000-2-29", ""), ("0044-03-15 (BC)", ""))
    assert [s["after"] for s in done.effects[0].samples] == ["10000-02-29", "-0043-03-15"]


@pytest.mark.parametrize(
    ("step", "cells"),
    [
        (("PARSE_MONTH", {"sourceColumn": "a"}), ["infinity", "epoch", "24-02"]),
        (("PARSE_DATE", {"sourceColumn": "a", "order": "dmy"}), ["-infinity", "epoch", "31/12/99"]),
        (("PARSE_TIMESTAMP", {"sourceColumn": "a", "order": "mdy", "timeZone": "UTC"}),
         ["infinity", "epoch", "12/31/99 11:59:59 PM"]),
    ],
)  # fmt: skip
def test_what_only_an_engine_would_read_as_a_day_is_quarantined(
    engine: DuckEngine, step: tuple[str, dict[str, Any]], cells: list[str]
) -> None:
    done = cleaned(engine, compiled(recipe(step)), *((c, "") for c in cells))
    assert (held(done).num_rows, done.quarantined.num_rows) == (0, 3)


def test_milliseconds_beyond_all_years_are_quarantined(engine: DuckEngine) -> None:
    step = {"sourceColumn": "a", "order": "epoch-ms", "timeZone": "UTC"}
    plan = compiled(recipe(("PARSE_TIMESTAMP", step)))
    done = cleaned(engine, plan, ("9999999999999999", ""), ("0", ""), ("-9223372036854775808", ""))
    assert done.quarantined["reason"].to_pylist() == ["a: not a time"] * 2
    assert held(done)["a"].to_pylist() == [datetime(1970, 1, 1)]


def test_corrections_and_renames_keep_the_published_value(engine: DuckEngine) -> None:
    steps = [("APPLY_CORRECTIONS", {}), ("APPLY_RENAMES", {"sourceColumn": "a"})]
    plan = compiled(recipe(*steps, output=("a", "now")), CORRECTIONS)
    done = cleaned(engine, plan, ("Sanitaton", "2014"), ("Sanitaton", "2015"), ("Solid Waste", ""))
    assert held(done).to_pylist() == [
        {"a": "Sanitation", "now": "Sanitation"},
        {"a": "Sanitaton", "now": "Sanitaton"},
        {"a": "Solid Waste", "now": "Sanitation"},
    ]
    assert done.effects[0].cells_changed == 1
    assert plan.steps[0].expected == (1, 1)


def test_every_problem_of_a_recipe_is_told_with_its_key() -> None:
    made = recipe(
        ("UPERCASE", {"sourceColumn": "a"}),
        ("UPPER_CASE", {"sourceColum": "a"}),
        ("UPPER_CASE", {"sourceColumn": "aa"}),
        ("EXTRACT_PATTERN", {"sourceColumn": "a", "pattern": "["}),
        ("LEFT", {"sourceColumn": "a", "position": "two"}),
        ("CHANGE_DATA_TYPE", {"sourceColumn": "a", "columnDataType": "intger"}),
        output=("a", "zz"),
    )
    with pytest.raises(DeclarationError) as caught:
        compiled(made)
    told = {(p.key, p.hint) for p in caught.value.problems}
    assert ("steps.0.operation", "did you mean 'UPPER_CASE'?") in told
    assert ("steps.1.parameters.sourceColum", "did you mean 'sourceColumn'?") in told
    assert ("steps.2.parameters.sourceColumn", "did you mean 'a'?") in told
    assert {"steps.3.parameters.pattern", "steps.4.parameters.position", "output"} <= {
        k for k, _ in told
    }
    assert ("steps.5.parameters.columnDataType", "did you mean 'integer'?") in told


def test_a_recipe_of_databrews_operations_becomes_its_json() -> None:
    made = recipe(("UPPER_CASE", {"sourceColumn": "a"}), ("DELETE", {"sourceColumns": ["b"]}))
    assert to_databrew(made) == [
        {"Action": {"Operation": "UPPER_CASE", "Parameters": {"sourceColumn": "a"}}},
        {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumns": '["b"]'}}},
    ]
    with pytest.raises(DeclarationError, match="DataBrew has no PARSE_MONTH"):
        to_databrew(recipe(("PARSE_MONTH", {"sourceColumn": "a"})))


def test_there_are_enough_operations_with_databrews_names() -> None:
    assert sum(not o.own for o in OPERATIONS.values()) >= 60


CELL = st.one_of(
    st.sampled_from(["", " ", "5", "5 ", "05", "-3", "2.0", "x", "N/A", "é", "e\u0301", "1,000"]),
    st.text(alphabet="ab 1,;'\"", max_size=4),
)
STEPS = st.lists(
    st.sampled_from(
        [
            ("STANDARDIZE_TEXT", {"sourceColumns": ["a", "b"]}),
            ("UPPER_CASE", {"sourceColumn": "a"}),
            ("NULL_WORDS", {"sourceColumn": "b", "words": ["N/A"]}),
            ("REMOVE_MISSING", {"sourceColumn": "a"}),
            ("REMOVE_INVALID", {"sourceColumn": "b", "columnDataType": "integer"}),
            ("FILL_WITH_CUSTOM", {"sourceColumn": "a", "value": "?"}),
            ("DELETE_DUPLICATE_ROWS", {"duplicateColumns": ["a", "b"]}),
            ("REMOVE_DUPLICATES", {"sourceColumn": "b"}),
            ("RESOLVE_DUPLICATES", {"keyColumns": ["a"], "measureColumn": "b"}),
            ("ADD_SUFFIX", {"sourceColumn": "b", "pattern": "'"}),
        ]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=12), steps=STEPS)
def test_cleaning_the_distinct_values_equals_the_sql_a_person_reads(
    rows: list[tuple[str, str]], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    """The engine's fast way against the recipe's own SQL, row by row, reasons included."""
    merged = ("MERGE", {"sourceColumns": ["a", "b"], "delimiter": "|", "targetColumn": "m"})
    plan = compiled(recipe(*steps, merged, output=("a", "b", "m", ROW)))
    fast = ENGINE.clean(plan, texts(*rows))
    raw = pa.table(
        {
            "a": pa.array([r[0] for r in rows], pa.string()),
            "b": pa.array([r[1] for r in rows], pa.string()),
            ROW: pa.array(range(1, len(rows) + 1), pa.int64()),
        }
    )
    slow = ENGINE.query(sql_of(plan), {"raw_texts": raw}).to_pylist()
    kept = sorted((r for r in slow if r[REASON] is None), key=lambda r: r[ROW])
    wanted = [{c: r[c] for c in plan.output} for r in kept]
    assert sorted(held(fast).to_pylist(), key=lambda r: r[ROW]) == wanted
    away = {r[ROW]: r[REASON] for r in slow if r[REASON] is not None}
    assert {r[ROW]: r["reason"] for r in fast.quarantined.to_pylist()} == away
    assert held(fast).num_rows + fast.quarantined.num_rows == len(rows)


def _engine() -> DuckEngine:
    from pathlib import Path  # noqa: PLC0415 - one use

    from cityline.adapters.local.store import FolderStore  # noqa: PLC0415

    return DuckEngine(FolderStore(Path("unused")))


ENGINE = _engine()
