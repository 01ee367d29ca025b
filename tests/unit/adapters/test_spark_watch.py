"""Whether a Spark session is still there, and how what it runs is stopped."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from cityline.adapters.spark.watch import executors_watched, stopped, stopped_after
from cityline.errors import SessionLost


def test_a_connect_session_is_asked_nothing_of_py4j(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py4j", None)
    monkeypatch.setitem(sys.modules, "py4j.protocol", None)
    assert not stopped(SimpleNamespace(client="a session of Connect"))


def test_a_query_is_stopped_until_it_ends() -> None:
    """Between two of its jobs there is nothing to stop, and a stop goes by."""
    stops: list[str] = []
    twice = threading.Event()

    def stop(tag: str) -> None:
        stops.append(tag)
        if len(stops) == 2:
            twice.set()
        raise OSError("the first finds nothing, and this is told by the query itself")

    tags: list[str] = []
    session = SimpleNamespace(addTag=tags.append, removeTag=tags.remove, interruptTag=stop)
    with stopped_after(session, 0.01):
        assert len(tags) == 1
        assert twice.wait(30)
        assert stops[:2] == tags * 2
    assert tags == []


@pytest.mark.engines
def test_jobs_that_come_later_wait_for_no_executor_either() -> None:
    pytest.importorskip("py4j", reason="Spark is not installed")
    cancelled = threading.Semaphore(0)
    alone = SimpleNamespace(getExecutorMemoryStatus=lambda: SimpleNamespace(size=lambda: 1))
    context = SimpleNamespace(
        _jsc=SimpleNamespace(sc=lambda: alone), cancelAllJobs=cancelled.release
    )
    session: Any = SimpleNamespace(sparkContext=context)

    def two_jobs() -> None:
        for _ in range(2):
            assert cancelled.acquire(timeout=30)
        raise OSError("Job cancelled")

    with (
        pytest.raises(SessionLost, match="no executor for 0 seconds"),
        executors_watched(lambda: session, "spark://here:7077", 0, "here"),
    ):
        two_jobs()
