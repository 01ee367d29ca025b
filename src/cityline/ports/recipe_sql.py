"""A recipe's plan as SQL: what a person reads, and what an engine without a faster way runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cityline.ports.cleaning import REASON, ROW, CleaningPlan, CleaningStep

RAW = "raw_"
"""Before a raw column's name: the cell as it came, carried to the end for the quarantine."""


def column(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def columns_after(columns: Sequence[str], step: CleaningStep) -> tuple[str, ...]:
    """The columns there are after a step."""
    present = [*columns, *(c for c in step.assigns if c not in columns)]
    renamed = [step.renames.get(c, c) for c in present]
    return tuple(c for c in renamed if c not in step.drops)


def select_of(plan: CleaningPlan, at: int, relation: str) -> str:
    """Step `at` (from 0) as one SELECT over the relation that holds the step before it."""
    columns = (*plan.columns, ROW)
    for step in plan.steps[:at]:
        columns = columns_after(columns, step)
    step = plan.steps[at]
    raw = tuple(f"{RAW}{c}" for c in plan.columns)
    lines = _columns_of(step, columns)
    lines += [column(c) for c in raw]
    lines.append(f"{_reason(step)} AS {REASON}")
    body = ",\n  ".join(lines)
    return f"-- {step.number}. {step.operation}: {step.why}\nSELECT\n  {body}\nFROM {relation}"


def _columns_of(step: CleaningStep, columns: Sequence[str]) -> list[str]:
    """A step's columns as a SELECT lists them."""
    lines = []
    for name in (*columns, *(c for c in step.assigns if c not in columns)):
        shown = step.renames.get(name, name)
        if shown in step.drops:
            continue
        if name in step.assigns:
            lines.append(f"{step.assigns[name].sql} AS {column(shown)}")
        else:
            lines.append(column(name) if shown == name else f"{column(name)} AS {column(shown)}")
    return lines


def _reason(step: CleaningStep) -> str:
    if step.duplicates:
        d = step.duplicates
        keys = ", ".join([f"{REASON} IS NULL", *map(column, d.keys)])
        again = f"row_number() OVER (PARTITION BY {keys} ORDER BY {ROW}) > 1"
        when = f"WHEN {again} THEN {text(d.reason)}"
        if d.measure:
            m = column(d.measure)
            window = f"OVER (PARTITION BY {keys})"
            differs = (
                f"min({m}) {window} <> max({m}) {window} "
                f"OR count({m}) {window} NOT IN (0, count(*) {window})"
            )
            when = f"WHEN {differs} THEN {text(d.conflict_reason)} {when}"
        return f"CASE WHEN {REASON} IS NOT NULL THEN {REASON} {when} END"
    if step.rejects:
        whens = " ".join(f"WHEN {r.when.sql} THEN {text(r.reason)}" for r in step.rejects)
        return f"coalesce({REASON}, CASE {whens} END)"
    return REASON


def sql_of(plan: CleaningPlan, relation: str = "raw_texts") -> str:
    """The whole plan as one query: every row with its output columns and its reason.

    `relation` must hold the raw columns as texts and `source_row`.
    """
    cells = ", ".join([*map(column, plan.columns), ROW])
    copies = ", ".join(f"{column(c)} AS {column(RAW + c)}" for c in plan.columns)
    first = f"SELECT {cells}, {copies}, CAST(NULL AS VARCHAR) AS {REASON}\nFROM {relation}"
    parts = [f"step_0 AS (\n{first})"]
    for at, step in enumerate(plan.steps):
        parts.append(f"step_{step.number} AS (\n{select_of(plan, at, f'step_{at}')})")
    raw = ", ".join(column(f"{RAW}{c}") for c in plan.columns)
    output = ", ".join(map(column, plan.output))
    body = ",\n".join(parts)
    return f"WITH {body}\nSELECT {output}, {raw}, {REASON}\nFROM step_{len(plan.steps)}"


@dataclass(frozen=True, slots=True)
class Counted:
    """A plan as one SELECT over `raw_texts`: its columns, the raw cells, the reason with the number
    of its step, and by step the names of columns that say whether a cell changed."""

    sql: str
    marks: Mapping[int, tuple[str, ...]]


def counted_sql(plan: CleaningPlan) -> Counted:
    """The plan with what an engine needs to tell each step's effects in the same pass."""
    raw = [column(f"{RAW}{c}") for c in (*plan.columns, ROW)]
    cells = ", ".join(map(column, (*plan.columns, ROW)))
    copies = ", ".join(
        f"{column(c)} AS {r}" for c, r in zip((*plan.columns, ROW), raw, strict=True)
    )
    nothing = f"CAST(NULL AS VARCHAR) AS {REASON}, CAST(NULL AS INTEGER) AS reject_step"
    parts = [f"step_0 AS (SELECT {cells}, {copies}, {nothing} FROM raw_texts)"]
    columns: tuple[str, ...] = (*plan.columns, ROW)
    marks: dict[int, tuple[str, ...]] = {}
    carried: list[str] = []
    for step in plan.steps:
        made = {f"changed_{step.number}_{i}": n for i, n in enumerate(step.assigns)}
        lines = [*_columns_of(step, columns), *raw, *map(column, carried)]
        lines += [_changed(n, step.assigns[n].sql, columns, mark) for mark, n in made.items()]
        reason = _reason(step)
        lines.append(f"{reason} AS {REASON}")
        lines.append(
            f"CASE WHEN {REASON} IS NULL AND ({reason}) IS NOT NULL THEN {step.number} "
            "ELSE reject_step END AS reject_step"
        )
        parts.append(
            f"step_{step.number} AS (SELECT {', '.join(lines)} FROM step_{step.number - 1})"
        )
        carried += made
        marks[step.number] = tuple(made)
        columns = columns_after(columns, step)
    output = ", ".join([*map(column, (n for n in plan.output)), *raw, *map(column, carried)])
    final = f"SELECT {output}, {REASON}, reject_step FROM step_{len(plan.steps)}"
    return Counted(f"WITH {', '.join(parts)} {final}", marks)


def _changed(name: str, sql: str, columns: Sequence[str], mark: str) -> str:
    if name not in columns:
        return f"({sql}) IS NOT NULL AS {column(mark)}"
    old, new = f"CAST({column(name)} AS VARCHAR)", f"CAST({sql} AS VARCHAR)"
    # a whole number read as a decimal one is written with `.0` and is no change
    bare = f"regexp_replace({new}, '\\.0$', '', 'g')"
    another = f"({old} IS DISTINCT FROM {bare} OR contains({old}, '.'))"
    differs = f"{old} IS DISTINCT FROM {new} AND {another}"
    return f"({differs}) AS {column(mark)}"
