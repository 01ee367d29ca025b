"""Runs what a person typed in a process of its own, and kills it when it takes too much."""

from __future__ import annotations

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from cityline.errors import EngineError, QueryStopped, UsageError
from cityline.lake.version import Version
from cityline.ports.engine import Explored, Limits, Tables, named

_WORKER = Path(__file__).with_name("worker.py")
_AT_ONCE = threading.BoundedSemaphore(2)
_GRACE = 0.6
"""Seconds between asking a query to stop and killing its process."""
_START = 30.0
"""Seconds a process may take to start: on a busy machine longer than many a query."""
_PATH = re.compile(r"(?:/[\w.@=+-]+){2,}")
_HINTS = {
    "time": "ask for fewer rows or a shorter period, or raise the time",
    "memory": "aggregate before joining, or ask for fewer columns",
    "size": "ask for fewer rows or columns",
}


def explore(sql: str, tables: Tables, limits: Limits, fetch: Callable[[str], Path]) -> Explored:
    """One SELECT over the tables, in a new process.

    Raises UsageError for a statement that may not run, QueryStopped for one that took too much and
    EngineError for one that is wrong. No message names a place of this machine.
    """
    if not _AT_ONCE.acquire(timeout=limits.seconds):
        hint = "others are asking now; try again in a moment"
        raise QueryStopped("no place became free for the query", where="query", hint=hint)
    try:
        with _room() as folder:
            asked = _request(sql, tables, limits, fetch, folder)
            return _answer(_ask(asked, limits, folder), tables)
    finally:
        _AT_ONCE.release()


@contextmanager
def _room() -> Iterator[Path]:
    """An empty folder for the process to stand in."""
    folder = Path(tempfile.mkdtemp(prefix="cityline-query-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _request(
    sql: str, tables: Tables, limits: Limits, fetch: Callable[[str], Path], folder: Path
) -> bytes:
    given: dict[str, Any] = {}
    for at, (name, table) in enumerate(named(sql, tables).items()):
        if isinstance(table, Version):
            links = [_link(folder, f"{at}-{i}.parquet", fetch(f.key))
                     for i, f in enumerate(table.files)]  # fmt: skip
            given[name] = {"files": links, "arrow": ""}
        else:
            path = folder / f"{at}.arrow"
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
                out.write_table(table)
            given[name] = {"files": [], "arrow": str(path)}
    return json.dumps({"sql": sql, "tables": given, "limits": asdict(limits)}).encode()


def _link(folder: Path, name: str, target: Path) -> str:
    """A short name in the process's own folder: a plan that names its files tells no place."""
    (folder / name).symlink_to(target)
    return name


def _ask(asked: bytes, limits: Limits, folder: Path) -> bytes:
    """The process's answer; it is dead when this returns, however it returns."""
    request = folder / "request.json"  # a file: no process need be there to read it
    request.write_bytes(asked)
    with request.open("rb") as given:
        process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-I", str(_WORKER)],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={"LANG": "C.UTF-8", "HOME": str(folder)},
            start_new_session=True,
        )
    try:
        if not _begun(process):
            hint = "the machine is busy; try again in a moment"
            raise QueryStopped("the query could not be begun in time", where="query", hint=hint)
        told, _ = process.communicate(timeout=limits.seconds + _GRACE)
    except subprocess.TimeoutExpired as error:
        raise _stopped("time", limits) from error
    finally:
        _kill(process)
    if process.returncode == -signal.SIGXCPU:
        raise _stopped("time", limits)
    told = told.removeprefix(b"\n")
    if not told:
        raise _stopped("memory", limits)
    return told


def _begun(process: subprocess.Popen[bytes]) -> bool:
    """Whether it says so, or ends, in time."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout or -1, selectors.EVENT_READ)
        return bool(waiting.select(_START))


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _answer(told: bytes, tables: Tables) -> Explored:
    head, _, body = told.partition(b"\n")
    facts: Mapping[str, Any] = json.loads(head)
    known = f"tables: {', '.join(sorted(tables))}"
    if "refused" in facts:
        raise UsageError(_scrubbed(facts["refused"]), where="query", hint=known)
    if "failed" in facts:
        raise EngineError(_scrubbed(facts["failed"]), where="query", hint=known)
    if "stopped" in facts:
        raise _stopped(facts["stopped"], None)
    table = pa.ipc.open_stream(body).read_all()
    return Explored(
        table,
        truncated=facts["truncated"],
        milliseconds=facts["milliseconds"],
        rows_scanned=facts["rows_scanned"],
        bytes_scanned=facts["bytes_scanned"],
    )


def _stopped(why: str, limits: Limits | None) -> QueryStopped:
    told = {
        "time": f"the query took more than {limits.seconds:g} s" if limits else "it took too long",
        "memory": "the query needed more memory than it may have",
        "size": "the result is larger than it may be",
    }
    return QueryStopped(told[why], where="query", hint=_HINTS[why])


def _scrubbed(message: str) -> str:
    """The engine's message without places of this machine."""
    return _PATH.sub("…", message)
