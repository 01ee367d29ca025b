"""What Spark's errors mean: which error of ours, and what to try."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from cityline.adapters.spark.bucket import bucket_error
from cityline.errors import (
    CitylineError,
    EngineError,
    SessionLost,
    StoreError,
    StoreFull,
    too_large,
    unportable,
)

_GONE = (
    "SparkContext was shut down",
    "stopped SparkContext",
    "sc is null",
    "Master removed our application",
    "All masters are unresponsive",
    "StatusCode.UNAVAILABLE",
    "StatusCode.DEADLINE_EXCEEDED",
    "failed to connect to all addresses",
    "RETRIES_EXCEEDED",
    "NO_ACTIVE_SESSION",
    "INVALID_HANDLE",
)
"""What Spark and its Connect client say when nobody is there any more."""

_LOST = {"Py4JNetworkError", "ConnectionError", "RetryException"}
"""The last is what is left of a Connect client's patience when the server came back meanwhile."""

_UNKNOWN = "OPERATION_NOT_FOUND"
"""Said by a server that was started anew. Spark 3.5's client raises it as a plain RuntimeError."""

_MEMORY = (
    "OutOfMemoryError",
    "Java heap space",
    "maxResultSize",
    "GC overhead limit",
    "Not enough memory",
)
_NO_MEMORY_LEFT = re.compile(r"exited with code (3|52)\b")
"""3 is the code of a JVM that ends when its memory does, as our executors do; 52 is Spark's own."""

_LARGE = ("ARITHMETIC_OVERFLOW", "CAST_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE")
_CLASS = re.compile(r"\[[A-Z_.]{5,}\]")
"""How Spark marks the line that says what is wrong."""


@contextmanager
def spark_errors(where: str) -> Iterator[None]:
    """Turn Spark's errors into EngineError, SessionLost and StoreError. Which there are depends on
    what is installed: a Connect client needs no Py4J, a driver no gRPC."""
    try:
        yield
    except CitylineError:
        raise
    except Exception as error:
        kinds = {k.__name__ for k in type(error).__mro__}
        if kinds & _LOST or _UNKNOWN in str(error):
            raise lost("the Spark session was lost", where) from error
        if kinds & {"PySparkException", "Py4JError", "RpcError"}:
            raise _translated(str(error), where) from error
        raise


def lost(what: str, where: str) -> SessionLost:
    """The error of a session that is gone. A driver or an executor whose memory ran out often goes
    before it can say so."""
    hint = "run again: finished steps stay; if it is lost again, give it more memory (memory_limit)"
    return SessionLost(f"{what}; nothing was promoted", where=where, hint=hint)


def _translated(told: str, where: str) -> EngineError | StoreError:
    if "No space left" in told:
        hint = "free some space and run again"
        return StoreFull("no space is left where the zones are kept", where=where, hint=hint)
    refused = bucket_error(told, where)
    if refused is not None:
        return refused
    if any(sign in told for sign in _MEMORY) or _NO_MEMORY_LEFT.search(told):
        hint = "raise memory_limit in the environment, or use more executors"
        return EngineError("Spark ran out of memory", where=where, hint=hint)
    if any(sign in told for sign in _GONE):
        return lost("the Spark session was lost", where)
    if "ExecutorLostFailure" in told:
        return lost("a Spark executor was lost", where)
    if any(sign in told for sign in _LARGE):
        return too_large(where)
    ours = unportable(told, where)
    if ours is not None:
        return ours
    lines = [part.strip() for part in told.splitlines() if part.strip()]
    named = (part for part in lines if _CLASS.search(part))
    line = next(named, lines[0] if lines else "unknown")[:300]
    return EngineError(f"the SQL cannot be run: {line}", where=where)
