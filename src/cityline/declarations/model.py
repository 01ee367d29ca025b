"""A model: one SELECT that shapes curated data, what it reads, and its own unit tests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cityline.declarations.reading import Declared


class ModelColumn(Declared):
    """One column of a table: what it means, for the dictionary."""

    name: str
    description: str
    unit: str = ""


class ModelTest(Declared):
    """Rows given to the tables a model reads, and the rows it must then yield (in any order)."""

    name: str
    given: dict[str, tuple[dict[str, Any], ...]]
    expect: tuple[dict[str, Any], ...]


class Model(Declared):
    """`models/<name>.sql`: front matter and one SELECT. `reads` are table names as SQL spells them.

    Beside the zones' tables two one-row tables can be read: `lake.city` (fiscal_year_first_month
    INTEGER, time_zone VARCHAR) and `lake.extract` (one row per source: source VARCHAR,
    extracted_on DATE in the city's time zone, collection_began DATE, data_processed VARCHAR,
    rows BIGINT). `total` names a column whose sum must equal the sum of `of`'s column: the
    reconciliation of a measure across the step.
    """

    name: str
    description: str
    reads: Annotated[tuple[str, ...], Field(min_length=1)]
    grain: tuple[str, ...] = ()
    columns: tuple[ModelColumn, ...]
    partition_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    reconciles: dict[str, str] = Field(default_factory=dict)
    """Own column → `table.column` with the same sum, e.g. inquiries = "landing.x.inquiries"."""
    tests: tuple[ModelTest, ...] = ()
    dialect: Literal["duckdb"] = "duckdb"
    sql: str
