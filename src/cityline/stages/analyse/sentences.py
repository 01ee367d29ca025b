"""The finding: one sentence computed from the answer's own table, and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cityline.declarations.question import Question
from cityline.errors import DeclarationError, Problem
from cityline.lake import wording


def render(
    question: Question,
    rows: Sequence[Mapping[str, Any]],
    period: str,
    comparison: str,
    parameters: Mapping[str, Any],
) -> str:
    """The sentence in words.

    Raises DeclarationError when the template asks for something the table does not have.
    """
    try:
        made = (
            _environment()
            .from_string(question.sentence)
            .render(
                rows=[SimpleNamespace(**r) for r in rows],
                period=period,
                comparison=comparison,
                parameters=dict(parameters),
            )
        )
    except (TemplateError, TypeError, IndexError, ValueError, ZeroDivisionError) as error:
        what = f"the sentence cannot be made from the table: {error}"
        file = f"questions/{question.name}.sql"
        hint = "columns: " + ", ".join(c.name for c in question.columns)
        raise DeclarationError([Problem(file, "sentence", what, hint)]) from error
    return " ".join(made.split())


def check_sentence(question: Question, file: str) -> list[Problem]:
    """What is wrong with a sentence's template, without any data."""
    try:
        _environment().from_string(question.sentence)
    except TemplateError as error:
        return [Problem(file, "sentence", f"not a template: {error}")]
    return []


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # a sentence is text: pages escape it where they show it
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters |= {
        "number": wording.number,
        "decimal": wording.number,
        "percent": wording.percent,
        "change": lambda v: wording.cell(v, "change"),
        "difference": lambda v: wording.cell(v, "difference"),
        "points": lambda v: wording.cell(v, "points"),
        "month": lambda v: wording.month(v if isinstance(v, date) else date.fromisoformat(v)),
    }
    return environment
