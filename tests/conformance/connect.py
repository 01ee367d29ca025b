"""Spark Connect servers for the tests, on this machine alone: one of the Spark that is installed, and
one that forgets."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyspark

from cityline.adapters.local.store import FolderStore
from cityline.adapters.spark.connect import _fork_as_others_do
from cityline.adapters.spark.engine import SparkEngine
from cityline.adapters.spark.session import Cluster
from tests.conformance.servers import ENGINES, spark_jars
from tests.ports import free_port

_PATIENCE = 180.0
_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"


@dataclass
class ConnectServer:
    """A server over the catalogue of a home. It can be killed and started again on its port."""

    home: Path
    work: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"sc://127.0.0.1:{self.port}"

    def engine(self) -> SparkEngine:
        """A client of it, that has no jars and no catalogue of its own."""
        store = FolderStore(self.home / "lake")
        nowhere = self.work / "nowhere"
        cluster = Cluster(self.address, nowhere, nowhere, str(nowhere), partitions=2)
        return SparkEngine(store, self.home / "incoming", cluster)

    def start(self) -> None:
        """Start, and wait until the port answers."""
        self.work.mkdir(parents=True, exist_ok=True)
        home = Path(pyspark.__file__).parent
        own = sorted((ENGINES / "spark-connect-3.5").glob("*.jar"))
        jars = [*spark_jars().glob("*.jar"), *(own if pyspark.__version__ < "4" else ())]
        told = [x for k, v in self._settings().items() for x in ("--conf", f"{k}={v}")]
        command = [str(home / "bin" / "spark-submit"), "--master", "local[2]", "--driver-memory", "2g",
                   "--jars", ",".join(map(str, jars)), "--class", _CLASS, *told,
                   "spark-internal"]  # fmt: skip
        env = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
        env |= {"SPARK_HOME": str(home), "PYSPARK_PYTHON": sys.executable, "TZ": "UTC"}
        with (self.work / "connect.log").open("ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, env=env, cwd=self.work, start_new_session=True
            )
        try:
            self._await(self.process)
        except BaseException:
            self.kill()
            raise

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.3)
            else:
                return
        told = (self.work / "connect.log").read_text("utf-8")[-2000:]
        raise RuntimeError(f"Spark Connect did not start: {told}")

    def kill(self) -> None:
        """At once, as when a machine fails."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _settings(self) -> dict[str, object]:
        catalogue = "spark.sql.catalog.cityline"
        return {
            "spark.connect.grpc.binding.address": "127.0.0.1",  # from Spark 4; 3.5 binds everywhere
            "spark.connect.grpc.binding.port": self.port,
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            catalogue: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalogue}.type": "jdbc",
            f"{catalogue}.uri": f"jdbc:sqlite:{self.home / 'catalog.db'}",
            f"{catalogue}.warehouse": self.home / "lake",
            f"{catalogue}.cache-enabled": "false",
            f"{catalogue}.jdbc.init-catalog-tables": "false",
        }


@contextmanager
def forgetful(answers: int) -> Iterator[str]:
    """The address of a server that opens sessions, breaks off each query after so many answers and
    no longer knows it afterwards, as one does that is started anew again and again."""
    _fork_as_others_do()  # gRPC is loaded here, before the product may do it
    import grpc  # noqa: PLC0415
    from google.rpc.status_pb2 import Status  # noqa: PLC0415
    from grpc_status.rpc_status import to_status  # noqa: PLC0415
    from pyspark.sql.connect.proto import base_pb2  # noqa: PLC0415

    def config(request: Any, _: Any) -> Any:
        return base_pb2.ConfigResponse(session_id=request.session_id)

    def execute(request: Any, context: Any) -> Iterator[Any]:
        for n in range(answers):
            yield base_pb2.ExecutePlanResponse(session_id=request.session_id, response_id=str(n))
        context.abort(grpc.StatusCode.UNAVAILABLE, "going away")

    def reattach(request: Any, context: Any) -> Iterator[Any]:
        told = "[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle is invalid. Operation not found."
        internal, _ = grpc.StatusCode.INTERNAL.value
        context.abort_with_status(to_status(Status(code=internal, message=told)))
        yield

    def release(request: Any, _: Any) -> Any:
        return base_pb2.ReleaseExecuteResponse(session_id=request.session_id)

    one, many = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    plan = base_pb2.ExecutePlanResponse.SerializeToString
    methods = {
        "Config": one(
            config, base_pb2.ConfigRequest.FromString, base_pb2.ConfigResponse.SerializeToString
        ),
        "ExecutePlan": many(execute, base_pb2.ExecutePlanRequest.FromString, plan),
        "ReattachExecute": many(reattach, base_pb2.ReattachExecuteRequest.FromString, plan),
        "ReleaseExecute": one(
            release,
            base_pb2.ReleaseExecuteRequest.FromString,
            base_pb2.ReleaseExecuteResponse.SerializeToString,
        ),
    }
    with ThreadPoolExecutor(4) as pool:
        server = grpc.server(pool)
        service = "spark.connect.SparkConnectService"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"sc://127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
