"""From a recipe to a plan."""

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
from cityline.ports.cleaning import ROW, CleaningPlan, CleaningStep
from cityline.ports.recipe_sql import columns_after
from cityline.stages.prepare.operations.registry import (
    OPERATIONS,
    Call,
    check_parameters,
)

_ALL_CORRECTIONS = "APPLY_CORRECTIONS"


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
