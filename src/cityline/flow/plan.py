"""Which steps there are and in which order: from the declarations, not from a list of code."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from cityline.declarations.folder import Folder
from cityline.declarations.reading import nearest
from cityline.errors import DeclarationError, Problem
from cityline.lake.address import Address, Zone

SYSTEM_TABLES = ("lake.city", "lake.extract")


def plan(folder: Folder) -> tuple[str, ...]:
    """All steps in an order in which each finds what it reads.

    Raises DeclarationError for a table nobody makes, or models that read each other in a circle.
    """
    problems = list(_unknown_reads(folder))
    if problems:
        raise DeclarationError(problems)
    return (
        *(f"ingest/{name}" for name in folder.sources),
        *(f"prepare/{name}" for name in folder.recipes),
        *(f"structure/{name}" for name in models(folder)),
        *(f"analyse/{name}" for name in questions(folder)),
        *(f"visualise/{name}" for name in questions(folder)),
        "publish/site",
    )


def questions(folder: Folder) -> list[str]:
    """Names of the questions, in the order readers see them."""
    return sorted(folder.questions, key=lambda n: (folder.questions[n].order, n))


def models(folder: Folder) -> list[str]:
    """Models so that each comes after those it reads. Raises DeclarationError for a circle."""
    graph = {
        name: {Address.parse(r).name for r in model.reads if r.startswith("curated.")}
        for name, model in folder.models.items()
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " → ".join(error.args[1])
        problem = Problem(f"models/{error.args[1][0]}.sql", "reads", f"a circle: {circle}")
        raise DeclarationError([problem]) from error


def _unknown_reads(folder: Folder) -> Iterator[Problem]:
    landing = {Address(Zone.LANDING, n).table for n in folder.recipes}
    curated = {Address(Zone.CURATED, n).table for n in folder.models}
    known = [*landing, *curated, *SYSTEM_TABLES]
    for name, model in folder.models.items():
        for read in model.reads:
            if read not in known:
                told = nearest(read, known)
                yield Problem(f"models/{name}.sql", "reads", f"no table {read!r}", told)
    for name, question in folder.questions.items():
        for read in question.reads:
            if read not in curated:
                told = nearest(read, sorted(curated))
                yield Problem(f"questions/{name}.sql", "reads", f"no curated table {read!r}", told)
        if question.period.source not in folder.sources:
            told = nearest(question.period.source, list(folder.sources))
            yield Problem(f"questions/{name}.sql", "period.source", "no such source", told)
    yield from _unknown_in_facets(folder, curated)
    for name, recipe in folder.recipes.items():
        if recipe.source not in folder.sources or recipe.source != name:
            told = "a recipe is named after its source"
            yield Problem(f"recipes/{name}.toml", "source", f"no source {recipe.source!r}", told)
    for address in folder.rules:
        if Address.parse(address).table not in known:
            file = f"policies/quality/{address}.dqdl"
            yield Problem(file, "", "rules for a table nobody makes", nearest(address, known))


def _unknown_in_facets(folder: Folder, curated: set[str]) -> Iterator[Problem]:
    for name, facet in folder.facets.items():
        file = f"facets/{name}.toml"
        table = facet.values_from.rpartition(".")[0]
        if table not in curated:
            told = nearest(table, sorted(curated))
            yield Problem(file, "values_from", f"no curated table {table!r}", told)
        for asked in facet.questions:
            question = folder.questions.get(asked)
            if question is None:
                told = nearest(asked, sorted(folder.questions))
                yield Problem(file, "questions", f"no question {asked!r}", told)
            elif facet.column not in question.parameters:
                what = f"{asked} takes no parameter {facet.column!r}"
                yield Problem(file, "questions", what, f"add it to questions/{asked}.sql")
