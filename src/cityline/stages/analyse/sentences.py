"""The finding: one sentence computed from the answer's own table, and from nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cityline.errors import DeclarationError, Problem
from cityline.lake import wording
from cityline.lake.wording import Wording

_BLANKS = re.compile(r"[ \t\r\n]+")
"""Blanks of the template; a no-break space inside a number stays."""


def render(
    name: str,
    template: str,
    rows: Sequence[Mapping[str, Any]],
    period: str,
    comparison: str,
    parameters: Mapping[str, Any],
    words: Wording,
) -> str:
    """The sentence of the question `name` in words.

    Raises DeclarationError when the template asks for something the table does not have.
    """
    try:
        made = _compiled(template, words).render(
            rows=[SimpleNamespace(**r) for r in rows],
            period=period,
            comparison=comparison,
            parameters=dict(parameters),
        )
    except (TemplateError, TypeError, IndexError, ValueError, ZeroDivisionError) as error:
        what = f"the sentence cannot be made from the table: {error}"
        hint = "columns: " + ", ".join(rows[0] if rows else ())
        raise DeclarationError(
            [Problem(f"questions/{name}.sql", "sentence", what, hint)]
        ) from error
    return _BLANKS.sub(" ", made).strip()


def check_sentence(template: str, file: str) -> list[Problem]:
    """What is wrong with a sentence's template, without any data."""
    try:
        _environment(wording.wording("en")).from_string(template)
    except TemplateError as error:
        return [Problem(file, "sentence", f"not a template: {error}")]
    return []


@lru_cache(maxsize=512)
def _compiled(template: str, words: Wording) -> Template:
    return _environment(words).from_string(template)


@cache
def _environment(words: Wording) -> ImmutableSandboxedEnvironment:
    # a sentence is text: pages escape it where they show it
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters |= {
        "number": words.number,
        "decimal": words.number,
        "percent": words.percent,
        "change": lambda v: words.cell(v, "change"),
        "difference": lambda v: words.cell(v, "difference"),
        "points": lambda v: words.cell(v, "points"),
        "month": lambda v: words.month(v if isinstance(v, date) else date.fromisoformat(v)),
    }
    return environment
