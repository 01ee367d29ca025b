"""Opening a Spark session: on this machine, on a Spark Connect server, or inside a Glue job."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cityline.adapters.spark.bucket import BUCKET_JARS
from cityline.adapters.spark.connect import SCHEME, connected
from cityline.adapters.spark.java import find_java
from cityline.adapters.spark.refusals import spark_errors
from cityline.errors import EngineError, MissingExtra
from cityline.lake.address import Address

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TESTED = ("3.5.6", "4.1.4")
"""The versions of Spark that `docs/reference/conformance.md` is about."""
_INHERITED = ("spark.sql.catalog.", "spark.sql.iceberg.")


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where Spark runs. `address` is `local[*]`, a master, `sc://host:port` for Spark Connect, or
    nothing for the session a Glue job already has. `jars` is the folder of the Iceberg runtime;
    `extra` are more settings of the session, such as a bucket's; `catalog` is the catalogue's name
    in Spark; `table` says what the catalogue calls an address's table."""

    address: str
    jars: Path
    catalogue: Path
    warehouse: str
    memory: str = "4g"
    partitions: int = 8
    extra: Mapping[str, str] = field(default_factory=dict)
    catalog: str = "cityline"
    table: Callable[[Address], str] = attrgetter("table")


def open_session(cluster: Cluster) -> SparkSession:
    """A session in UTC with ANSI arithmetic: an overflow is an error, never another number.

    Raises MissingExtra without pyspark, EngineError when Spark cannot be reached.
    """
    try:
        from pyspark.sql.types import StringType  # noqa: PLC0415 - an extra, and heavy
    except ImportError as error:
        told = "Spark's Python package is not installed"
        raise MissingExtra(told, hint="pip install 'cityline[spark]'") from error
    if cluster.address:  # what goes wrong is told by our errors, not twice; a job decides itself
        logging.getLogger("SQLQueryContextLogger").disabled = True
    with spark_errors(cluster.address or "this job's session"):
        if cluster.address.startswith(SCHEME):
            session = connected(cluster.address)
        elif cluster.address:
            session = _started(cluster)
        else:
            session = _of_this_process(cluster)
        for key, value in _ours(cluster).items():
            session.conf.set(key, value)
        session.udf.register("nfc_normalize", _nfc(), StringType())
    return session


def _started(cluster: Cluster) -> SparkSession:
    """A session whose driver is this process."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and heavy

    settings = _settings(cluster)
    find_java()
    builder: Any = SparkSession.builder.appName("cityline").master(cluster.address)
    for key, value in settings.items():
        builder = builder.config(key, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _of_this_process(cluster: Cluster) -> SparkSession:
    """Beside the session a job has: on its executors and catalogue, with settings of its own."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and heavy

    there: Any = SparkSession.getActiveSession() or SparkSession.builder.getOrCreate()
    given = [row["key"] for row in there.sql("SET").collect()]
    session: SparkSession = there.newSession()
    for key in given:  # what a script set after its session began would not come along
        if key.startswith(_INHERITED):
            session.conf.set(key, there.conf.get(key))
    named = f"spark.sql.catalog.{cluster.catalog}"
    if session.conf.get(named, "") == "":
        told = f"this job's session has no catalogue {cluster.catalog!r}"
        hint = f'give the job --conf {named}=…, or name its own: [spark] catalog = "…"'
        raise EngineError(told, where="spark.catalog", hint=hint)
    return session


def _ours(cluster: Cluster) -> dict[str, str]:
    """What answers depend on, in every kind of session."""
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": str(cluster.partitions),
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # a day before October 1582 is the one it says, as everywhere else; Spark 3 would stop at it
        "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
        "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    }


def _settings(cluster: Cluster) -> dict[str, str]:
    """What a driver in this process is started with; a server and a job know their own."""
    jars = _jars(cluster)
    catalogue = f"spark.sql.catalog.{cluster.catalog}"
    return {
        "spark.jars": ",".join(map(str, jars)),
        "spark.driver.memory": cluster.memory,
        "spark.pyspark.python": sys.executable,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # a busy worker is late to say why its executor ended: that it was memory, mostly
        "spark.standalone.executorRemoveDelayOnDisconnection": "60s",
        # or its task races its end, and which comes first decides whether memory is spoken of
        "spark.executor.defaultJavaOptions": "-XX:+ExitOnOutOfMemoryError",
        catalogue: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalogue}.type": "jdbc",
        f"{catalogue}.uri": f"jdbc:sqlite:{cluster.catalogue}",
        f"{catalogue}.warehouse": cluster.warehouse,
        f"{catalogue}.cache-enabled": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        # PyIceberg made the tables; looking for them again leaves a reader open for good
        f"{catalogue}.jdbc.init-catalog-tables": "false",
        **cluster.extra,
    }


def _jars(cluster: Cluster) -> list[Path]:
    """The folder's jars, when the Iceberg runtime for the installed Spark is among them, and for a
    bucket what speaks to it."""
    from pyspark import __version__  # noqa: PLC0415 - an extra

    folder = cluster.jars
    wanted = f"iceberg-spark-runtime-{'.'.join(__version__.split('.')[:2])}_"
    jars = sorted(folder.glob("*.jar"))
    if any(jar.name.startswith(wanted) for jar in jars):
        _bucket_jars(cluster, jars)
        return jars
    others = [j.name for j in jars if j.name.startswith("iceberg-spark-runtime")]
    told = f"the Iceberg runtime for Spark {__version__} is not there"
    told += f", but {', '.join(others)}" if others else ""
    hint = "python tools/engines/fetch.py, and [spark] jars names the folder of this Spark's"
    raise EngineError(told, where=str(folder), hint=hint)


def _bucket_jars(cluster: Cluster, jars: list[Path]) -> None:
    for needed in BUCKET_JARS if cluster.extra else ():
        if not any(needed in jar.name for jar in jars):
            told = f"Spark's library {needed} is not there"
            hint = "python tools/engines/fetch.py"
            raise EngineError(told, where=str(cluster.jars), hint=hint)


def _nfc() -> Callable[[str | None], str | None]:
    """Unicode's normal form, which Spark has no function for. Made inside a function so that it
    travels whole: workers have Python, but not Cityline."""

    def normal(value: str | None) -> str | None:
        import unicodedata  # noqa: PLC0415 - on the worker

        return None if value is None else unicodedata.normalize("NFC", value)

    return normal
