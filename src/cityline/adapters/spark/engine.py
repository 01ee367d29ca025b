"""Spark behind `ports.engine.Engine`: portable SQL over the same Iceberg tables."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cityline.adapters.formats.delimited import read_texts
from cityline.adapters.formats.folders import store_errors
from cityline.adapters.formats.parquet import written_below
from cityline.adapters.spark.cleaning import run_plan
from cityline.adapters.spark.connect import SCHEME, forgotten, left
from cityline.adapters.spark.refusals import lost, spark_errors
from cityline.adapters.spark.rows import TYPES, to_arrow
from cityline.adapters.spark.session import TESTED, Cluster, open_session
from cityline.adapters.spark.watch import executors_watched, stopped, stopped_after
from cityline.dialect import emit
from cityline.errors import EngineError, QueryStopped, SessionLost
from cityline.lake.version import Version
from cityline.ports.cleaning import Cleaned, CleaningPlan, Texts
from cityline.ports.engine import Explored, Layout, Limits, Table, Tables, Written
from cityline.ports.store import Store

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCRATCH = "scratch"
"""Where tables that are on their way into Spark lie; swept when a run ends."""


class SparkEngine:
    """Tables are snapshots of the shared catalogue, files of a candidate, or Arrow put in the
    store's scratch: the store is a folder or a bucket that the cluster sees as well. What is on
    its way there lies below `work`."""

    name = "spark"
    patience = 60.0
    """Seconds a cluster may be without any executor while it is asked."""

    def __init__(self, store: Store, work: Path, cluster: Cluster) -> None:
        self._store = store
        self._work = work
        self._cluster = cluster
        self._opened: SparkSession | None = None
        self._bound: dict[str, tuple[object, dict[str, str]]] = {}
        self._calls = 0
        self._lock = threading.RLock()

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        """The result of one SELECT as Arrow."""
        with self._lock, self._errors(sql[:80]):
            return to_arrow(self._frame(sql, tables, parameters))

    def explore(self, sql: str, tables: Tables, limits: Limits) -> Explored:
        """One SELECT a person typed. Spark reads no file and no network here: the profile has no
        function that could."""
        began = time.perf_counter()
        with self._lock, self._errors(sql[:80]):
            frame = self._frame(sql, tables, None).limit(limits.rows + 1)
            try:
                with stopped_after(self.session(), limits.seconds):
                    found = to_arrow(frame)
            except Exception as error:
                if time.perf_counter() - began < limits.seconds:
                    raise
                told = f"the query took longer than {limits.seconds:g} seconds"
                raise QueryStopped(told, hint="ask for less, or narrow the months") from error
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
        """Write one SELECT as Parquet (zstd) below the key `into`."""
        with self._lock, self._errors(into):
            frame = self._frame(sql, tables, None)
            if order_by:
                frame = frame.orderBy(*order_by)
            return self.keep(frame, into, partition_by)

    def keep(self, frame: DataFrame, into: str, partition_by: Sequence[str] = ()) -> Written:
        """Write a frame as Parquet files below a key of the store."""
        writer = frame
        for name in partition_by:  # Spark takes a partition's column out of its files: give a copy
            writer = writer.withColumn(f"_{name}", frame[name])
        place = self._store.locate(into)
        writer.write.partitionBy(*(f"_{n}" for n in partition_by)).parquet(place)
        if "://" not in place:  # into a folder Spark puts checksums beside the files
            for beside in Path(place).rglob(".*.crc"):
                beside.unlink()
        return written_below(self._store, into)

    def read_texts(self, path: Path, layout: Layout) -> Texts:
        """All cells as texts. One reader decides what a record is, on every engine: so the file is
        read here, and Spark gets its texts."""
        return read_texts(path, layout)

    def clean(self, plan: CleaningPlan, texts: Texts) -> Cleaned:
        """Run a plan as SQL on the cluster, see `cleaning`."""
        with self._lock, self._errors("recipe"):
            return run_plan(plan, texts, self)

    def examine(self) -> str:
        """That Spark answers, and whether the answers of its version were compared."""
        self.query("SELECT 1 AS one", {})
        version = self.session().version
        if version.partition("-")[0] in TESTED:  # a platform's own build: 3.5.6-amzn-0
            return f"spark {version} answers"
        return f"spark {version} answers (warning: compared were {' and '.join(TESTED)} only)"

    # -- tables ---------------------------------------------------------------------------------

    def session(self) -> SparkSession:
        """The session, opened at first use, and anew when it was stopped between two calls."""
        self._look_again()
        if self._opened is None:
            self._opened = open_session(self._cluster)
        return self._opened

    @contextmanager
    def _errors(self, where: str) -> Iterator[None]:
        """Spark's errors as ours; a lost session is forgotten, so that the next call opens one.
        Within a call there is one session: another would not know what was bound in it."""
        self._look_again()
        self._calls += 1
        try:
            with (
                spark_errors(where),
                executors_watched(
                    lambda: self._opened, self._cluster.address, self.patience, where
                ),
            ):
                yield
        except SessionLost:
            self._forget()
            raise
        except EngineError as error:
            remote = self._opened is not None and self._cluster.address.startswith(SCHEME)
            if remote and forgotten(self._opened):
                self._forget()
                what = "the Spark Connect server no longer knows this session; nothing was promoted"
                raise SessionLost(what, where=where, hint="run again") from error
            self._still_there(where, error)
            raise
        except Exception as error:
            self._still_there(where, error)
            raise
        finally:
            self._calls -= 1

    def _look_again(self) -> None:
        """Forget a session that was stopped, but not while a call is in it."""
        if self._calls == 0 and self._opened is not None and stopped(self._opened):
            self._forget()

    def _still_there(self, where: str, error: Exception) -> None:
        """A driver that was stopped fails in many ways, by version and by call: it is asked.

        Raises SessionLost.
        """
        if self._opened is not None and stopped(self._opened):
            self._forget()
            raise lost("the Spark session was stopped", where) from error

    def _forget(self) -> None:
        if self._opened is not None and self._cluster.address.startswith(SCHEME):
            left(self._opened)
        self._opened = None
        self._bound.clear()

    def put(self, table: pa.Table) -> str:
        """Put an Arrow table where the cluster can read it; returns the path or URI."""
        name = f"{uuid.uuid4().hex}.parquet"
        with store_errors(name):
            self._work.mkdir(parents=True, exist_ok=True)
            pq.write_table(_storable(table), self._work / name, compression="zstd")
        self._store.adopt(self._work / name, f"{SCRATCH}/{name}")
        return self._store.locate(f"{SCRATCH}/{name}")

    def noted(self, sql: str, tables: Tables, into: str, notes: Collection[str]) -> Written:
        """Write a recipe's SELECT; `notes` are its columns that say whether a cell changed."""
        with self._lock, self._errors(into):
            return self.keep(self._frame(sql, tables, None, notes), into)

    def _frame(
        self,
        sql: str,
        tables: Tables,
        parameters: Mapping[str, Any] | None,
        notes: Collection[str] = (),
    ) -> DataFrame:
        schemas = {name: self._bind(name, table) for name, table in tables.items()}
        names = {name: _view(name) for name in tables}
        spoken = emit(sql, "spark", schemas, parameters=parameters, names=names, notes=notes)
        return self.session().sql(spoken)

    def _bind(self, name: str, table: Table) -> dict[str, str]:
        known = self._bound.get(name)
        if known is not None and known[0] is table:
            return known[1]
        frame = self._read(table)
        frame.createOrReplaceTempView(_view(name))
        columns = {c: TYPES.get(kind, kind.upper()) for c, kind in frame.dtypes}
        self._bound[name] = (table, columns)
        return columns

    def _read(self, table: Table) -> DataFrame:
        reader = self.session().read
        if not isinstance(table, Version):
            return reader.parquet(self.put(table))
        if table.id.lstrip("-").isdigit():
            # the store is asked first: Iceberg tries one that is away for ten minutes
            self._store.keys(table.files[0].key if table.files else SCRATCH)
            named = f"{self._cluster.catalog}.{self._cluster.table(table.address)}"
            # Iceberg's own option for a snapshot is refused from Spark 4.1 on
            return self.session().sql(f"SELECT * FROM {named} VERSION AS OF '{table.id}'")
        return reader.parquet(*(self._store.locate(f.key) for f in table.files))


def _view(name: str) -> str:
    return name.replace(".", "__")


def _storable(table: pa.Table) -> pa.Table:
    """Parquet has no dictionary or null columns of its own: write plain texts."""
    fields = []
    for field in table.schema:
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        fields.append(field.with_type(pa.string() if pa.types.is_null(kind) else kind))
    return table.cast(pa.schema(fields))
