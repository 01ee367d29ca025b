"""A facet: a page for each value of a column, answering the questions that can be asked of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cityline.declarations.reading import Declared


class Facet(Declared):
    """`facets/<name>.toml`. `column` is also the name of the parameter its questions take;
    `values_from` is the `table.column` whose values get a page. The table must have `month` and
    `inquiries`, from which each page's figures at a glance are computed."""

    name: str
    title: str
    one: str
    """What one of them is called: "Department"."""
    order: int
    column: str
    values_from: str
    questions: Annotated[tuple[str, ...], Field(min_length=1)]
    feed: bool = False
    """Whether each page has a feed of its own restated figures."""
