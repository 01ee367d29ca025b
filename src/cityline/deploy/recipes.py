"""A recipe as DataBrew runs it: the same steps under the same names, and what it cannot do, named.

An operation DataBrew has goes over as it is. One of Cityline's own goes over as the nearest thing
DataBrew has, and the difference is told; where there is none the step is left out and listed. A
step is never dropped without a word, so DataBrew's output is a look at the data, not the landing
zone: that is made by the Glue job, which runs every step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cityline.declarations.recipe import Recipe, RecipeStep
from cityline.declarations.source import Source
from cityline.errors import DeclarationError, Problem
from cityline.stages.prepare.operations.registry import OPERATIONS

Action = tuple[str, Mapping[str, str]]
"""DataBrew's operation and its parameters, all of them texts."""

CORRECTIONS = "APPLY_CORRECTIONS"
"""A step of recipes that stands for the declared corrections; not an operation itself."""


@dataclass(frozen=True, slots=True)
class Unlike:
    """A step that DataBrew does differently, or (`left_out`) not at all. `number` counts from 1."""

    number: int
    operation: str
    difference: str
    left_out: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """DataBrew's actions in order, and every step that is not the same there."""

    actions: tuple[Action, ...]
    unlike: tuple[Unlike, ...]


@dataclass(frozen=True, slots=True)
class _Nearest:
    actions: Callable[[Mapping[str, Any]], list[Action]]
    difference: str


def _trimmed(given: Mapping[str, Any]) -> list[Action]:
    return [("TRIM", {"sourceColumn": c}) for c in given["sourceColumns"]]


def _emptied(given: Mapping[str, Any]) -> list[Action]:
    words = "|".join(given["words"])
    source = str(given["sourceColumn"])
    return [("REPLACE_TEXT", {"sourceColumn": source, "pattern": f"^({words})$", "value": ""})]


def _typed(kind: str) -> Callable[[Mapping[str, Any]], list[Action]]:
    def build(given: Mapping[str, Any]) -> list[Action]:
        source = str(given["sourceColumn"])
        target = str(given.get("targetColumn", source))
        found: list[Action] = [
            ("CHANGE_DATA_TYPE", {"sourceColumn": source, "columnDataType": kind})
        ]
        if target != source:
            found.append(("RENAME", {"sourceColumn": source, "targetColumn": target}))
        return found

    return build


def _first_of_each(given: Mapping[str, Any]) -> list[Action]:
    return [("DELETE_DUPLICATE_ROWS", {"duplicateColumns": json.dumps(given["keyColumns"])})]


_NEAREST = {
    "STANDARDIZE_TEXT": _Nearest(
        _trimmed, "outer blanks only: no Unicode NFC, invisible characters and inner blanks stay"
    ),
    "NULL_WORDS": _Nearest(_emptied, "the words become an empty text, not NULL"),
    "PARSE_MONTH": _Nearest(_typed("date"), "what is no month becomes empty, not quarantined"),
    "PARSE_DATE": _Nearest(_typed("date"), "what is no date becomes empty, not quarantined"),
    "PARSE_COUNT": _Nearest(
        _typed("integer"), "what is no count becomes empty, not quarantined; no thousands commas"
    ),
    "PARSE_DECIMAL": _Nearest(_typed("double"), "what is no number becomes empty"),
    "RESOLVE_DUPLICATES": _Nearest(
        _first_of_each, "the first row of a key stays, also where the measures differ"
    ),
}

_ABSENT = {
    CORRECTIONS: "known errors in the source are mended by the Glue job only",
    "APPLY_CORRECTION": "known errors in the source are mended by the Glue job only",
    "APPLY_RENAMES": "names in use now are added by the Glue job only",
    "CODE_AND_NAME": "codes and names are split by the Glue job only",
    "REJECT_OUTSIDE": "rows outside the dates are quarantined by the Glue job only",
    "REMOVE_VALUES": "rows with these values are quarantined by the Glue job only",
    "PARSE_TIMESTAMP": "moments are read by the Glue job only",
}


def render(recipe: Recipe, source: Source) -> Rendered:
    """The recipe for DataBrew. The file's headers are the source's labels there, so they are
    renamed first.

    Raises DeclarationError for an operation nobody has decided about, so that a new one of
    Cityline's own cannot vanish on the way.
    """
    actions: list[Action] = [
        ("RENAME", {"sourceColumn": f.label, "targetColumn": f.name})
        for f in source.fields
        if f.label != f.name
    ]
    unlike: list[Unlike] = []
    problems: list[Problem] = []
    for number, step in enumerate(recipe.steps, 1):
        name = step.operation
        if name in _NEAREST:
            actions += _NEAREST[name].actions(step.parameters)
            unlike.append(Unlike(number, name, _NEAREST[name].difference, left_out=False))
        elif name in _ABSENT:
            unlike.append(Unlike(number, name, _ABSENT[name], left_out=True))
        elif name in OPERATIONS and not OPERATIONS[name].own:
            actions.append((name, _texts(step)))
        else:
            hint = "say in deploy/recipes.py what DataBrew does instead, or that it has nothing"
            what = f"{name} is not known to DataBrew"
            file = f"recipes/{recipe.name}.toml"
            problems.append(Problem(file, f"steps.{number - 1}.operation", what, hint))
    if problems:
        raise DeclarationError(problems)
    return Rendered(tuple(actions), tuple(unlike))


def databrew_operations() -> frozenset[str]:
    """Every operation a rendered recipe may name."""
    return frozenset(n for n, o in OPERATIONS.items() if not o.own)


def _texts(step: RecipeStep) -> dict[str, str]:
    """DataBrew's parameters are texts; lists and tables are JSON inside them."""
    return {name: _text(value) for name, value in step.parameters.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
