"""What Spark says when an executor ends, and what a person is told to try."""

from __future__ import annotations

import pytest

from cityline.adapters.spark.refusals import spark_errors
from cityline.errors import EngineError, SessionLost, StoreError, StoreRefused, StoreUnreachable

_ABORTED = (
    "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: "
    "Lost task 0.3 in stage 1.0 (TID 9): ExecutorLostFailure (executor 4 exited caused by one of "
    "the running tasks) Reason: "
)


class PySparkException(Exception):
    """Spark's own is not here when Spark is not installed."""


class Py4JNetworkError(Exception):
    """Py4J's own is not here either."""


AGAIN = "run again: finished steps stay; if it is lost again, give it more memory (memory_limit)"


def told(reason: str) -> EngineError:
    with pytest.raises(EngineError) as caught, spark_errors("here"):
        raise PySparkException(_ABORTED + reason)
    return caught.value


@pytest.mark.parametrize("code", [3, 52])
def test_an_executor_whose_memory_ended(code: int) -> None:
    error = told(f"Command exited with code {code}\nDriver stacktrace:")
    assert not isinstance(error, SessionLost)
    assert error.what == "Spark ran out of memory"
    assert "raise memory_limit" in error.hint


def test_an_executor_that_ended_without_a_reason_may_be_short_of_memory_too() -> None:
    error = told("Remote RPC client disassociated. Likely due to containers exceeding thresholds")
    assert isinstance(told("Command exited with code 37"), SessionLost)
    assert isinstance(error, SessionLost)
    assert error.hint == AGAIN


@pytest.mark.parametrize(
    "error",
    [Py4JNetworkError("Answer from Java side is empty"), PySparkException("sc is null")],
    ids=["Java ended", "Spark stopped"],
)
def test_a_driver_that_is_gone_may_be_short_of_memory_too(error: Exception) -> None:
    """Which of its threads finds no memory first decides whether it says so."""
    with pytest.raises(SessionLost) as caught, spark_errors("here"):
        raise error
    assert caught.value.hint == AGAIN


@pytest.mark.parametrize(
    ("java", "kind", "what", "hint"),
    [
        ("AccessDenied: 403", StoreRefused, "the store denies it", "must allow the bucket"),
        ("ExpiredToken: 400", StoreRefused, "the credentials have expired", "sign in again"),
        (
            "org.apache.hadoop.fs.s3a.AWSServiceThrottledException: put: SlowDown",
            StoreUnreachable,
            "the store cannot answer now",
            "run again",
        ),
    ],
)
def test_what_java_says_of_a_bucket(
    java: str, kind: type[StoreError], what: str, hint: str
) -> None:
    with pytest.raises(kind) as caught, spark_errors("here"):
        raise PySparkException(java)
    assert caught.value.what == what
    assert hint in caught.value.hint
