"""Opening a Spark session: on this machine, on a Spark Connect server, or inside a Glue job."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cityline.errors import EngineError, MissingExtra, SessionLost, StoreFull, too_large

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CATALOG = "cityline"
"""The catalogue's name in Spark; PyIceberg's catalogue has the same, or they would not meet."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark runs. `address` is `local[*]`, a master, `sc://host:port` for Spark Connect, or
    nothing for the session a Glue job already has. `jars` is the folder of the Iceberg runtime."""

    address: str
    jars: Path
    catalogue: Path
    warehouse: Path
    memory: str = "4g"
    partitions: int = 8


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
    if not any("iceberg-spark-runtime" in jar.name for jar in jars):
        told = "the Iceberg runtime for Spark is not there"
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
        f"{catalogue}.warehouse": str(cluster.warehouse),
        f"{catalogue}.cache-enabled": "false",
        # PyIceberg made the tables; looking for them again leaves a reader open for good
        f"{catalogue}.jdbc.init-catalog-tables": "false",
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


_LOST = ("ExecutorLostFailure", "SparkContext was shut down", "stopped SparkContext", "sc is null",
         "Master removed our application", "All masters are unresponsive")  # fmt: skip
_MEMORY = ("OutOfMemoryError", "Java heap space", "exited with code 52", "maxResultSize",
           "GC overhead limit", "Not enough memory")  # fmt: skip
"""52 is the code of a JVM that ended because its memory did."""
_LARGE = ("ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE")


def _translated(told: str, where: str) -> EngineError | StoreFull:
    lines = [part.strip() for part in told.splitlines() if part.strip()]
    if "No space left" in told:
        hint = "free some space and run again"
        return StoreFull("no space is left where the zones are kept", where=where, hint=hint)
    if any(sign in told for sign in _MEMORY):
        hint = "raise memory_limit in the environment, or use more executors"
        return EngineError("Spark ran out of memory", where=where, hint=hint)
    if any(sign in told for sign in _LOST):
        what = "a Spark executor was lost; nothing was promoted"
        return SessionLost(what, where=where, hint="run again: finished steps stay")
    if any(sign in told for sign in _LARGE):
        return too_large(where)
    named = (
        part for part in lines if "not portable" in part or re.search(r"\[[A-Z_.]{5,}\]", part)
    )
    line = next(named, lines[0] if lines else "unknown")[:300]
    return EngineError(f"the SQL cannot be run: {line}", where=where)
