"""What our own SQL refuses while it runs is told alike, whatever an engine puts around it."""

from __future__ import annotations

import pytest

from cityline.errors import EngineError, unportable

TOLD = "not portable: a series of months must begin before the 29th"


@pytest.mark.parametrize(
    "said",
    [
        TOLD,  # Trino
        f"java.lang.RuntimeException: {TOLD}\n\tat org.apache.spark",  # Spark 3.5
        f"[USER_RAISED_EXCEPTION] {TOLD} SQLSTATE: P0001\n== SQL ==",  # Spark 4
        f"GENERIC_USER_ERROR: {TOLD}",  # Athena
    ],
)
def test_a_refusal_is_found_in_an_engines_words(said: str) -> None:
    found = unportable(said, "here")
    assert isinstance(found, EngineError)
    assert found.what == TOLD


def test_another_error_is_none() -> None:
    assert unportable("[DIVIDE_BY_ZERO] Division by zero", "here") is None
