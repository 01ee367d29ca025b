"""What a recipe asks of an engine: steps of column expressions, rejections and duplicates.

A recipe's steps never remove a row one by one. They rewrite columns or mark a row as rejected
with a reason; at the end rows without a reason are kept and the others are quarantined. So
read = kept + quarantined holds by construction, on every engine.

Each step can be written as one SELECT over the step before it (`select_of`), the form a person
reads and another engine may run. An engine may do the same work differently: an expression that
depends on one raw column only is a pure function of that column's value, so it can be applied to
the distinct values instead of the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from cityline.lake.version import Version

ROW = "source_row"
"""The row's number in the file, from 1; present in every step and in the landing table."""

REASON = "reject_reason"
"""Why a row is rejected so far; NULL while it is kept."""


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL in DuckDB's dialect over the columns of the step before; `reads` names those columns."""

    sql: str
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reject:
    """Rows for which `when` is true are quarantined with `reason`, unless an earlier reason stands.

    A `when` that is NULL rejects nothing.
    """

    reason: str
    when: Expression


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Among rows kept so far: rows equal in `keys`.

    When they also agree in `measure` all but the first are rejected with `reason`. When they do
    not, every one of them is rejected with `conflict_reason`. Without a measure only `reason`.
    NULL equals NULL.
    """

    keys: tuple[str, ...]
    measure: str | None
    reason: str
    conflict_reason: str = ""


@dataclass(frozen=True, slots=True)
class CleaningStep:
    """One step: an operation by name, why, and what it does.

    `assigns` adds or replaces columns (all expressions see the step before); then `renames`
    (old → new), then `drops`. `rejects` and `duplicates` only mark rows. `expected` says how many
    cells should change, as (least, most): outside it something is not as its author thought.
    """

    number: int
    operation: str
    why: str
    assigns: Mapping[str, Expression] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    drops: tuple[str, ...] = ()
    rejects: tuple[Reject, ...] = ()
    duplicates: Duplicates | None = None
    expected: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CleaningPlan:
    """A recipe ready to run: raw columns (all texts), steps, and the landing columns in order."""

    columns: tuple[str, ...]
    steps: tuple[CleaningStep, ...]
    output: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepEffect:
    """What one step did: rows kept before and after it, cells changed, and up to five samples.

    A sample is {"column", "before", "after"} or {"reason", "row"}.
    """

    number: int
    operation: str
    why: str
    rows_before: int
    rows_after: int
    cells_changed: int
    samples: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Texts:
    """A file as read: `table` has one text column per plan column and as many rows as records
    with the right number of cells; `rows` numbers them from 1. `ragged` are the other records:
    (row number, text as it stands in the file)."""

    table: pa.Table
    rows: pa.Array
    ragged: tuple[tuple[int, str], ...] = ()

    @property
    def count(self) -> int:
        """All records, ragged ones included."""
        return int(self.table.num_rows) + len(self.ragged)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The outcome of a plan.

    `kept` has the plan's output columns; it is a version where its files wait in the store.
    `quarantined` has `source_row` BIGINT, `reason` and `raw` (the cells as a JSON object's text, or
    the record as it stands in the file). `effects` has one entry per step. `before` and `after` map
    a column to its frequencies over all rows, as a table (value, n): raw texts before, kept values
    after.
    """

    kept: pa.Table | Version
    quarantined: pa.Table
    effects: tuple[StepEffect, ...]
    before: Mapping[str, pa.Table]
    after: Mapping[str, pa.Table]
