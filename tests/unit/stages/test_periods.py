"""Like for like: complete months only, and refusals instead of guesses."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.declarations.question import Chart, Parameter, Period, Question, QuestionColumn
from cityline.errors import AnswerRefused, UsageError
from cityline.stages.analyse.periods import Calendar, choose, resolve_years


def question(kind: str, **more: Any) -> Question:
    parameters = {
        "year": Parameter(kind="year", default="latest"),
        "compare": Parameter(kind="compare", default="previous"),
    }
    return Question(
        name="q", title="t", order=1, reads=("curated.x",), sentence="s", sql="SELECT 1",
        period=Period(kind=kind, source="s", **more), parameters=parameters,
        columns=(QuestionColumn(name="n", label="N"),), chart=Chart(mark="bar", x="n", y="n"),
    )  # fmt: skip


def calendar(first: date, last: date, incomplete: set[date] | None = None,
             absent: set[date] | None = None) -> Calendar:  # fmt: skip
    months = []
    at = first
    while at <= last:
        there = at not in (absent or set())
        whole = there and at not in (incomplete or set())
        months.append({"month": at, "has_rows": there, "month_complete": whole})
        at = date(at.year + at.month // 12, at.month % 12 + 1, 1)
    return Calendar(months)


BOTH = calendar(date(2023, 1, 1), date(2024, 10, 1), incomplete={date(2024, 10, 1)})


def test_a_partial_year_meets_the_same_months() -> None:
    window = choose(question("compare"), BOTH, {"year": 2024, "compare": 2023})
    assert window.period.label == "January–September 2024"
    assert window.comparison is not None
    assert window.comparison.label == "January–September 2023"
    assert not window.period.complete
    assert window.parameters()["compare_to_month"] == date(2023, 9, 1)


def test_a_hole_shortens_the_comparison_to_an_unbroken_run() -> None:
    holed = calendar(date(2023, 1, 1), date(2024, 12, 1), absent={date(2023, 5, 1)})
    window = choose(question("compare"), holed, {"year": 2024, "compare": 2023})
    assert window.period.label == "June–December 2024"


def test_years_without_a_shared_month_are_refused() -> None:
    late = calendar(date(2023, 11, 1), date(2024, 3, 1))
    with pytest.raises(AnswerRefused, match="share no complete month"):
        choose(question("compare"), late, {"year": 2024, "compare": 2023})
    with pytest.raises(AnswerRefused, match="with itself"):
        choose(question("compare"), BOTH, {"year": 2024, "compare": 2024})
    with pytest.raises(AnswerRefused, match="no year"):
        choose(question("complete-years"), late, {})
    nothing = calendar(date(2024, 1, 1), date(2024, 1, 1), incomplete={date(2024, 1, 1)})
    with pytest.raises(AnswerRefused, match="no month"):
        choose(question("year"), nothing, {"year": 2024})


def test_defaults_and_unknown_years() -> None:
    long = calendar(date(2020, 1, 1), date(2024, 10, 1), incomplete={date(2024, 10, 1)})
    assert resolve_years(question("compare"), long, {}) == {"year": 2023, "compare": 2022}
    assert resolve_years(question("compare"), long, {"year": "2022"}) == {
        "year": 2022, "compare": 2021,
    }  # fmt: skip
    with pytest.raises(UsageError, match="no data for 1990"):
        resolve_years(question("compare"), long, {"year": 1990})
    with pytest.raises(UsageError, match="must be a year"):
        resolve_years(question("compare"), long, {"year": "soon"})


def test_complete_years_can_be_limited_to_the_latest() -> None:
    long = calendar(date(2010, 1, 1), date(2024, 10, 1))
    assert choose(question("complete-years"), long, {}).period.label == "2010–2023"
    assert choose(question("complete-years", last_years=3), long, {}).period.label == "2021–2023"


MONTHS = st.dates(date(2020, 1, 1), date(2024, 12, 31)).map(lambda d: d.replace(day=1))


@given(
    incomplete=st.sets(MONTHS, max_size=20),
    absent=st.sets(MONTHS, max_size=10),
    year=st.integers(2020, 2024),
    other=st.integers(2020, 2024),
)
def test_no_comparison_ever_holds_an_incomplete_month(
    incomplete: set[date], absent: set[date], year: int, other: int
) -> None:
    months = calendar(date(2020, 1, 1), date(2024, 12, 1), incomplete, absent)
    try:
        window = choose(question("compare"), months, {"year": year, "compare": other})
    except AnswerRefused:
        return
    assert window.comparison is not None
    spans = (window.period, window.comparison)
    shown = [list(range(s.start.month, s.end.month + 1)) for s in spans]
    assert shown[0] == shown[1]
    for span, numbers in zip(spans, shown, strict=True):
        for number in numbers:
            assert date(span.start.year, number, 1) in months.complete
