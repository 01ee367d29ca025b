"""Running a recipe's plan on Spark: one SELECT per step, the result written once.

Beside each changed column travels whether its cell changed, so that the effects of every step are
counted in the same pass.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cityline.lake.address import Address, Zone
from cityline.lake.version import Version
from cityline.ports.cleaning import (
    REASON,
    ROW,
    Cleaned,
    CleaningPlan,
    StepEffect,
    Texts,
)
from cityline.ports.recipe_sql import RAW, Counted, column, counted_sql

if TYPE_CHECKING:
    from cityline.adapters.spark.engine import SparkEngine

_RAGGED = "the record has the wrong number of cells"


def run_plan(plan: CleaningPlan, texts: Texts, engine: SparkEngine) -> Cleaned:
    """Run every step and account for every row. Raises EngineError for SQL that cannot be run."""
    raw = texts.table.append_column(ROW, pa.chunked_array([texts.rows]))
    raw = raw.cast(
        pa.schema([(n, pa.int64() if n == ROW else pa.string()) for n in raw.column_names])
    )
    counted = counted_sql(plan)
    notes = [mark for several in counted.marks.values() for mark in several]
    done = _written(engine, counted.sql, {"raw_texts": raw}, notes)
    output = ", ".join(map(column, plan.output))
    kept = _written(engine, f"SELECT {output} FROM done WHERE {REASON} IS NULL", {"done": done})
    return Cleaned(
        kept,
        _quarantined(plan, texts, engine, done),
        _effects(plan, counted, engine, done),
        {n: _frequencies(engine, raw, n) for n in plan.columns},
        {n: _frequencies(engine, kept, n) for n in plan.output if n != ROW},
    )


def _written(
    engine: SparkEngine, sql: str, tables: Mapping[str, Any], notes: Collection[str] = ()
) -> Version:
    from uuid import uuid4  # noqa: PLC0415

    name = f"scratch/{uuid4().hex}"
    written = engine.noted(sql, tables, name, notes)
    return Version(Address(Zone.LAKE, "scratch"), "candidate", written.rows, written.files)


def _frequencies(engine: SparkEngine, table: Any, name: str) -> pa.Table:
    sql = f"SELECT {column(name)} AS value, count(*) AS n FROM seen GROUP BY {column(name)}"
    return engine.query(sql, {"seen": table})


def _quarantined(
    plan: CleaningPlan, texts: Texts, engine: SparkEngine, done: Version
) -> pa.Table | Version:
    """Every rejected row: its number, its reason and its cells as they came."""
    import json  # noqa: PLC0415

    cells = ", ".join(column(f"{RAW}{c}") for c in plan.columns)
    sql = (
        f"SELECT {column(RAW + ROW)} AS {ROW}, {REASON} AS reason, {cells} FROM done "
        f"WHERE {REASON} IS NOT NULL ORDER BY {column(RAW + ROW)}"
    )
    found = engine.query(sql, {"done": done}).to_pylist()
    rows = [r[ROW] for r in found] + [n for n, _ in texts.ragged]
    reasons = [r["reason"] for r in found] + [_RAGGED] * len(texts.ragged)
    raw = [
        json.dumps(
            {c: r[f"{RAW}{c}"] for c in plan.columns}, ensure_ascii=False, separators=(",", ":")
        )
        for r in found
    ] + [told for _, told in texts.ragged]
    return pa.table(
        {
            ROW: pa.array(rows, pa.int64()),
            "reason": pa.array(reasons, pa.string()),
            "raw": pa.array(raw, pa.string()),
        }
    )


def _effects(
    plan: CleaningPlan, counted: Counted, engine: SparkEngine, done: Version
) -> tuple[StepEffect, ...]:
    """Rows before and after each step, cells changed, and a sample of each reason."""
    sums = ", ".join(
        f"coalesce(sum(CASE WHEN {column(m)} THEN 1 ELSE 0 END), 0) AS {column(m)}"
        for marks in counted.marks.values()
        for m in marks
    )
    changed = engine.query(
        f"SELECT count(*) AS n{', ' if sums else ''}{sums} FROM done", {"done": done}
    )
    totals = changed.to_pylist()[0]
    reasons = engine.query(
        f"SELECT reject_step AS step, {REASON} AS reason, count(*) AS n, "
        f"min({column(RAW + ROW)}) AS first FROM done "
        f"WHERE {REASON} IS NOT NULL GROUP BY reject_step, {REASON}",
        {"done": done},
    ).to_pylist()
    rows = int(totals["n"])
    told = []
    for step in plan.steps:
        mine = sorted((r for r in reasons if r["step"] == step.number), key=lambda r: r["first"])
        lost = sum(r["n"] for r in mine)
        cells = sum(int(totals[m]) for m in counted.marks.get(step.number, ()))
        samples = tuple({"reason": r["reason"], "row": r["first"]} for r in mine[:5])
        told.append(
            StepEffect(step.number, step.operation, step.why, rows, rows - lost, cells, samples)
        )
        rows -= lost
    return tuple(told)
