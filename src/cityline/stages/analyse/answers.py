"""Answering: parameters checked, SQL run once, the table held to what the question declares."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from cityline.declarations.city import Event
from cityline.declarations.question import Question
from cityline.declarations.reading import nearest
from cityline.errors import AnswerRefused, StepError, UsageError
from cityline.lake.answer import Answer, Origin
from cityline.lake.version import Version
from cityline.lake.wording import wording
from cityline.ports.engine import Engine, Tables
from cityline.stages.analyse.periods import Calendar, Window, choose, resolve_years
from cityline.stages.analyse.rewording import spoken

_TOLERANCE = 1e-9


def answer(
    question: Question,
    engine: Engine,
    tables: Tables,
    *,
    calendar: Calendar,
    versions: Mapping[str, Version],
    origins: tuple[Origin, ...],
    parameters: Mapping[str, Any],
    steps: tuple[Mapping[str, Any], ...] = (),
    known: Mapping[str, Collection[str]] | None = None,
    events: Sequence[Event] = (),
    language: str = "en",
) -> Answer:
    """Answer a question, in the language its declaration is written in.

    `calendar` holds the months of the question's source, `versions` the tables it reads, `known`
    the values of columns that were looked up already, by `table.column`. A comparison that would
    not be like for like yields an answer whose `refused` says why. Raises UsageError for a
    parameter that is not known.
    """
    blank = _blank(question, engine, versions, origins, steps)
    try:
        found = _ask(question, engine, tables, calendar, parameters, known or {})
    except AnswerRefused as refused:
        reason = f"{refused.what} ({refused.hint})" if refused.hint else refused.what
        made = replace(blank, parameters=dict(parameters), refused=reason, refusal=refused.reason)
    else:
        _check_sums(question, found.rows)
        made = replace(
            blank,
            rows=tuple(tuple(row.values()) for row in found.rows),
            parameters={k: v for k, v in found.parameters.items() if v is not None},
            period=found.window.period,
            comparison=found.window.comparison,
            milliseconds=found.milliseconds,
            bytes_read=sum(v.bytes for v in versions.values()),
        )
    return spoken(made, question, events, wording(language))


@dataclass(frozen=True, slots=True)
class _Found:
    """What the engine answered, for which months and parameters."""

    window: Window
    parameters: Mapping[str, Any]
    rows: list[dict[str, Any]]
    milliseconds: float


def _ask(
    question: Question,
    engine: Engine,
    tables: Tables,
    months: Calendar,
    parameters: Mapping[str, Any],
    known: Mapping[str, Collection[str]],
) -> _Found:
    values = _values(question, engine, tables, parameters, known)
    years = resolve_years(question, months, parameters)
    window = choose(question, months, years)
    bound = {**years, **values}
    began = time.perf_counter()
    reads = {t: tables[t] for t in question.reads}
    result = engine.query(question.sql, reads, {**bound, **window.parameters()})
    spent = (time.perf_counter() - began) * 1000
    return _Found(window, bound, _rows(question, result), round(spent, 2))


def _blank(
    question: Question,
    engine: Engine,
    versions: Mapping[str, Version],
    origins: tuple[Origin, ...],
    steps: tuple[Mapping[str, Any], ...],
) -> Answer:
    """What every answer to a question has, answered or refused."""
    return Answer(
        question=question.name,
        title=question.title,
        sentence="",
        columns=(),
        rows=(),
        parameters={},
        period=None,
        comparison=None,
        sql=question.sql,
        engine=engine.name,
        milliseconds=0.0,
        bytes_read=0,
        snapshots={t: v.id for t, v in versions.items()},
        origins=origins,
        chart=question.chart.model_dump(),
        notes=question.notes,
        steps=steps,
    )


def _values(
    question: Question,
    engine: Engine,
    tables: Tables,
    asked: Mapping[str, Any],
    looked_up: Mapping[str, Collection[str]],
) -> dict[str, Any]:
    """Filters as the SQL takes them: NULL for all, or a value that occurs."""
    for name in asked:
        if name not in question.parameters:
            told = nearest(name, [*question.parameters]) if question.parameters else "it takes none"
            raise UsageError(f"{question.name} has no parameter {name!r}", hint=told)
    values: dict[str, Any] = {}
    for name, parameter in question.parameters.items():
        if parameter.kind != "value":
            continue
        value = asked.get(name)
        if value in (None, "", "all"):
            values[name] = None
            continue
        known = looked_up.get(parameter.values_from)
        if known is None:
            table, _, column = parameter.values_from.rpartition(".")
            sql = f'SELECT DISTINCT "{column}" AS value FROM {table} WHERE "{column}" IS NOT NULL'
            known = engine.query(sql, {table: tables[table]})["value"].to_pylist()
        if value not in known:
            hint = nearest(str(value), [str(k) for k in known])
            raise UsageError(f"no {name} {value!r}", where=question.name, hint=hint[:300])
        values[name] = value
    return values


def _rows(question: Question, result: pa.Table) -> list[dict[str, Any]]:
    declared = [c.name for c in question.columns]
    if result.column_names != declared:
        told = (
            f"the SQL yields {', '.join(result.column_names)}; declared are {', '.join(declared)}"
        )
        raise StepError(told, where=f"questions/{question.name}.sql", hint="name them alike")
    rows = [{k: _plain(v) for k, v in row.items()} for row in result.to_pylist()]
    if not rows:
        told = "there are no inquiries for this choice"
        raise AnswerRefused(
            told, where=question.name, hint="choose another filter", reason="nothing-counted"
        )
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _check_sums(question: Question, rows: Sequence[Mapping[str, Any]]) -> None:
    """Shares that do not add up betray a join that fanned out."""
    for column in question.columns:
        if column.adds_to is None:
            continue
        sums: dict[Any, float] = defaultdict(float)
        for row in rows:
            if row[column.name] is not None:
                sums[row[column.adds_per] if column.adds_per else None] += row[column.name]
        for group, total in sums.items():
            if not math.isclose(total, column.adds_to, rel_tol=1e-6, abs_tol=_TOLERANCE):
                of = f" of {group}" if group is not None else ""
                told = f"{column.name}{of} adds up to {total:g}, not to {column.adds_to:g}"
                hint = "a join fanned out, or the WHERE clauses differ"
                raise StepError(told, where=f"questions/{question.name}.sql", hint=hint)
