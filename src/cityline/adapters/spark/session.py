"""Opening a Spark session: on this machine, on a Spark Connect server, or inside a Glue job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cityline.adapters.spark.bucket import BUCKET_JARS, bucket_error
from cityline.errors import EngineError, MissingExtra, SessionLost, StoreError, StoreFull
from cityline.lake.address import Address

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "cityline"
"""The catalogue's name in Spark; PyIceberg's catalogue has the same, or they would not meet."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark runs. `address` is `local[*]`, a master, `sc://host:port` for Spark Connect, or
    nothing for the session a Glue job already has. `jars` is the folder of the Iceberg runtime;
    `extra` are more settings of the session, such as a bucket's; `table` says what the catalogue
    calls an address's table."""

    address: str
    jars: Path
    catalogue: Path
    warehouse: str
    memory: str = "4g"
    partitions: int = 8
    extra: Mapping[str, str] = field(default_factory=dict)
    table: Callable[[Address], str] = attrgetter("table")


def open_session(cluster: Cluster) -> SparkSession:
    """A session in UTC with ANSI arithmetic: an overflow is an error, never another number.

    Raises MissingExtra without pyspark, EngineError when Spark cannot be reached.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and heavy
        from pyspark.sql.types import StringType  # noqa: PLC0415
    except ImportError as error:
        told = "Spark's Python package is not installed"
        raise MissingExtra(told, hint="pip install 'cityline[spark]'") from error
    builder: Any = SparkSession.builder.appName("cityline")
    remote = cluster.address.startswith("sc://")
    if remote:
        builder = builder.remote(cluster.address)
    elif cluster.address:
        builder = builder.master(cluster.address)
    for key, value in _settings(cluster, remote=remote).items():
        builder = builder.config(key, value)
    with spark_errors(cluster.address or "this job's session"):
        session: SparkSession = builder.getOrCreate()
        if cluster.address and not remote:  # what goes wrong is told by our errors, not twice
            session.sparkContext.setLogLevel("OFF")
        session.udf.register("nfc_normalize", _nfc(), StringType())
    return session


def _settings(cluster: Cluster, *, remote: bool) -> dict[str, str]:
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": str(cluster.partitions),
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    }
    if remote or not cluster.address:  # a server and a Glue job know their catalogue and jars
        return settings
    jars = sorted(cluster.jars.glob("*.jar"))
    for needed in ("iceberg-spark-runtime", *(BUCKET_JARS if cluster.extra else ())):
        if not any(needed in jar.name for jar in jars):
            told = f"Spark's library {needed} is not there"
            raise EngineError(told, where=str(cluster.jars), hint="python tools/engines/fetch.py")
    catalogue = f"spark.sql.catalog.{CATALOG}"
    return settings | {
        "spark.jars": ",".join(map(str, jars)),
        "spark.driver.memory": cluster.memory,
        "spark.pyspark.python": sys.executable,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        catalogue: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalogue}.type": "jdbc",
        f"{catalogue}.uri": f"jdbc:sqlite:{cluster.catalogue}",
        f"{catalogue}.warehouse": cluster.warehouse,
        f"{catalogue}.cache-enabled": "false",
        # neither markers nor checksums beside the files of a candidate
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        # PyIceberg made the tables; looking for them again leaves a reader open for good
        f"{catalogue}.jdbc.init-catalog-tables": "false",
        **cluster.extra,
    }


def _nfc() -> Callable[[str | None], str | None]:
    """Unicode's normal form, which Spark has no function for. Made inside a function so that it
    travels whole: workers have Python, but not Cityline."""

    def normal(value: str | None) -> str | None:
        import unicodedata  # noqa: PLC0415 - on the worker

        return None if value is None else unicodedata.normalize("NFC", value)

    return normal


@contextmanager
def spark_errors(where: str) -> Iterator[None]:
    """Turn Spark's errors into EngineError and StoreFull."""
    from py4j.protocol import Py4JError, Py4JNetworkError  # noqa: PLC0415 - comes with pyspark
    from pyspark.errors import PySparkException  # noqa: PLC0415

    try:
        yield
    except (Py4JNetworkError, ConnectionError) as error:
        what = "the Spark session was lost; nothing was promoted"
        raise SessionLost(what, where=where, hint="run again: finished steps stay") from error
    except (PySparkException, Py4JError) as error:
        raise _translated(str(error), where) from error


def _translated(told: str, where: str) -> EngineError | StoreError:
    lines = [part.strip() for part in told.splitlines() if part.strip()]
    raised = (part for part in lines if "not portable" in part)
    line = next(raised, lines[0] if lines else "unknown")[:300]
    if "No space left" in told:
        hint = "free some space and run again"
        return StoreFull("no space is left where the zones are kept", where=where, hint=hint)
    refused = bucket_error(told, where)
    if refused is not None:
        return refused
    if "OutOfMemoryError" in told or "Java heap space" in told:
        hint = "raise memory_limit in the environment, or use more executors"
        return EngineError("Spark ran out of memory", where=where, hint=hint)
    lost = (
        "ExecutorLostFailure",
        "SparkContext was shut down",
        "stopped SparkContext",
        "sc is null",
    )
    if any(sign in told for sign in lost):
        what = "a Spark executor was lost; nothing was promoted"
        return SessionLost(what, where=where, hint="run again: finished steps stay")
    return EngineError(f"the SQL cannot be run: {line}", where=where)
