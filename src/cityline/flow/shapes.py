"""Shapes: every table a city will have, empty, known from its declarations before there are data.

Recipes, models and questions are run on nothing: DuckDB says the types, and what cannot be run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from cityline.declarations.folder import Folder
from cityline.declarations.question import Question
from cityline.errors import DeclarationError, EngineError, Problem
from cityline.flow.plan import models
from cityline.flow.steps.facts import SYSTEM
from cityline.lake.address import Address, Zone
from cityline.lake.answer import Span
from cityline.ports.cleaning import REASON, ROW, CleaningPlan
from cityline.ports.engine import Engine
from cityline.ports.recipe_sql import RAW, select_of
from cityline.stages.analyse.periods import Window

_KEPT: tuple[tuple[Callable[[pa.DataType], bool], pa.DataType, str], ...] = (
    (pa.types.is_boolean, pa.bool_(), "BOOLEAN"),
    (pa.types.is_date, pa.date32(), "DATE"),
    (pa.types.is_timestamp, pa.timestamp("us"), "TIMESTAMP"),
    (pa.types.is_int64, pa.int64(), "BIGINT"),
    (pa.types.is_integer, pa.int32(), "INTEGER"),
    (pa.types.is_float32, pa.float32(), "FLOAT"),
    # the sum of whole numbers comes as one of these, and a file keeps it as a double
    (lambda kind: kind == pa.decimal128(38, 0), pa.float64(), "DOUBLE"),
    (pa.types.is_floating, pa.float64(), "DOUBLE"),
)
"""What a query yields, what a table keeps it as, and what DuckDB calls that; all else is a text,
but for decimals, which stay what they are."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """`tables` by the name SQL uses, each without rows; one that cannot be known is left out.
    `steps` holds for each recipe what each of its steps finds. `problems` say what cannot be run.
    """

    tables: dict[str, pa.Table] = field(default_factory=dict)
    steps: dict[str, list[pa.Table]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def types(self) -> dict[str, dict[str, str]]:
        """Column types in DuckDB's words, by table."""
        return {name: words(table) for name, table in self.tables.items()}


def shapes(folder: Folder, plans: Mapping[str, CleaningPlan], engine: Engine) -> Shapes:
    """The tables that recipes, by their plans, and models make, and those of the lake itself.
    Questions make none, and are only tried."""
    found = Shapes({name: schema.empty_table() for name, schema in SYSTEM.items()})
    for name, plan in plans.items():
        _clean(found, name, plan, engine)
    try:
        order = models(folder)
    except DeclarationError:  # told by the plan of the steps
        order = []
    for name, model in ((n, folder.models[n]) for n in order if n in folder.models):
        made = _tried(found, f"models/{name}.sql", model.sql, model.reads, engine)
        if made is not None:
            found.tables[Address(Zone.CURATED, name).table] = _table(made)
    for name, question in folder.questions.items():
        file = f"questions/{name}.sql"
        _tried(found, file, question.sql, question.reads, engine, asked(question))
    return found


def asked(question: Question) -> dict[str, Any]:
    """A value for every parameter of a question, when any will do: a year, months, no filter."""
    span = Span(date(2024, 1, 1), date(2024, 12, 1), "2024", complete=True)
    window = Window(span, span if question.period.kind == "compare" else None)
    values = {n: None if p.kind == "value" else 2024 for n, p in question.parameters.items()}
    return {**values, **window.parameters()}


def words(table: pa.Table) -> dict[str, str]:
    """A table's column types in DuckDB's words."""
    return {f.name: _kept(f.type)[1] for f in table.schema}


def _kept(kind: pa.DataType) -> tuple[pa.DataType, str]:
    for fits, kept, word in _KEPT:
        if fits(kind):
            return kept, word
    if pa.types.is_decimal(kind):
        return kind, f"DECIMAL({kind.precision}, {kind.scale})"
    return pa.string(), "VARCHAR"


def _table(made: pa.Table) -> pa.Table:
    """A result of no rows as the table it is kept in."""
    return pa.schema([(f.name, _kept(f.type)[0]) for f in made.schema]).empty_table()


def _clean(found: Shapes, name: str, plan: CleaningPlan, engine: Engine) -> None:
    texts = [*plan.columns, *(f"{RAW}{c}" for c in plan.columns), REASON]
    given = pa.schema([*((c, pa.string()) for c in texts), (ROW, pa.int64())]).empty_table()
    found.steps[name] = []
    for at, step in enumerate(plan.steps):
        found.steps[name].append(given)
        try:
            given = engine.query(select_of(plan, at, "given"), {"given": given})
        except EngineError as error:
            key = f"steps.{step.number - 1}"
            problem = Problem(f"recipes/{name}.toml", key, error.what, error.hint)
            found.problems.append(problem)
            return
    found.tables[Address(Zone.LANDING, name).table] = _table(given.select(plan.output))


def _tried(
    found: Shapes,
    file: str,
    sql: str,
    reads: Sequence[str],
    engine: Engine,
    parameters: Mapping[str, Any] | None = None,
) -> pa.Table | None:
    """What a SELECT yields of empty tables; nothing when one is not known, or it cannot be run."""
    if any(read not in found.tables for read in reads):
        return None
    try:
        return engine.query(sql, {read: found.tables[read] for read in reads}, parameters)
    except EngineError as error:
        found.problems.append(Problem(file, "sql", error.what, error.hint))
        return None
