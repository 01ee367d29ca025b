"""The profile as an analyst meets it: refusals at their line, and what engines are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.conftest import copy_vancouver

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.dialect import emit, lint
from cityline.dialect.regexes import portable_pattern, portable_replacement, reaches_empty
from cityline.errors import DeclarationError, EngineError
from cityline.flow.checking import check_city
from cityline.wiring import open_city

CALLS = {"t": {"id": "BIGINT", "d": "DATE", "e": "DATE", "x": "DOUBLE", "s": "VARCHAR"}}


@pytest.mark.parametrize(
    ("sql", "says", "instead"),
    [
        (
            "SELECT *\nFROM t\nQUALIFY row_number() OVER (ORDER BY id) = 1",
            "QUALIFY",
            "row_number()",
        ),
        ("SELECT id, count(*)\nFROM t GROUP BY ALL", "GROUP BY ALL", "name the columns"),
        ("SELECT * EXCLUDE (s) FROM t", "EXCLUDE", "name the columns"),
        ("SELECT * FROM t PIVOT (count(*) FOR s IN ('a'))", "PIVOT", "CASE"),
        ("SELECT list(id) FROM t", "list()", "count(DISTINCT"),
        ("SELECT today()", "today()", "lake.extract"),
        ("SELECT median(id) FROM t", "median()", "row_number()"),
        ("SELECT date_diff('week', d, e) FROM t", "date_diff()", "day"),
        ("SELECT d - e FROM t", "difference of two dates", "date_diff"),
        ("SELECT CAST(x AS BIGINT) FROM t", "rounds ties", "round(x)"),
        ("SELECT id FROM t WHERE s = 7", "text is compared", "CAST"),
        ("SELECT id FROM t LIMIT 3", "LIMIT without ORDER BY", "ORDER BY"),
        ("SELECT TRY_CAST(s AS DATE) FROM t", "text as a date", "try_strptime"),
        (r"SELECT regexp_matches(s, 'a\b') FROM t", r"\b", ""),
        (r"SELECT regexp_matches(s, '\Qa.b\E') FROM t", r"\Q", ""),
        ("SELECT regexp_matches(s, '[[:digit:]]') FROM t", "[:digit:]", ""),
        ("SELECT regexp_matches(s, '[].]') FROM t", "first of a class", ""),
        ("SELECT regexp_matches(s, 'a++') FROM t", "possessive", ""),
        ("SELECT regexp_replace(s, 'a', s, 'g') FROM t", "replacement as a text", "for a group"),
        ("SELECT regexp_replace(s, 'a', 'b', 'gi') FROM t", "option 'g' alone", "(?i)"),
        ("SELECT regexp_replace(s, 'a*', '-', 'g') FROM t", "matches nothing", "x+"),
        ("SELECT round(x, -3) FROM t", "from 0 to 15", "* 1000"),
        ("SELECT round(x, id) FROM t", "from 0 to 15", "* 1000"),
        ("SELECT substr(s, 2, -1) FROM t", "length of 0 or more", ""),
        ("SELECT split_part(s, '', 1) FROM t", "separator", ""),
        ("SELECT lpad(s, 5, '') FROM t", "fill with", ""),
        ("SELECT strftime(d, '%U') FROM t", "%U", "%Y-%m-%d"),
        ("SELECT strftime(d, '[%d]') FROM t", "[ in a date's format", ""),
        ("SELECT try_strptime(s, '%Y-%m-%d %H') FROM t", "clock is read whole", ""),
        ("SELECT try_strptime(s, '%Y') FROM t", "its year and its month", ""),
        ("SELECT try_strptime(s, '%Y-%m-%y') FROM t", "stands twice", ""),
        ("SELECT extract(dow FROM d) FROM t", "extract(dow FROM", "dayofweek"),
        ("SELECT extract(millisecond FROM d) FROM t", "extract(millisecond FROM", ""),
        ("SELECT id FROM t WHERE d > current_date", "current_date", "lake.extract"),
        ("SELECT DISTINCT ON (s) s FROM t ORDER BY s", "DISTINCT ON", "row_number()"),
        ("SELECT s FROM t ORDER BY ALL", "ORDER BY ALL", "name the columns"),
        (
            "SELECT -id AS id FROM t ORDER BY id + 1",
            "the result or the source",
            "ORDER BY its name",
        ),
        ("SELECT s FROM t UNION BY NAME SELECT s FROM t", "BY NAME", "in their order"),
        ("WITH RECURSIVE a AS (SELECT 1 AS n) SELECT n FROM a", "RECURSIVE", "generate_series"),
        ("SELECT id FROM t OFFSET 2", "OFFSET without", "ORDER BY"),
        ("SELECT id FROM t ORDER BY id LIMIT 1e3", "LIMIT takes a whole number", ""),
        ("SELECT id FROM t ORDER BY id LIMIT (SELECT 3)", "LIMIT takes a whole number", ""),
        ("SELECT id FROM t ORDER BY id LIMIT 10%", "LIMIT of a percentage", "row_number()"),
        ("SELECT t.id FROM t SEMI JOIN t AS u ON t.id = u.id", "SEMI JOIN", "EXISTS"),
        (
            "SELECT sum(x) OVER (ORDER BY id ROWS 1 PRECEDING EXCLUDE TIES) FROM t",
            "EXCLUDE",
            "frame",
        ),
        ("SELECT sum(x) OVER (ORDER BY id GROUPS 1 PRECEDING) FROM t", "GROUPS", "ROWS"),
        ("SELECT sum(x) OVER (ORDER BY id RANGE 1 PRECEDING) FROM t", "with a distance", "ROWS"),
        ("SELECT CAST(s AS FLOAT) FROM t", "FLOAT", "DOUBLE"),
        ("SELECT CAST(d AS TIME) FROM t", "TIME", ""),
        ("SELECT TRY_CAST(s AS BOOLEAN) FROM t", "text as a truth", "CASE lower"),
        ("SELECT id FROM t WHERE s IN (1, 2)", "text is compared", "CAST"),
        ("SELECT id FROM t WHERE s BETWEEN 1 AND 2", "text is compared", "CAST"),
        ("SELECT coalesce(s, id) FROM t", "text is compared", "CAST"),
        ("SELECT CASE WHEN x > 1 THEN id ELSE 's' END FROM t", "text is compared", "CAST"),
        ("SELECT id FROM t WHERE d = s", "compared with a date", "DATE '"),
        ("SELECT id FROM t WHERE d >= '2024'", "compared with a date", "DATE '"),
        ("SELECT coalesce(d, '2024-01-01') FROM t", "compared with a date", "DATE '"),
        ("SELECT id FROM t WHERE s ILIKE 'A%'", "ILIKE is not", "small letters"),
        ("SELECT id // 2 FROM t", "// is not", "trunc(a / b)"),
        ("SELECT nosuch(s) FROM t", "nosuch()", "portable-sql.md"),
        ("SELECT FROM WHERE", "cannot be read", ""),
        ("DROP TABLE t", "only SELECT", ""),
    ],
)
def test_what_cannot_be_guaranteed_is_refused_with_the_rewrite(
    sql: str, says: str, instead: str
) -> None:
    problems = lint(sql, "questions/q.sql", CALLS)
    assert any(says in p.what and instead in p.hint for p in problems), problems
    with pytest.raises(EngineError):
        emit(sql, "trino", CALLS)


def test_what_is_named_instead_is_portable_itself() -> None:
    for sql in (
        "trunc(id / 2)", "lower(s) LIKE 'a%'", "round(x / 1000) * 1000", "dayofweek(d)",
        "regexp_replace(s, '(?i)a+', 'b', 'g')", "d = DATE '2024-01-31'",
        "CASE lower(s) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", "coalesce(x > 1, FALSE)",
        "sum(x) OVER w AS y, count(*) OVER (w ROWS 1 PRECEDING)", "d = try_strptime(s, '%Y-%m-%d')", "try_strptime(s, '%Y-%m-%d %H:%M:%S')",
    ):  # fmt: skip
        named = " WINDOW w AS (ORDER BY id)" if " w" in sql else ""
        assert lint(f"SELECT {sql} AS v FROM t{named}", "q", CALLS) == [], sql


def test_what_is_true_is_told_from_what_is_unknown() -> None:
    sql = "SELECT id FROM t WHERE (x > 1) IS NOT TRUE"
    assert "NOT (\n    COALESCE(" in emit(sql, "trino", CALLS).replace("coalesce", "COALESCE")


def test_letters_of_a_shown_date_stand_in_quotes_once() -> None:
    made = emit("SELECT strftime(d, '%d de %B') AS v FROM t", "spark", CALLS)
    assert r"dd\' de \'MMMM" in made


@pytest.mark.parametrize("asked", ["d >= '2024-01-31'", "d IN ('2024-01-31')",
                                   "d BETWEEN '2024-01-31' AND e", "'2024-01-31' = d"])  # fmt: skip
def test_a_day_written_out_is_a_date_where_it_is_compared_with_one(asked: str) -> None:
    sql = f"SELECT id FROM t WHERE {asked}"
    for target in ("spark", "trino"):
        assert "CAST('2024-01-31' AS DATE)" in emit(sql, target, CALLS)


def test_an_argument_stays_one_beside_an_operator() -> None:
    assert "% (t.id + 1))" in emit("SELECT mod(7, id + 1) AS v FROM t", "spark", CALLS)


def test_a_failure_of_the_emitter_is_an_error_of_ours() -> None:
    with pytest.raises(EngineError):
        emit("SELECT strftime(d, '%Q') AS v FROM t", "spark", CALLS)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT FROM FROM",
        "SELECT a FROM t AS x JOIN t AS x ON TRUE",
        "SELECT a FROM t; SELECT 1",
        "WITH RECURSIVE q AS (SELECT 1 AS n) SELECT n FROM q",
    ],
    ids=["no grammar", "no scope", "two statements", "not portable"],
)
def test_whatever_is_not_emitted_is_told_with_its_place_and_what_to_try(sql: str) -> None:
    with pytest.raises(EngineError, match="not portable: ") as caught:
        emit(sql, "spark", {"t": {"a": "BIGINT"}})
    assert caught.value.where == sql
    assert caught.value.hint == "cityline check"


def test_the_line_is_the_files() -> None:
    sql = "SELECT\n  id,\n  list(s)\nFROM t"
    (problem,) = lint(sql, "questions/q.sql", first_line=20)
    assert problem.file == "questions/q.sql"
    assert problem.key == "line 22"


def test_check_names_file_and_line(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    path = folder / "questions" / "departments.sql"
    text = path.read_text("utf-8").replace("sum(inquiries) OVER ()", "median(inquiries) OVER ()")
    path.write_text(text, "utf-8")
    line = next(i for i, told in enumerate(text.splitlines(), 1) if "median(" in told)
    with pytest.raises(DeclarationError) as caught:
        check_city(open_city(folder, home=tmp_path / "home"))
    told = [(p.file, p.key) for p in caught.value.problems]
    assert ("questions/departments.sql", f"line {line}") in told


def test_a_division_inside_another_is_rewritten_too() -> None:
    sql = "SELECT id / nullif(id / 12.0, 0) AS v FROM t"
    assert emit(sql, "spark", CALLS).count("AS DOUBLE") >= 4


def test_parameters_are_literals_and_never_sql() -> None:
    sql = "SELECT id FROM t WHERE s = $s AND d >= $d"
    given = {"s": "x' OR '1'='1\\", "d": date(2024, 2, 29)}
    assert r"'x\' OR \'1\'=\'1\\'" in emit(sql, "spark", CALLS, parameters=given).replace(
        "''", r"\'"
    )
    assert "'x'' OR ''1''=''1\\'" in emit(sql, "trino", CALLS, parameters=given)
    with pytest.raises(EngineError, match=r"no value is given for \$d"):
        emit(sql, "trino", CALLS, parameters={"s": "x"})


def test_patterns_mean_ascii_everywhere() -> None:
    assert portable_pattern(r"^\d+\s[\w-]$") == r"^[0-9]+[\t\n\f\r ][0-9A-Za-z_-]\z"
    assert portable_replacement(r"\1 costs $5") == r"$1 costs \$5"
    with pytest.raises(ValueError, match=r"\(\?"):
        portable_pattern("a(?=b)")
    for alike in ("[0-9*+]", "[:;]", r"a\++", r"\[\]", "[a-z]+?"):
        assert portable_pattern(alike) == alike
    assert reaches_empty(r"\p{Z}*")
    assert not reaches_empty(r"\p{Z}+")


def test_a_shared_catalogue_lets_others_read_while_it_commits(tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    from cityline.adapters.local.store import FolderStore  # noqa: PLC0415

    catalog = IcebergCatalog(tmp_path, FolderStore(tmp_path / "lake"), shared=True)
    catalog._catalog()
    with sqlite3.connect(tmp_path / "catalog.db") as reader:
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_text_of_a_double_is_refused_but_where_it_only_notes_a_change() -> None:
    sql = "SELECT CAST(x AS VARCHAR) = s AS changed, x FROM t"
    schemas = {"t": {"x": "DOUBLE", "s": "VARCHAR"}}
    assert "CAST" in emit(sql, "spark", schemas, notes=("changed",))
    with pytest.raises(EngineError, match="a double as a text is written differently"):
        emit(sql, "spark", schemas)
    with pytest.raises(EngineError, match="a double as a text is written differently"):
        emit("SELECT CAST(x AS VARCHAR) AS y FROM t", "spark", schemas, notes=("changed",))
