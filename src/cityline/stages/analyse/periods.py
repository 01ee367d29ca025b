"""Like for like: which months an answer may use.

A comparison never mixes a complete month with an incomplete one. Where two years are compared,
only the months complete in both are used; where none is, the answer is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cityline.declarations.question import Question
from cityline.errors import AnswerRefused, UsageError
from cityline.lake.answer import Span
from cityline.lake.wording import span as span_in_words

_YEAR = 12


@dataclass(frozen=True, slots=True)
class Window:
    """The months of an answer and, where there is one, of its comparison."""

    period: Span
    comparison: Span | None = None

    def parameters(self) -> dict[str, date]:
        """The bounds as the SQL names them, first days of months."""
        told = {"from_month": self.period.start, "to_month": self.period.end}
        if self.comparison:
            told |= {
                "compare_from_month": self.comparison.start,
                "compare_to_month": self.comparison.end,
            }
        return told


class Calendar:
    """A source's months: all with rows, and those that are complete."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.months: list[date] = sorted(r["month"] for r in rows if r["has_rows"])
        self.complete: set[date] = {r["month"] for r in rows if r["month_complete"]}
        self.years: list[int] = sorted({m.year for m in self.months})

    def complete_years(self) -> list[int]:
        """Years with twelve complete months."""
        return [y for y in self.years if len(self.complete_in(y)) == _YEAR]

    def complete_in(self, year: int) -> list[int]:
        """Complete months of a year, 1 to 12."""
        return sorted(m.month for m in self.complete if m.year == year)


def choose(question: Question, calendar: Calendar, years: Mapping[str, int]) -> Window:
    """The months for a question. `years` holds the parameters `year` and `compare` as asked.

    Raises UsageError for a year without data, AnswerRefused when nothing can be compared.
    """
    if not calendar.complete:
        told = f"no month of {question.period.source} is complete yet"
        raise AnswerRefused(
            told, where=question.name, hint="wait for the next extract", reason="nothing-complete"
        )
    match question.period.kind:
        case "year":
            return Window(_year_span(calendar, years["year"], question))
        case "compare":
            return _compare(calendar, years["year"], years["compare"], question)
        case "complete-years":
            return Window(_complete_years(calendar, question))
        case "complete-months":
            first, last = min(calendar.complete), max(calendar.complete)
            return Window(Span(first, last, span_in_words(first, last), complete=True))
        case _:
            first, last = calendar.months[0], calendar.months[-1]
            whole = {first, last} <= calendar.complete
            return Window(Span(first, last, span_in_words(first, last), complete=whole))


def resolve_years(
    question: Question, calendar: Calendar, asked: Mapping[str, Any]
) -> dict[str, int]:
    """The years a question is asked for: as given, or by its defaults.

    `latest` is the latest complete year (or the latest with a complete month), `previous` the one
    before the year asked for.
    """
    years: dict[str, int] = {}
    for name, parameter in question.parameters.items():
        if parameter.kind not in ("year", "compare"):
            continue
        value = asked.get(name, parameter.default)
        if value == "latest":
            whole = calendar.complete_years()
            value = whole[-1] if whole else max(m.year for m in calendar.complete)
        elif value == "previous":
            value = years["year"] - 1
        elif name not in asked and value not in calendar.years:
            value = _fallback(name, calendar, years)
        years[name] = _known_year(name, value, calendar)
    return years


def _fallback(name: str, calendar: Calendar, years: Mapping[str, int]) -> int:
    """A declared default year the data do not have: the latest complete pair instead."""
    whole = calendar.complete_years() or calendar.years
    return years["year"] - 1 if name == "compare" else whole[-1]


def _known_year(name: str, value: Any, calendar: Calendar) -> int:
    try:
        year = int(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} must be a year, not {value!r}") from error
    if year not in calendar.years:
        known = f"{calendar.years[0]} to {calendar.years[-1]}"
        raise UsageError(f"there are no data for {year}", where=name, hint=f"years: {known}")
    return year


def _year_span(calendar: Calendar, year: int, question: Question) -> Span:
    months = _leading(calendar.complete_in(year), calendar, year)
    if not months:
        told = f"{year} has no complete month"
        raise _refused(told, question, calendar, "year-incomplete")
    return _span(year, months)


def _compare(calendar: Calendar, year: int, other: int, question: Question) -> Window:
    if year == other:
        told = f"{year} cannot be compared with itself"
        raise _refused(told, question, calendar, "same-year")
    shared = sorted(set(calendar.complete_in(year)) & set(calendar.complete_in(other)))
    run = _longest_run(shared)
    if not run:
        told = f"{year} and {other} share no complete month, so they cannot be compared"
        raise _refused(told, question, calendar, "nothing-shared")
    return Window(_span(year, run), _span(other, run))


def _leading(months: list[int], calendar: Calendar, year: int) -> list[int]:
    """One unbroken run of complete months; a hole inside would make a total mean nothing."""
    run = _longest_run(months)
    inside = [m for m in calendar.months if m.year == year and run and run[0] <= m.month <= run[-1]]
    return run if len(inside) == len(run) else []


def _longest_run(months: Sequence[int]) -> list[int]:
    """The longest unbroken run; the earliest of equally long ones."""
    best: list[int] = []
    run: list[int] = []
    for month in months:
        run = [*run, month] if run and month == run[-1] + 1 else [month]
        if len(run) > len(best):
            best = run
    return best


def _complete_years(calendar: Calendar, question: Question) -> Span:
    whole = _longest_run(calendar.complete_years())
    if not whole:
        told = f"no year of {question.period.source} is complete"
        hint = "an answer needs twelve whole months"
        raise AnswerRefused(told, where=question.name, hint=hint, reason="no-year")
    whole = whole[-question.period.last_years :]
    first, last = date(whole[0], 1, 1), date(whole[-1], _YEAR, 1)
    return Span(first, last, span_in_words(first, last), complete=True)


def _span(year: int, months: Sequence[int]) -> Span:
    first, last = date(year, months[0], 1), date(year, months[-1], 1)
    label = span_in_words(first, last)
    return Span(first, last, label, complete=len(months) == _YEAR)


def _refused(told: str, question: Question, calendar: Calendar, reason: str) -> AnswerRefused:
    hint = _years_hint(calendar)
    return AnswerRefused(told, where=question.name, hint=hint, reason=reason)


def _years_hint(calendar: Calendar) -> str:
    whole = calendar.complete_years()
    return f"complete years: {', '.join(map(str, whole))}" if whole else "no year is complete yet"
