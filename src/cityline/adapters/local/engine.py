"""DuckDB on one machine, behind `ports.engine.Engine`."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from cityline.adapters.formats.delimited import read_texts
from cityline.adapters.formats.folders import store_errors
from cityline.adapters.formats.parquet import adopted
from cityline.adapters.local import sandbox
from cityline.adapters.local.cleaning import run_plan
from cityline.errors import EngineError, StoreFull
from cityline.lake.version import Version
from cityline.ports.cleaning import Cleaned, CleaningPlan, Texts
from cityline.ports.engine import Explored, Layout, Limits, Tables, Written
from cityline.ports.store import Store

if TYPE_CHECKING:
    import duckdb

_ROW_GROUP = 1_000_000


@contextmanager
def engine_errors(where: str) -> Iterator[None]:
    """Turn DuckDB's errors into EngineError and StoreFull."""
    import duckdb  # noqa: PLC0415 - 0.2 s to import

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        hint = "raise memory_limit in the environment, or ask for less"
        raise EngineError(
            f"the engine ran out of memory: {error}", where=where, hint=hint
        ) from error
    except duckdb.IOException as error:
        if "No space left" in str(error):
            what = "no space is left where the zones are kept"
            raise StoreFull(what, where=where, hint="free some space and run again") from error
        raise EngineError(f"a file cannot be used: {error}", where=where) from error
    except duckdb.Error as error:
        raise EngineError(f"the SQL cannot be run: {error}", where=where) from error


class DuckEngine:
    """One in-memory database; tables are views over Parquet files or Arrow tables.

    A table is written below `work` and adopted by the store file by file: a folder on the store's
    file system makes that a rename.
    """

    name = "duckdb"

    def __init__(
        self,
        store: Store,
        memory_limit: str = "4GB",
        threads: int = 0,
        work: Path | None = None,
    ) -> None:
        self._store = store
        self._work = work or Path(tempfile.gettempdir())
        self._settings: dict[str, str | int] = {
            "memory_limit": memory_limit,
            "preserve_insertion_order": "false",
        }
        if threads:
            self._settings["threads"] = threads
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._bound: dict[str, object] = {}
        self._lock = threading.RLock()

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The result of one SELECT as Arrow."""
        with self._lock, engine_errors(_excerpt(sql)):
            connection = self._bind(tables)
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise EngineError("exactly one statement can be run", where=_excerpt(sql))
            wanted = statements[0].named_parameters
            given = {k: v for k, v in (parameters or {}).items() if k in wanted}
            result: pa.Table = connection.sql(sql, params=given or None).to_arrow_table()
            return result

    def explore(self, sql: str, tables: Tables, limits: Limits) -> Explored:
        """One SELECT a person typed, in a process of its own, see `sandbox`."""
        return sandbox.explore(sql, tables, limits, self._store.fetch)

    def write(
        self,
        sql: str,
        tables: Tables,
        into: str,
        *,
        partition_by: Sequence[str] = (),
        order_by: Sequence[str] = (),
    ) -> Written:
        """Write one SELECT as Parquet (zstd) below the key `into`."""
        folder = self._work / uuid.uuid4().hex
        order = f" ORDER BY {', '.join(map(_quote, order_by))}" if order_by else ""
        options = [f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP}"]
        if partition_by:
            columns = ", ".join(map(_quote, partition_by))
            options.append(f"PARTITION_BY ({columns}), WRITE_PARTITION_COLUMNS true")
            target = folder
        else:
            target = folder / f"{uuid.uuid4().hex}.parquet"
        copy = f"COPY (SELECT * FROM ({sql}\n){order}) TO {_text(str(target))}"
        with store_errors(into):
            folder.mkdir(parents=True)
        try:
            with self._lock, engine_errors(into):
                self._bind(tables).execute(f"{copy} ({', '.join(options)})")
            return adopted(folder, self._store, into)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def read_texts(self, path: Path, layout: Layout) -> Texts:
        """All cells of a delimited file as texts."""
        return read_texts(path, layout)

    def clean(self, plan: CleaningPlan, texts: Texts) -> Cleaned:
        """Run a plan on the distinct values of each column, see `cleaning`."""
        with self._lock, engine_errors("recipe"):
            return run_plan(plan, texts, self._connection())

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            import duckdb  # noqa: PLC0415 - 0.2 s to import

            self._opened = duckdb.connect(config=dict(self._settings))
            self._opened.execute("SET autoinstall_known_extensions = false")
            self._opened.execute("SET TimeZone = 'UTC'")
        return self._opened

    def _bind(self, tables: Tables) -> duckdb.DuckDBPyConnection:
        """Make the named tables visible; those already bound to the same version stay."""
        connection = self._connection()
        for name, table in tables.items():
            if self._bound.get(name) is table:
                continue
            self._view(connection, name, table)
            self._bound[name] = table
        return connection

    def _view(
        self, connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table | Version
    ) -> None:
        schema, _, short = name.rpartition(".")
        if schema:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_quote(schema)}")
        qualified = ".".join(map(_quote, filter(None, (schema, short))))
        if isinstance(table, Version):
            files = ", ".join(_text(str(self._store.fetch(f.key))) for f in table.files)
            source = f"read_parquet([{files}], hive_partitioning = false)"
        else:
            source = _quote(f"arrow:{name}")
            connection.register(f"arrow:{name}", table)
        connection.execute(f"CREATE OR REPLACE VIEW {qualified} AS SELECT * FROM {source}")


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _excerpt(sql: str) -> str:
    line = " ".join(sql.split())
    return line if len(line) <= 80 else f"{line[:77]}…"  # noqa: PLR2004 - one terminal line
