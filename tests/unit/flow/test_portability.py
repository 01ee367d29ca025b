"""`cityline check` refuses, at its line, what other engines would answer otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.errors import DeclarationError, Problem
from cityline.flow.checking import check_city, compiled
from cityline.flow.portability import unportable
from cityline.flow.shapes import shapes
from cityline.wiring import open_city
from tests.conftest import copy_vancouver


def problems(city: Path) -> list[Problem]:
    with pytest.raises(DeclarationError) as caught:
        check_city(open_city(city, home=city.parent / "home"))
    return list(caught.value.problems)


def spoil(city: Path, file: str, old: str, new: str) -> int:
    """Replace a text that is there once; the line on which the new one begins."""
    text = (city / file).read_text("utf-8")
    assert text.count(old) == 1, (file, old)
    (city / file).write_text(text.replace(old, new), "utf-8")
    return text[: text.index(old)].count("\n") + 1


TYPED = (
    ("questions/departments.sql", "CAST(inquiries AS DOUBLE) / sum(inquiries) OVER () AS share",
     "CAST(avg(inquiries) OVER () AS BIGINT) AS share", "rounds ties", "CAST(round(x) AS BIGINT)"),
    ("questions/departments.sql", "AND ($channel IS NULL OR channel = $channel)",
     "AND channel = 7", "a text is compared with a number", "CAST one of them"),
    ("questions/channels.sql", "AND ($department IS NULL OR department = $department)",
     "AND ($department IS NULL OR inquiries = $department)", "a text is compared with a number",
     "CAST one of them"),
    ("questions/monthly-trend.sql", "t.inquiries,\n", "t.month - e.month AS inquiries,\n",
     "difference of two dates", "date_diff('day'"),
    ("questions/speed-of-answer.sql", "average_speed_of_answer_seconds AS speed_of_answer",
     "CAST(average_speed_of_answer_seconds AS VARCHAR) AS speed_of_answer",
     "a double as a text", "round(x, 2)"),
    ("models/calendar.sql", "AND last_day(m.month) < e.extracted_on",
     "AND last_day(m.month) - e.extracted_on < 0", "difference of two dates", "date_diff('day'"),
    ("models/channel-month.sql", "CAST(sum(inquiries) AS BIGINT) AS inquiries",
     "CAST(avg(inquiries) AS BIGINT) AS inquiries", "rounds ties", "CAST(round(x) AS BIGINT)"),
    ("models/department-channel-month.sql", "t.inquiries, c.month_complete\n",
     "t.inquiries, TRY_CAST(t.channel AS DATE) IS NULL AS month_complete\n",
     "a text as a date", "try_strptime"),
    ("policies/quality/landing/contact-centre-metrics.dqdl",
     "abs(offered - handled - abandoned) > offered", "CAST(service_level AS VARCHAR) = '1.0'",
     "a double as a text", "round(x, 2)"),
    ("policies/quality/landing/contact-centre-metrics.dqdl",
     'ColumnValues "service_level" between -0.000001 and 1.000001',
     'ColumnValues "service_level" <= 1.000001 where "date - date > 0"',
     "difference of two dates", "date_diff('day'"),
)  # fmt: skip
"""A file, what stands there, what is written instead, and how that is refused."""


def test_what_only_types_tell_is_refused_at_its_line(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    wanted = {
        (file, f"line {spoil(city, file, old, new)}"): told for file, old, new, *told in TYPED
    }
    found = {(p.file, p.key): p for p in problems(city) if p.key.startswith("line ")}
    assert found.keys() == wanted.keys()
    for at, (says, instead) in wanted.items():
        assert says in found[at].what
        assert instead in found[at].hint


def test_a_step_of_a_recipe_knows_what_it_finds(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    file = "recipes/contact-centre-metrics.toml"
    step = '[[steps]]\noperation = "RESOLVE_DUPLICATES"'
    merged = (
        '[[steps]]\noperation = "MERGE"\nwhy = "To be refused."\n'
        'parameters = { sourceColumns = ["date", "service_level"], delimiter = " ", '
        'targetColumn = "both" }\n\n'
    )
    spoil(city, file, step, merged + step)
    (problem,) = problems(city)
    assert (problem.file, problem.key) == (file, "steps.8")
    assert "MERGE is not portable to Spark" in problem.what


def test_what_cannot_be_run_or_said_is_told_before_any_data_are_there(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    spoil(city, "questions/departments.sql", "  inquiries,\n", "  inquirie,\n")
    file = "questions/speed-of-answer.sql"
    spoil(city, file, "NOT month_complete AS provisional", "month_complete = $sure AS provisional")
    parts = open_city(city, home=tmp_path / "home")
    plans, _ = compiled(parts.folder)
    found = shapes(parts.folder, plans, parts.trial)
    assert [(p.file, p.key) for p in found.problems] == [
        ("questions/departments.sql", "sql"),
        (file, "sql"),
    ]
    assert '"inquirie" not found' in found.problems[0].what
    assert list(unportable(parts.folder, plans, found)) == []  # it is told once
    found.problems.clear()
    (problem,) = unportable(parts.folder, plans, found)
    line = (city / file).read_text("utf-8").partition("---*/\n")[0].count("\n") + 2
    assert (problem.file, problem.key) == (file, f"line {line}")
    assert problem.what == "no value is given for $sure"
