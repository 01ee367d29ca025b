"""Checking a city without running it: everything that can be known from the declarations alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from cityline.declarations.corrections import Corrections
from cityline.declarations.folder import Folder
from cityline.declarations.language import missing_words
from cityline.errors import CitylineError, DeclarationError, Problem
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.portability import unportable
from cityline.flow.shapes import shapes
from cityline.guards import govern, protect
from cityline.ports.cleaning import CleaningPlan
from cityline.stages.analyse.sentences import check_sentence
from cityline.stages.prepare import compile_recipe
from cityline.stages.structure import check_model


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found to be in order."""

    model_tests: int
    rules: int
    policy_tests: int


def check_city(parts: Parts) -> Checked:
    """Compile every recipe, run every model's tests, look at every rule and sentence.

    Raises DeclarationError with all problems found.
    """
    folder = parts.folder
    problems: list[Problem] = []
    problems += _caught(lambda: plan(folder))
    plans, refused = compiled(folder)
    problems += refused
    rules = 0
    for address, ruleset in folder.rules.items():
        file = f"policies/quality/{address}.dqdl"
        rules += len(ruleset.rules)
        problems += _caught(partial(govern.check, ruleset, file))
    for name, question in folder.questions.items():
        problems += check_sentence(question.sentence, f"questions/{name}.sql")
    found = shapes(folder, plans, parts.trial)
    problems += found.problems
    problems += unportable(folder, plans, found)
    problems += missing_words(folder)
    problems += policies(folder)
    for language, words in folder.languages.items():
        for told in words.questions.values():
            problems += check_sentence(told.sentence, f"languages/{language}.toml")
    tests, failed = _model_tests(parts)
    known = {(p.file, p.key) for p in found.problems}
    problems += [p for p in failed if (p.file, p.key) not in known]
    if problems:
        raise DeclarationError(problems)
    return Checked(tests, rules, len(folder.access.tests) if folder.access else 0)


def compiled(folder: Folder) -> tuple[dict[str, CleaningPlan], list[Problem]]:
    """Every recipe that can be, as a plan for an extract of today, and what keeps the others."""
    today = datetime.now(UTC).date()
    plans: dict[str, CleaningPlan] = {}
    problems: list[Problem] = []
    for name, recipe in folder.recipes.items():
        source = folder.sources.get(recipe.source)
        if source is not None:
            fixes = folder.corrections.get(name) or Corrections(name=name)
            try:
                plans[name] = compile_recipe(recipe, source, fixes, today)
            except DeclarationError as error:
                problems += error.problems
    return plans, problems


def policies(folder: Folder) -> list[Problem]:
    """What is wrong with a city's policies, and with where its environment would put its data."""
    if folder.access is None:
        return []
    datasets = {*folder.sources, *folder.models, *folder.questions}
    problems = protect.check(folder.access, folder.retention, datasets)
    aws = folder.environment.aws
    file = f"environments/{folder.environment.name}.toml"
    if aws is not None:
        problems += protect.check_sign_in(folder.access, aws.sign_in, file)
    if aws is not None and folder.retention is not None:
        regions = {"aws.home_region": aws.home_region, "aws.replica_region": aws.replica_region}
        residency = folder.retention.residency
        problems += protect.check_regions(folder.access, residency, regions, file)
    return problems


def _model_tests(parts: Parts) -> tuple[int, list[Problem]]:
    problems: list[Problem] = []
    count = 0
    for name, model in parts.folder.models.items():
        file = f"models/{name}.sql"
        try:
            results = check_model(model, parts.engine)
        except CitylineError as error:
            problems.append(Problem(file, "sql", error.what, error.hint))
            continue
        count += len(results)
        problems += [Problem(file, f"tests.{r.name}", r.message) for r in results if not r.passed]
    return count, problems


def _caught(check: Callable[[], object]) -> list[Problem]:
    try:
        check()
    except DeclarationError as error:
        return list(error.problems)
    return []
