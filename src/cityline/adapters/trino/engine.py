"""Trino behind `ports.engine.Engine`, for questions; it writes no table and cleans nothing."""
# ruff: noqa: ARG002 - what is refused takes the arguments of the port all the same

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from cityline.adapters.formats.trinosql import ARROW, arrow_schema, declared, spoken, values
from cityline.errors import (
    EngineError,
    MissingExtra,
    QueryStopped,
    SessionLost,
    too_large,
    unportable,
)
from cityline.lake.version import Version
from cityline.ports.cleaning import Cleaned, CleaningPlan, Texts
from cityline.ports.engine import Explored, Layout, Limits, Table, Tables, Written

_LOST = frozenset(
    {"PAGE_TRANSPORT_ERROR", "PAGE_TRANSPORT_TIMEOUT", "REMOTE_HOST_GONE", "REMOTE_TASK_ERROR",
     "REMOTE_TASK_MISMATCH", "NO_NODES_AVAILABLE", "SERVER_SHUTTING_DOWN", "SERVER_STARTING_UP",
     "TOO_MANY_REQUESTS_FAILED", "ABANDONED_TASK"}
)  # fmt: skip
"""Trino's names for a worker that is gone."""
_NO_WORKERS = "Insufficient active worker nodes"
"""What it says after waiting for one; the error's name is that of many other shortages."""
_FORGOTTEN = "Query not found"
"""What a coordinator says that was started anew meanwhile, with HTTP's 404."""


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Where Trino answers, and its catalogue over the lake. `seconds` is the longest a query may
    take."""

    host: str = "127.0.0.1"
    port: int = 8080
    user: str = "cityline"
    catalog: str = "cityline"
    tls: bool = False
    seconds: int = 300


class TrinoEngine:
    """Committed tables are read as of their snapshot; small Arrow tables travel as VALUES."""

    name = "trino"

    def __init__(self, coordinator: Coordinator) -> None:
        self._where = coordinator
        self._schemas: dict[str, dict[str, str]] = {}

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The result of one SELECT as Arrow."""
        return self.run(self.spoken(sql, tables, parameters))

    def spoken(
        self,
        sql: str,
        tables: Tables,
        parameters: Mapping[str, Any] | None = None,
        rows: int | None = None,
    ) -> str:
        """The SQL Trino is given; `rows` is the most it gives."""
        schemas = {name: self._schema(table) for name, table in tables.items()}
        return spoken(sql, tables, schemas, self._relation, parameters, rows)

    def run(self, sql: str, seconds: float = math.inf) -> pa.Table:
        """Run Trino's own SQL, for so many `seconds` at most, its time in the queue included."""
        with self._errors(seconds):
            cursor = self._connection(seconds).cursor()
            cursor.execute(sql)
            rows = cursor.fetchall()
            columns = [(d[0], d[1].split("(")[0]) for d in cursor.description]
        arrays = [_array([row[at] for row in rows], kind) for at, (_, kind) in enumerate(columns)]
        return pa.table(arrays, names=[n for n, _ in columns])

    def explore(self, sql: str, tables: Tables, limits: Limits) -> Explored:
        """One SELECT a person typed; the coordinator stops it after the limit's seconds, and looks
        once a second."""
        began = time.perf_counter()
        found = self.run(self.spoken(sql, tables, rows=limits.rows + 1), limits.seconds)
        versions = [t for t in tables.values() if isinstance(t, Version)]
        return Explored(
            table=found.slice(0, limits.rows),
            truncated=found.num_rows > limits.rows,
            milliseconds=(time.perf_counter() - began) * 1000,
            rows_scanned=sum(v.rows for v in versions),
            bytes_scanned=sum(v.bytes for v in versions),
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
        """Refused: Trino answers questions."""
        _refuse()

    def read_texts(self, path: Path, layout: Layout) -> Texts:
        """Refused: Trino answers questions."""
        _refuse()

    def clean(self, plan: CleaningPlan, texts: Texts) -> Cleaned:
        """Refused: Trino answers questions."""
        _refuse()

    def _schema(self, table: Table) -> dict[str, str]:
        if not isinstance(table, Version):
            return arrow_schema(table)
        key = f"{table.address}@{table.id}"
        if key not in self._schemas:
            listed = self.run(f"DESCRIBE {self._where.catalog}.{table.address.table}").to_pylist()
            self._schemas[key] = {r["Column"]: declared(r["Type"]) for r in listed}
        return self._schemas[key]

    def _relation(self, table: Table) -> str:
        if isinstance(table, Version):
            named = f"{self._where.catalog}.{table.address.table}"
            return f"(SELECT * FROM {named} FOR VERSION AS OF {table.id})"
        return values(table)

    def _connection(self, seconds: float) -> Any:
        try:
            import trino  # noqa: PLC0415 - an extra
        except ImportError as error:
            told = "Trino's Python client is not installed"
            raise MissingExtra(told, hint="pip install 'cityline[trino]'") from error
        connect: Any = trino.dbapi.connect  # the client has no types
        within = {"query_max_run_time": f"{seconds * 1000:.0f}ms"} if seconds < math.inf else {}
        return connect(
            host=self._where.host,
            port=self._where.port,
            user=self._where.user,
            catalog=self._where.catalog,
            schema="curated",
            http_scheme="https" if self._where.tls else "http",
            timezone="UTC",
            max_attempts=3,
            session_properties={
                "query_max_execution_time": f"{self._where.seconds}s",
                "required_workers_max_wait_time": "60s",
                **within,
            },
        )

    @contextmanager
    def _errors(self, seconds: float) -> Iterator[None]:
        import requests  # noqa: PLC0415 - comes with the client
        import trino.exceptions as failed  # noqa: PLC0415

        where = f"{self._where.host}:{self._where.port}"
        away = (failed.Http502Error, failed.Http503Error, failed.Http504Error)
        lost = (requests.exceptions.RequestException, failed.TrinoConnectionError, *away)
        again = "is it running? cityline doctor looks; then run again"
        try:
            yield
        except lost as error:
            raise SessionLost("Trino does not answer", where=where, hint=again) from error
        except (failed.HttpError, json.JSONDecodeError) as error:
            if _FORGOTTEN in str(error):
                told = "Trino no longer knows the query"
                raise SessionLost(told, where=where, hint=again) from error
            told = f"what answers is no Trino, or it refuses: {str(error)[:200]}"
            hint = "is this the coordinator's port, and does it speak TLS? cityline doctor looks"
            raise EngineError(told, where=where, hint=hint) from error
        except failed.TrinoQueryError as error:
            raise _translated(error, where, min(seconds, self._where.seconds)) from error
        except failed.Error as error:
            raise EngineError(f"Trino failed: {error}", where=where) from error


def _translated(error: Any, where: str, seconds: float) -> EngineError:
    if error.error_name == "EXCEEDED_TIME_LIMIT":
        told = f"the query took longer than {seconds:g} seconds"
        return QueryStopped(told, where=where, hint="ask for less, or narrow the months")
    if error.error_name == "QUERY_QUEUE_FULL":
        told = f"Trino takes no more queries now: {error.message}"
        return EngineError(told, where=where, hint="others are asking; try again in a moment")
    if error.error_name in _LOST or _NO_WORKERS in error.message:
        told = f"Trino lost a worker: {error.message}"
        return SessionLost(told, where=where, hint="run again; cityline doctor looks")
    if error.error_type == "INSUFFICIENT_RESOURCES":
        told = f"Trino ran out of memory: {error.message}"
        return EngineError(told, where=where, hint="ask for less, or give Trino more memory")
    if error.error_name in ("NUMERIC_VALUE_OUT_OF_RANGE", "EXCEEDED_DECIMAL_PRECISION"):
        return too_large(where)
    if error.error_type in ("INTERNAL_ERROR", "EXTERNAL"):
        told = f"Trino failed, or lost its store: {error.message}"
        return EngineError(told, where=where, hint="run again")
    told = f"the SQL cannot be run: {error.message}"
    return unportable(error.message, where) or EngineError(told, where=where)


def _refuse() -> NoReturn:
    told = "Trino answers questions; it does not prepare or structure"
    raise EngineError(told, hint='engine = "duckdb" or "spark", and questions = "trino"')


def _array(values: list[Any], kind: str) -> pa.Array:
    if kind == "decimal":
        whole = all(v is None or Decimal(v) == int(v) for v in values)
        return pa.array([None if v is None else int(v) if whole else float(v) for v in values])
    if kind.startswith("timestamp"):
        return pa.array(values, pa.timestamp("us"))
    return pa.array(values, ARROW.get(kind))
