"""From a recipe to a plan, and from a plan to SQL a person can read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from cityline.declarations.corrections import Corrections
from cityline.declarations.reading import nearest
from cityline.declarations.recipe import Recipe, RecipeStep
from cityline.declarations.source import Source
from cityline.errors import DeclarationError, Problem
from cityline.ports.cleaning import REASON, ROW, CleaningPlan, CleaningStep
from cityline.stages.prepare.operations.registry import (
    OPERATIONS,
    Call,
    check_parameters,
    column,
    text,
)

_ALL_CORRECTIONS = "APPLY_CORRECTIONS"
_RAW = "raw_"


def compile_recipe(
    recipe: Recipe, source: Source, corrections: Corrections, as_of: date
) -> CleaningPlan:
    """Turn a recipe into a plan. `as_of` is the day of the extract: later months are the future.

    Raises DeclarationError with every problem in the recipe.
    """
    where = f"recipes/{recipe.name}.toml"
    columns: tuple[str, ...] = (*source.columns, ROW)
    steps: list[CleaningStep] = []
    problems: list[Problem] = []
    for at, (step, expected) in enumerate(_expanded(recipe, corrections), 1):
        known = OPERATIONS.get(step.operation)
        if known is None:
            told = nearest(step.operation, [*OPERATIONS])
            what = f"unknown operation {step.operation!r}"
            problems.append(Problem(where, f"steps.{at - 1}.operation", what, told))
            continue
        call = Call(at, known, step.parameters, columns, corrections, as_of, where)
        faults = check_parameters(call)
        if faults:
            problems += faults
            continue
        try:
            known.build(call)
        except DeclarationError as error:
            problems += error.problems
            continue
        steps.append(call.finish(step.why, expected))
        columns = columns_after(columns, steps[-1])
    problems += _check_output(recipe, columns, where)
    if problems:
        raise DeclarationError(problems)
    return CleaningPlan(source.columns, tuple(steps), recipe.output)


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
    raw = tuple(f"{_RAW}{c}" for c in plan.columns)
    lines = []
    for name in (*columns, *(c for c in step.assigns if c not in columns)):
        shown = step.renames.get(name, name)
        if shown in step.drops:
            continue
        if name in step.assigns:
            lines.append(f"{step.assigns[name].sql} AS {column(shown)}")
        else:
            lines.append(column(name) if shown == name else f"{column(name)} AS {column(shown)}")
    lines += [column(c) for c in raw]
    lines.append(f"{_reason(step)} AS {REASON}")
    body = ",\n  ".join(lines)
    return f"-- {step.number}. {step.operation}: {step.why}\nSELECT\n  {body}\nFROM {relation}"


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
    copies = ", ".join(f"{column(c)} AS {column(_RAW + c)}" for c in plan.columns)
    first = f"SELECT {cells}, {copies}, CAST(NULL AS VARCHAR) AS {REASON}\nFROM {relation}"
    parts = [f"step_0 AS (\n{first})"]
    for at, step in enumerate(plan.steps):
        parts.append(f"step_{step.number} AS (\n{select_of(plan, at, f'step_{at}')})")
    raw = ", ".join(column(f"{_RAW}{c}") for c in plan.columns)
    output = ", ".join(map(column, plan.output))
    body = ",\n".join(parts)
    return f"WITH {body}\nSELECT {output}, {raw}, {REASON}\nFROM step_{len(plan.steps)}"


def to_databrew(recipe: Recipe) -> list[dict[str, Any]]:
    """The recipe as DataBrew's JSON actions.

    Raises DeclarationError naming the operations DataBrew does not have.
    """
    problems = [
        Problem(f"recipes/{recipe.name}.toml", f"steps.{at}", f"DataBrew has no {step.operation}")
        for at, step in enumerate(recipe.steps)
        if step.operation not in OPERATIONS or OPERATIONS[step.operation].own
    ]
    if problems:
        raise DeclarationError(problems)
    return [
        {"Action": {"Operation": s.operation, "Parameters": _as_texts(s.parameters)}}
        for s in recipe.steps
    ]


def _as_texts(parameters: dict[str, Any]) -> dict[str, str]:
    """DataBrew takes texts only; lists and tables are JSON in a text."""
    return {
        k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)
        for k, v in parameters.items()
    }


def _expanded(
    recipe: Recipe, corrections: Corrections
) -> Iterator[tuple[RecipeStep, tuple[int, int] | None]]:
    """The recipe's steps, with one step for each known error where it says APPLY_CORRECTIONS."""
    for step in recipe.steps:
        if step.operation != _ALL_CORRECTIONS:
            yield step, None
            continue
        for at, known in enumerate(corrections.corrections):
            yield (
                RecipeStep(
                    operation="APPLY_CORRECTION", parameters={"correction": at}, why=known.reason
                ),
                known.expect_rows,
            )


def _check_output(recipe: Recipe, columns: Sequence[str], where: str) -> Iterator[Problem]:
    wanted = {
        "output": recipe.output,
        "partition_by": recipe.partition_by,
        "order_by": recipe.order_by,
        "measure": (recipe.measure,) if recipe.measure else (),
        "descriptions": tuple(recipe.descriptions),
    }
    for key, names in wanted.items():
        known = columns if key == "output" else recipe.output
        for name in names:
            if name not in known:
                told = nearest(name, [*known])
                yield Problem(where, key, f"there is no column {name!r} in the end", told)
