"""Portability: every SQL a person wrote, held to what all engines answer alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from cityline.declarations.dqdl import Rule, flatten
from cityline.declarations.folder import Folder
from cityline.declarations.recipe import Recipe
from cityline.dialect import lint
from cityline.errors import Problem
from cityline.lake.address import Address
from cityline.ports.cleaning import CleaningPlan

_HEADER = "---*/"


def unportable(folder: Folder, plans: dict[str, CleaningPlan]) -> Iterator[Problem]:
    """Everything in recipes, rules, models and questions that an engine might answer otherwise."""
    for name, plan in plans.items():
        yield from _recipe(folder.recipes[name], plan)
    for address, ruleset in folder.rules.items():
        for rule in flatten(ruleset.rules):
            yield from _rule(rule, address)
    for kind, sqls in (
        ("models", {n: m.sql for n, m in folder.models.items()}),
        ("questions", {n: q.sql for n, q in folder.questions.items()}),
    ):
        for name, sql in sqls.items():
            file = f"{kind}/{name}.sql"
            yield from lint(sql, file, first_line=_begins(folder, file))


def _begins(folder: Folder, file: str) -> int:
    """The line on which a file's SQL begins, after its header."""
    head, found, rest = (folder.root / file).read_text("utf-8").partition(_HEADER)
    blank = len(rest) - len(rest.lstrip())
    return head.count("\n") + rest[:blank].count("\n") + 1 if found else 1


def _recipe(recipe: Recipe, plan: CleaningPlan) -> Iterator[Problem]:
    """Recipes run on DuckDB and Spark; their SQL comes from operations, so a step is refused."""
    file = f"recipes/{recipe.name}.toml"
    for step in plan.steps:
        written = [*step.assigns.values(), *(r.when for r in step.rejects)]
        for sql in dict.fromkeys(e.sql for e in written):
            for problem in lint(f"SELECT {sql}", file, targets=("spark",)):
                what = f"{step.operation} is not portable to Spark: {problem.what}"
                yield Problem(file, f"steps.{step.number - 1}", what, problem.hint)
                break


def _rule(rule: Rule, address: str) -> Iterator[Problem]:
    """What a person wrote as SQL inside a rule: a CustomSql query, a `where` clause."""
    file = f"policies/quality/{address}.dqdl"
    wrote = partial(lint, where=file, first_line=rule.line, targets=("spark",))
    if rule.type == "CustomSql":
        own = Address.parse(address).table
        yield from wrote(re.sub(r"\bprimary\b", own, rule.arguments[0]).strip().rstrip(";"))
    if rule.where:
        yield from wrote(f"SELECT 1 AS one FROM it WHERE {rule.where}")
