"""Portability: every SQL a person wrote, held to what all engines answer alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, get_args

import pyarrow as pa

from cityline.declarations.dqdl import Rule, flatten
from cityline.declarations.folder import Folder
from cityline.declarations.recipe import Recipe
from cityline.dialect import Schemas, Target, emit, lint
from cityline.errors import EngineError, Problem
from cityline.flow.shapes import Shapes, asked, words
from cityline.lake.address import Address
from cityline.ports.cleaning import CleaningPlan

_HEADER = "---*/"
_TARGETS: tuple[Target, ...] = get_args(Target)


def unportable(
    folder: Folder, plans: Mapping[str, CleaningPlan], shapes: Shapes
) -> Iterator[Problem]:
    """Everything in recipes, rules, models and questions that an engine might answer otherwise."""
    types = shapes.types
    for name, plan in plans.items():
        yield from _recipe(folder.recipes[name], plan, shapes.steps[name])
    for address, ruleset in folder.rules.items():
        for rule in flatten(ruleset.rules):
            yield from _rule(rule, address, types)
    told = {problem.file for problem in shapes.problems}
    for file, sql, reads, values in _selects(folder):
        known = {read: types[read] for read in reads if read in types}
        line = _begins(folder, file)
        refusal = _refusal(sql, known, values)
        if refusal is not None:
            found = lint(sql, file, known, first_line=line, parameters=values)
            if not found and file not in told:
                found = [Problem(file, f"line {line}", refusal.what, refusal.hint)]
            yield from found


def _selects(folder: Folder) -> Iterator[tuple[str, str, Sequence[str], Mapping[str, Any]]]:
    """Every model and question: its file, its SQL, what it reads, and values for its parameters."""
    for name, model in folder.models.items():
        yield f"models/{name}.sql", model.sql, model.reads, {}
    for name, question in folder.questions.items():
        yield f"questions/{name}.sql", question.sql, question.reads, asked(question)


def _refusal(sql: str, types: Schemas, values: Mapping[str, Any]) -> EngineError | None:
    """Why an engine could not be asked this, if so."""
    try:
        for target in _TARGETS:
            emit(sql, target, types, parameters=values)
    except EngineError as error:
        return error
    return None


def _begins(folder: Folder, file: str) -> int:
    """The line on which a file's SQL begins, after its header."""
    head, found, rest = (folder.root / file).read_text("utf-8").partition(_HEADER)
    blank = len(rest) - len(rest.lstrip())
    return head.count("\n") + rest[:blank].count("\n") + 1 if found else 1


def _recipe(recipe: Recipe, plan: CleaningPlan, given: Sequence[pa.Table]) -> Iterator[Problem]:
    """Recipes run on DuckDB and Spark; their SQL comes from operations, so a step is refused.
    `given` is what each step finds, up to one that cannot be run."""
    file = f"recipes/{recipe.name}.toml"
    for step, table in zip(plan.steps, given, strict=False):
        written = [*step.assigns.values(), *(r.when for r in step.rejects)]
        if written:
            listed = ", ".join(dict.fromkeys(e.sql for e in written))
            types = {"given": words(table)}
            for problem in lint(f"SELECT {listed} FROM given", file, types, targets=("spark",)):
                what = f"{step.operation} is not portable to Spark: {problem.what}"
                yield Problem(file, f"steps.{step.number - 1}", what, problem.hint)


def _rule(rule: Rule, address: str, types: Schemas) -> Iterator[Problem]:
    """What a person wrote as SQL inside a rule: a CustomSql query, a `where` clause."""
    file = f"policies/quality/{address}.dqdl"
    own = Address.parse(address).table
    wrote = partial(lint, where=file, schemas=types, first_line=rule.line, targets=("spark",))
    if rule.type == "CustomSql":
        yield from wrote(re.sub(r"\bprimary\b", own, rule.arguments[0]).strip().rstrip(";"))
    if rule.where:
        yield from wrote(f"SELECT 1 AS one FROM {own} WHERE {rule.where}")
