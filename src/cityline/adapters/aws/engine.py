"""Athena behind `ports.engine.Engine`, for questions; it writes no table and cleans nothing.

Its SQL is Trino's, so what it is asked is what Trino is asked; only the ways there and back differ.
"""
# ruff: noqa: ARG002 - what is refused takes the arguments of the port all the same

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import Clients
from cityline.adapters.aws.queries import Queries, Workgroup
from cityline.adapters.formats.trinosql import arrow_schema, declared, quoted, spoken, values
from cityline.errors import EngineError
from cityline.lake.address import Address
from cityline.lake.version import Version
from cityline.ports.cleaning import Cleaned, CleaningPlan, Texts
from cityline.ports.engine import (
    Explored,
    Layout,
    Limits,
    Measured,
    Table,
    Tables,
    Written,
    named,
)

_REMEMBERED = 1000


class AthenaEngine:
    """Committed tables are read as of their snapshot, so a result may be given again without being
    old; small Arrow tables travel as VALUES. `asked` are the last queries, as Athena measured
    them."""

    name = "athena"

    def __init__(self, workgroup: Workgroup, clients: Clients | None = None) -> None:
        self._in = workgroup
        self._client = clients or Clients()
        self._queries = Queries(workgroup, self._client)
        self._schemas: dict[str, dict[str, str]] = {}
        self.asked: deque[Measured] = deque(maxlen=_REMEMBERED)

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The result of one SELECT as Arrow."""
        found, measured = self._queries.run(self.spoken(sql, tables, parameters))
        self.asked.append(measured)
        return found

    def spoken(
        self,
        sql: str,
        tables: Tables,
        parameters: Mapping[str, Any] | None = None,
        rows: int | None = None,
    ) -> str:
        """The SQL Athena is given; `rows` is the most it gives."""
        schemas = {name: self._schema(table) for name, table in tables.items()}
        return spoken(sql, tables, schemas, self._relation, parameters, rows)

    def explore(self, sql: str, tables: Tables, limits: Limits) -> Explored:
        """One SELECT a person typed; it is cancelled after the limit's seconds. Bytes scanned are
        Athena's own count; rows scanned stay an upper bound."""
        began = time.perf_counter()
        tables = named(sql, tables)
        found, measured = self._queries.run(
            self.spoken(sql, tables, rows=limits.rows + 1),
            seconds=limits.seconds,
            most_bytes=limits.result_mb * 1_000_000,
        )
        self.asked.append(measured)
        return Explored(
            table=found.slice(0, limits.rows),
            truncated=found.num_rows > limits.rows,
            milliseconds=(time.perf_counter() - began) * 1000,
            rows_scanned=sum(t.rows for t in tables.values() if isinstance(t, Version)),
            bytes_scanned=measured.bytes_scanned,
            measured=measured,
        )

    def write(
        self,
        sql: str,
        tables: Tables,
        into: str,
        *,
        partition_by: Sequence[str] = (),
        order_by: Sequence[str] = (),
    ) -> Written:
        """Refused: Athena answers questions."""
        _refuse()

    def read_texts(self, path: Path, layout: Layout) -> Texts:
        """Refused: Athena answers questions."""
        _refuse()

    def clean(self, plan: CleaningPlan, texts: Texts) -> Cleaned:
        """Refused: Athena answers questions."""
        _refuse()

    def _schema(self, table: Table) -> dict[str, str]:
        if not isinstance(table, Version):
            return arrow_schema(table)
        key = f"{table.address}@{table.id}"
        if key not in self._schemas:
            self._schemas[key] = self._described(table.address)
        return self._schemas[key]

    def _described(self, address: Address) -> dict[str, str]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        database, name = self._named(address)
        with cloud_errors(f"{database}.{name} in {self._in.region}"):
            glue = self._client("glue", self._in.region)
            try:
                told = glue.get_table(DatabaseName=database, Name=name)["Table"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "EntityNotFoundException":
                    raise
                what = f"the catalogue has no table {database}.{name}"
                hint = "cityline run makes the tables"
                raise EngineError(what, where=self._in.region, hint=hint) from error
        columns = [*told["StorageDescriptor"]["Columns"], *told.get("PartitionKeys", ())]
        return {c["Name"]: declared(c["Type"]) for c in columns}

    def _relation(self, table: Table) -> str:
        if not isinstance(table, Version):
            return values(table)
        if not table.id.lstrip("-").isdigit():
            told = f"{table.address} is not committed, and Athena reads committed tables"
            raise EngineError(told, where=table.id)
        named = ".".join(map(quoted, self._named(table.address)))
        return f"(SELECT * FROM {named} FOR VERSION AS OF {table.id})"

    def _named(self, address: Address) -> tuple[str, str]:
        """The database and the table's name in Glue."""
        database = self._in.databases.get(address.zone)
        if database is None:
            known = ", ".join(self._in.databases)
            told = f"Athena has no tables of the zone {address.zone}"
            raise EngineError(told, where=str(address), hint=f"it has those of {known}")
        return database, address.table.partition(".")[2]


def _refuse() -> NoReturn:
    told = "Athena answers questions; it does not prepare or structure"
    raise EngineError(told, hint='engine = "spark", and questions = "athena"')
