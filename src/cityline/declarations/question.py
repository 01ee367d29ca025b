"""A question: its SQL, its parameters and period, its finding sentence and its chart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cityline.declarations.reading import Declared

Unit = Literal[
    "", "inquiries", "calls", "difference", "share", "points", "change",
    "seconds", "index", "rank", "year", "month",
]  # fmt: skip


class QuestionColumn(Declared):
    """A column of an answer's table. `share` is 0..1 shown as %, `points` percentage points,
    `difference` a signed count,
    `change` a ratio (0.041 shown as +4.1 %), `index` 1.00 = average."""

    name: str
    label: str
    unit: Unit = ""
    description: str = ""
    adds_to: float | None = None
    """When set, the column's non-null values must add up to this (1.0 for shares)."""
    adds_per: str = ""
    """A column within whose groups they add up, e.g. year; empty for the whole table."""
    label_from: Literal["", "period", "comparison"] = ""
    """When set, the column is headed by that period's label instead of its own."""


class Parameter(Declared):
    """A parameter people may set. `year` and `compare` are years; others filter a column."""

    kind: Literal["year", "compare", "value"]
    default: int | Literal["latest", "previous", "all"] = "all"
    values_from: str = ""
    """`table.column` whose distinct values are allowed, for kind `value`."""


class Period(Declared):
    """Which months an answer may use; analyse turns it into `$from_month` and `$to_month`.

    `year`: the complete months of `$year`. `compare`: the months complete in both `$year` and
    `$compare` (also `$compare_from_month`, `$compare_to_month`). `complete-years`: the complete
    years. `complete-months`: every complete month. `trend`: all months, provisional ones marked.
    """

    kind: Literal["year", "compare", "complete-years", "complete-months", "trend"]
    source: str
    """The source whose calendar decides what is complete."""
    last_years: Annotated[int, Field(ge=0)] = 0
    """For `complete-years`: at most so many, the latest ones; 0 for all."""


class Chart(Declared):
    """What is drawn; columns are names of the answer's table. One mark each, see `visualise`."""

    mark: Literal["bar", "paired-bar", "difference", "line", "heatmap", "stacked-bar"]
    x: str
    y: str
    series: str = ""
    value: str = ""
    compare: str = ""
    limit: Annotated[int, Field(ge=1)] = 15
    provisional: str = ""
    """A boolean column; true rows are drawn dashed and hollow and named provisional."""


class Question(Declared):
    """`questions/<name>.sql`: front matter and one SELECT; `order` sorts the list of questions.

    `sentence` is a template over `rows` (a list of rows with attributes), the labels `period` and
    `comparison`, and `parameters`, with the filters number, decimal(n), percent, change,
    difference, points and month.
    """

    name: str
    title: str
    order: int
    reads: Annotated[tuple[str, ...], Field(min_length=1)]
    description: str = ""
    period: Period
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    columns: Annotated[tuple[QuestionColumn, ...], Field(min_length=1)]
    sentence: str
    chart: Chart
    notes: tuple[str, ...] = ()
    prebuild: tuple[Literal["year", "compare"], ...] = ()
    """Parameters for each value of which a static site has a page: every year, or every pair."""
    page: Literal["", "service-levels", "facets"] = ""
    """`service-levels` shows the answer on that page too; `facets` only on pages of facets, because
    without a value it answers nothing new."""
    audience: Literal["public", "internal"] = "public"
    """Whether the answer may be in the bundle for everybody."""
    sql: str
