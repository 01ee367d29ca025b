"""A recipe: how a source is cleaned, operation by operation, in DataBrew's words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from cityline.declarations.reading import Declared


class RecipeStep(Declared):
    """One operation with DataBrew's name and parameter names, and why it is there."""

    operation: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    why: str = ""


class Restated(Declared):
    """How an extract is compared with the one before: rows by `key`, and the figures told to
    readers by `by`, the period first. All are landing columns."""

    key: Annotated[tuple[str, ...], Field(min_length=1)]
    by: Annotated[tuple[str, ...], Field(min_length=1)]


class Recipe(Declared):
    """`recipes/<name>.toml`. `output` lists the landing columns in order, with their meaning."""

    name: str
    source: str
    description: str = ""
    steps: Annotated[tuple[RecipeStep, ...], Field(min_length=1)]
    output: Annotated[tuple[str, ...], Field(min_length=1)]
    descriptions: dict[str, str] = Field(default_factory=dict)
    measure: str | None = None
    """The landing column that holds the source's measure; its total must reconcile."""
    restatements: Restated | None = None
    partition_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
