"""The limit of a typed query stands on its outermost query, or the order would be lost on Trino."""

from __future__ import annotations

import pytest

from cityline.dialect import emit
from cityline.errors import EngineError

NUMBERS = {"t": {"i": "BIGINT"}}
SENT = {
    "SELECT i FROM t": "FROM main.t AS t LIMIT 11",
    "SELECT i FROM t ORDER BY i DESC": "ORDER BY i DESC LIMIT 11",
    "SELECT i FROM t ORDER BY i LIMIT 3": "ORDER BY i LIMIT 3",
    "SELECT i FROM t ORDER BY i LIMIT 0": "ORDER BY i LIMIT 0",
    "SELECT i FROM t ORDER BY i LIMIT 11": "ORDER BY i LIMIT 11",
    "SELECT i FROM t ORDER BY i LIMIT 12": "ORDER BY i LIMIT 11",
    "SELECT i FROM t ORDER BY i LIMIT 2 + 3": "ORDER BY i LIMIT 5",
    "SELECT i FROM t ORDER BY i limit all": "ORDER BY i LIMIT 11",
    "SELECT i FROM t ORDER BY i OFFSET 5": "ORDER BY i OFFSET 5 LIMIT 11",
    "SELECT i FROM t ORDER BY i LIMIT 3 OFFSET 5": "ORDER BY i OFFSET 5 LIMIT 3",
    "WITH w AS (SELECT i FROM t) SELECT i FROM w ORDER BY i": "FROM w AS w ORDER BY i LIMIT 11",
    "WITH w AS (SELECT i FROM t) ((SELECT i FROM w ORDER BY i))": "FROM w AS w ORDER BY i LIMIT 11",
    "SELECT i FROM t UNION ALL SELECT i FROM t ORDER BY i": "FROM main.t AS t ORDER BY i LIMIT 11",
    "(SELECT i FROM t) EXCEPT (SELECT i FROM t ORDER BY i LIMIT 2)": "LIMIT 2 ) LIMIT 11",
    "(SELECT i FROM t ORDER BY i)": "FROM main.t AS t ORDER BY i LIMIT 11",
    "((SELECT i FROM t ORDER BY i LIMIT 20))": "FROM main.t AS t ORDER BY i LIMIT 11",
    "(SELECT i FROM t ORDER BY i LIMIT 20) ORDER BY i DESC": "LIMIT 20 ) ORDER BY i DESC LIMIT 11",
}
"""What is asked, and how it ends when eleven rows are wanted."""


def sent(sql: str, rows: int | None) -> str:
    return " ".join(emit(sql, "trino", NUMBERS, rows=rows).split())


@pytest.mark.parametrize("sql", SENT)
def test_no_more_rows_are_asked_for_than_wanted(sql: str) -> None:
    assert sent(sql, 11).endswith(SENT[sql])


@pytest.mark.parametrize("number", ["1e3", "3.5", "'3'", "-1", "NULL", "(SELECT 3)"])
def test_a_limit_that_is_no_whole_number_is_refused(number: str) -> None:
    with pytest.raises(EngineError, match="LIMIT takes a whole number"):
        sent(f"SELECT i FROM t ORDER BY i LIMIT {number}", 11)


def test_a_question_in_parentheses_keeps_its_order() -> None:
    made = sent("((SELECT i FROM t ORDER BY i DESC))", None)
    assert made == "SELECT t.i AS i FROM main.t AS t ORDER BY i DESC"
