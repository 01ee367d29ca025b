"""A SQL engine: asks questions of tables, and writes new ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import pyarrow as pa

from cityline.lake.cost import Rate
from cityline.lake.version import DataFile, Version
from cityline.ports.cleaning import Cleaned, CleaningPlan, Texts

Table: TypeAlias = pa.Table | Version
"""A table crosses as Arrow, or as a version whose files the engine reads itself."""

Tables: TypeAlias = Mapping[str, Table]
"""Tables by the name SQL uses, e.g. `landing.inquiry_volume`."""


@dataclass(frozen=True, slots=True)
class Written:
    """Data files an engine wrote as a candidate, with their common schema."""

    files: tuple[DataFile, ...]
    schema: pa.Schema

    @property
    def rows(self) -> int:
        """Rows in all files."""
        return sum(f.rows for f in self.files)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a delimited file is laid out: `columns` names its columns in the file's order, and
    `integers` those that may be read as integers at once (row numbers of the extract)."""

    columns: tuple[str, ...]
    delimiter: str
    encoding: str
    integers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query that a person typed may take: rows of the result, seconds, megabytes of memory
    and of the result."""

    rows: int = 1000
    seconds: float = 5.0
    memory_mb: int = 1024
    result_mb: int = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """What an engine that charges says of one query: its own id, milliseconds waited and worked,
    bytes scanned, whether an earlier result was given again, and the estimated charge in USD with
    the date of its price. A result that is given again scans nothing and costs nothing."""

    id: str
    queued: float
    milliseconds: float
    bytes_scanned: int
    reused: bool
    usd: Decimal
    rate: Rate


@dataclass(frozen=True, slots=True)
class Explored:
    """A typed query's result. Rows and bytes scanned are those of the columns it mentions in the
    tables it names, as compressed in their files: an upper bound. An engine that charges says what
    it measured."""

    table: pa.Table
    truncated: bool
    milliseconds: float
    rows_scanned: int
    bytes_scanned: int
    measured: Measured | None = None


def named(sql: str, tables: Tables) -> dict[str, Table]:
    """The tables that a text may mean, in any case: who asks may have no right to others."""
    text = sql.lower()
    return {name: t for name, t in tables.items() if name.rpartition(".")[2].lower() in text}


class Engine(Protocol):
    """Runs SQL in DuckDB's dialect over named tables. Raises EngineError."""

    @property
    def name(self) -> str:
        """The engine's name, as answers and receipts tell it."""
        ...

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The result of one SELECT; `$name` in the SQL is filled from `parameters`."""
        ...

    def write(
        self,
        sql: str,
        tables: Tables,
        into: str,
        *,
        partition_by: Sequence[str] = (),
        order_by: Sequence[str] = (),
    ) -> Written:
        """Write one SELECT as Parquet files below the store's key `into`."""
        ...

    def explore(self, sql: str, tables: Tables, limits: Limits) -> Explored:
        """One SELECT a person typed: read-only, no file or network, within limits. Raises
        UsageError for any other statement and QueryStopped beyond the limits."""
        ...

    def read_texts(self, path: Path, layout: Layout) -> Texts:
        """All cells of a delimited file as texts. Raises SourceDamaged."""
        ...

    def clean(self, plan: CleaningPlan, texts: Texts) -> Cleaned:
        """Run a recipe's plan."""
        ...


@runtime_checkable
class Examined(Protocol):
    """An engine that can say more about itself than that it answers."""

    def examine(self) -> str:
        """That it answers, with its version and any warning about it. Raises EngineError and
        MissingExtra, saying exactly what is missing."""
        ...
