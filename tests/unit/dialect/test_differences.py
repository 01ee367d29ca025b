"""Differences that random queries and hard rows found, each as it is refused or emitted now."""

from __future__ import annotations

import pytest

from cityline.dialect import emit, lint

SCHEMAS = {
    "t": {"id": "BIGINT", "q": "INTEGER", "x": "DOUBLE", "y": "DOUBLE", "c": "DECIMAL(12, 2)",
          "p": "DECIMAL(9, 4)", "s": "VARCHAR", "d": "DATE", "ts": "TIMESTAMP"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "says", "instead"),
    [
        ("c * p", "a product of decimals", "CAST(a AS DOUBLE)"),
        ("CAST(x AS VARCHAR)", "double as a text", "round(x, 2)"),
        ("CAST(x AS DECIMAL(9, 2))", "double as a decimal", "round(x, 2)"),
        ("TRY_CAST(s AS DECIMAL(9, 2))", "text as a decimal", "TRY_CAST(x AS DOUBLE)"),
        ("CAST(q AS SMALLINT)", "overflows sooner", "INTEGER"),
        ("ceil(c) * p", "a product of decimals", "CAST(a AS DOUBLE)"),
        ("sign(q) * 2", "overflows sooner", "BIGINT"),
        ("s || q", "joins texts", "CAST(x AS VARCHAR)"),
        ("length(q)", "takes a text", "CAST(x AS VARCHAR)"),
        ("concat(s, x)", "takes a text", "CAST(x AS VARCHAR)"),
        ("x IN (SELECT y FROM t)", "a double is looked for", "EXISTS"),
        ("ts - ts", "difference of two dates", "date_diff"),
        ("CAST(s AS TIMESTAMP)", "text as a date", "try_strptime"),
        ("ts AT TIME ZONE 'America/Vancouver'", "AT TIME ZONE", "table of offsets"),
    ],
)
def test_what_was_found_to_differ_is_refused(asked: str, says: str, instead: str) -> None:
    problems = lint(f"SELECT {asked} AS v FROM t", "q.sql", SCHEMAS)
    assert any(says in p.what and instead in p.hint for p in problems), problems


def test_a_double_sorted_downwards_is_refused_where_no_key_can_say_it() -> None:
    refused = lint("SELECT DISTINCT x AS v FROM t ORDER BY v DESC", "q.sql", SCHEMAS)
    assert "sorted differently" in refused[0].what
    assert not lint("SELECT DISTINCT x AS v FROM t ORDER BY v", "q.sql", SCHEMAS)


@pytest.mark.parametrize(
    "asked",
    ["CAST(floor(x) AS BIGINT)", "CAST(round(p) AS BIGINT)", "c * 1.5", "CAST(sign(q) AS INTEGER) * 2",
     "CAST(c AS VARCHAR) || s", "x IN (1.5, 2.5)", "CAST(c AS DECIMAL(5, 1))"],
)  # fmt: skip
def test_the_rewrites_are_accepted(asked: str) -> None:
    assert not lint(f"SELECT {asked} AS v FROM t", "q.sql", SCHEMAS)


def spoken(asked: str, target: str) -> str:
    """An expression as an engine is told it, on one line."""
    made = emit(f"SELECT {asked} AS v FROM t", target, SCHEMAS)  # type: ignore[arg-type]
    return " ".join(made.split())


@pytest.mark.parametrize(
    ("asked", "spark", "trino"),
    [
        ("x > y", "t.x > t.y", "is_nan(CAST(t.x AS DOUBLE)) AND NOT is_nan(CAST(t.y AS DOUBLE))"),
        ("x = y", "t.x = t.y", "is_nan(CAST(t.x AS DOUBLE)) AND is_nan(CAST(t.y AS DOUBLE))"),
        ("q > 2", "t.q > 2", "SELECT t.q > 2 AS v"),
        ("max(x)", "max(t.x)", "bool_or(is_nan(CAST(t.x AS DOUBLE)))"),
        ("greatest(x, y)", "greatest(t.x, t.y)", "THEN nan()"),
        ("greatest(q, q)", "greatest(t.q, t.q)", "SELECT t.q AS v"),
        ("floor(x)", "4503599627370496", "floor(CAST(t.x AS DOUBLE))"),
        ("ceil(p)", "SELECT ceil(t.p) AS v", "SELECT ceil(t.p) AS v"),
        ("trunc(p)", "ceil(t.p), floor(t.p)) AS v", "SELECT truncate(t.p) AS v"),
        ("round(p, 2)", "round(t.p, 2)", "round(t.p, 2)"),
        ("round(0.285, 2)", "round(0.285, 2)", "round(0.285, 2)"),
        ("avg(p)", "CAST(sum(t.p) AS DOUBLE) / ", "CAST(sum(t.p) AS DOUBLE) / "),
        ("avg(q)", "avg(t.q)", "avg(t.q)"),
        ("length(s)", "CAST(length(t.s) AS BIGINT)", "length(t.s)"),
        ("levenshtein(s, 'é')", "ISO-8859-1", "to_hex"),
        ("corr(q, 1)", "stddev_pop", "CAST('NaN' AS DOUBLE)"),
        ("regr_intercept(q, id)", "regr_intercept(t.q, t.id)", "regr_intercept(CAST(t.q AS DOUBLE)"),
        ("make_date(year(d), 1, 2)", "make_date(", "IS NOT NULL THEN CAST(format("),
        ("strftime(ts, '%H:%M')", "date_format(", "date_trunc('second', CAST(t.ts AS TIMESTAMP(6)))"),
        ("dayname(ts)", "'EEEE'", "CAST(CAST(t.ts AS DATE) AS TIMESTAMP)"),
        ("CAST(ts AS VARCHAR)", "CAST(t.ts AS STRING)", "regexp_replace(CAST(t.ts AS VARCHAR)"),
        ("ts + INTERVAL 1 DAY", "t.ts + INTERVAL", "t.ts + INTERVAL"),
        ("d + INTERVAL 1 DAY", "AS TIMESTAMP", "AS TIMESTAMP(6)"),
        ("date_trunc('month', d)", "AS TIMESTAMP_NTZ", "AS TIMESTAMP(6)"),
        ("x / y", "'-Infinity'", "CAST(t.x AS DOUBLE) / CAST(t.y AS DOUBLE)"),
        ("max(x) FILTER (WHERE q > 1)", "max(t.x) FILTER", "bool_or(is_nan(CAST(t.x AS DOUBLE))) FILTER"),
    ],
)  # fmt: skip
def test_what_was_found_to_differ_is_said_another_way(asked: str, spark: str, trino: str) -> None:
    assert spark in spoken(asked, "spark")
    assert trino in spoken(asked, "trino")


def test_not_a_number_is_above_all_when_sorted_downwards() -> None:
    made = emit("SELECT x AS v FROM t ORDER BY v DESC", "trino", SCHEMAS)
    assert "is_nan" in made.split("ORDER BY")[1]
    assert "is_nan" not in emit("SELECT x AS v FROM t ORDER BY v", "trino", SCHEMAS)
    assert "is_nan" not in emit("SELECT q AS v FROM t ORDER BY v DESC", "trino", SCHEMAS)
