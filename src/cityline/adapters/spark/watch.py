"""What Spark itself waits for without an end: executors of a standalone cluster, a typed query."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from cityline.errors import SessionLost

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_EVERY = 1.0
"""Seconds between two looks."""


def stopped(session: Any) -> bool:
    """Whether the driver of a session in this process was stopped, or its JVM has ended."""
    context = getattr(session, "_sc", None)
    if context is None:  # a Connect session has none, and its client need not have Py4J
        return False
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with pyspark

    try:
        java = context._jsc  # another thread may stop it in between
        return java is None or bool(java.sc().isStopped())
    except (Py4JError, OSError):
        return True


@contextmanager
def executors_watched(
    session: Callable[[], SparkSession | None], address: str, patience: float, where: str
) -> Iterator[None]:
    """Stop what runs when the cluster has had no executor for `patience` seconds. Other masters
    (local, YARN, Kubernetes) and Spark Connect have bounds of their own.

    Raises SessionLost.
    """
    if not address.startswith("spark://"):
        yield
        return
    over, lost = threading.Event(), threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(session, patience, over, lost), name="spark-watch", daemon=True
    )
    watcher.start()
    try:
        yield
    except Exception as error:
        if lost.is_set():
            told = f"the cluster has had no executor for {patience:g} seconds; nothing was promoted"
            raise SessionLost(told, where=where, hint="start a worker, and run again") from error
        raise
    finally:
        over.set()
        watcher.join()


def _watch(
    session: Callable[[], SparkSession | None],
    patience: float,
    over: threading.Event,
    lost: threading.Event,
) -> None:
    from py4j.protocol import Py4JError  # noqa: PLC0415 - comes with pyspark

    seen = time.monotonic()
    while not over.wait(_EVERY):
        opened: Any = session()
        try:
            if opened is None or opened.sparkContext._jsc.sc().getExecutorMemoryStatus().size() > 1:
                seen = time.monotonic()
            elif time.monotonic() - seen > patience:
                lost.set()
                opened.sparkContext.cancelAllJobs()  # again and again: more jobs may come
        except (Py4JError, OSError):  # the driver is gone too: the call itself will say so
            return


@contextmanager
def stopped_after(session: Any, seconds: float) -> Iterator[None]:
    """Stop what this session runs meanwhile when it takes longer, again and again: between two jobs
    of a query there is nothing to stop. In process the tags are the context's: those of a session
    (Spark 4) are not seen from another thread."""
    tag = f"explore-{uuid.uuid4().hex}"
    if hasattr(session, "_jsparkSession"):
        context = session.sparkContext
        mark, unmark, stop = context.addJobTag, context.removeJobTag, context.cancelJobsWithTag
    else:
        mark, unmark, stop = session.addTag, session.removeTag, session.interruptTag
    over = threading.Event()

    def keep_stopping() -> None:
        pause = seconds
        while not over.wait(pause):
            pause = _EVERY
            with suppress(Exception):  # what is wrong with the session is told by the query
                stop(tag)

    mark(tag)
    threading.Thread(target=keep_stopping, name="spark-stop", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        unmark(tag)
