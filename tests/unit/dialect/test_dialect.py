"""The profile as an analyst meets it: refusals at their line, and what engines are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.conftest import copy_vancouver

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.dialect import emit, lint
from cityline.dialect.regexes import portable_pattern, portable_replacement
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
