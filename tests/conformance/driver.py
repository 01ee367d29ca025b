"""One Spark driver in a process of its own: runs an engine's call and says as JSON how it ended.

`python -m tests.conformance.driver '{"home": …, "address": …, "sql": …}'`. A JVM's memory, and what
dies with it, belong to one process; so each fault has its own.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError

from cityline.adapters.local.store import FolderStore
from cityline.adapters.spark.engine import SparkEngine
from cityline.adapters.spark.session import Cluster
from cityline.errors import CitylineError
from tests.conformance import data
from tests.conformance.servers import ENGINES


def _main(asked: dict[str, Any]) -> dict[str, Any]:
    home = Path(asked["home"])
    store = FolderStore(home / "lake")
    cluster = Cluster(asked["address"], ENGINES / "spark-3.5", home / "catalog.db",
                      str(store.root), asked.get("memory", "1g"), partitions=2)  # fmt: skip
    engine = SparkEngine(store, home / "incoming", cluster)
    engine.patience = 300.0
    tables = {"t": data.rows()}
    engine.query("SELECT count(*) AS n FROM t", tables)  # the session and its first executor
    _tell({"ready": True})
    over = threading.Event()
    watch = threading.Thread(target=_tell_when_at_work, args=(engine, over))
    watch.start()
    engine.patience = float(asked.get("patience", 60))
    began = time.monotonic()
    try:
        if "into" in asked:
            rows: Any = engine.write(asked["sql"], tables, asked["into"]).rows
        else:
            rows = engine.query(asked["sql"], tables).to_pylist()[:5]
        ended: dict[str, Any] = {"rows": rows}
    except CitylineError as error:
        ended = {"code": error.code, "what": error.what, "hint": error.hint,
                 "passing": error.passing}  # fmt: skip
    finally:
        over.set()
        watch.join()
    return {**ended, "seconds": round(time.monotonic() - began, 1)}


def _tell_when_at_work(engine: SparkEngine, over: threading.Event) -> None:
    """Say so once, as soon as an executor has a task. A driver that dies meanwhile is told by what
    was asked of it."""
    with suppress(Py4JError, OSError):
        tracker = engine.session().sparkContext.statusTracker()
        while not over.wait(0.1):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            if any(stage and stage.numActiveTasks for stage in stages):
                _tell({"at work": True})
                return


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _tell(_main(json.loads(sys.argv[1])))
