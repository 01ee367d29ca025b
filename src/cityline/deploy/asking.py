"""Questions as Athena keeps them: one SELECT each that runs as it stands and is easy to change.

A question's parameters become one row at its top, `asked`: the months by the question's own rule
for what is complete, computed from `curated.calendar` when the query runs, and NULL for every
filter. So a saved query never grows stale, and a person changes what is asked in one place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cityline.declarations.question import Question
from cityline.dialect import Schemas, emit

_CALENDAR = "curated.calendar"
_PARAMETER = re.compile(r"\$([a-z_]+)\b")
_WITH = re.compile(r"\AWITH\s+", re.IGNORECASE)


def saved(question: Question, schemas: Schemas, names: Mapping[str, str]) -> str:
    """The question in Athena's SQL. `names` says what tables are called there.

    Raises EngineError for SQL outside the portable profile.
    """
    emitted = emit(portable(question), "trino", schemas, names=names)
    hint = "-- Change the row `asked` to ask for other months or values."
    return f"-- {question.title}\n{hint}\n{emitted}"


def portable(question: Question) -> str:
    """The same in Cityline's own dialect, without parameters."""
    body = _PARAMETER.sub(r"(SELECT \1 FROM asked)", question.sql)
    rest = _WITH.sub("", body)
    joined = f",\n{rest}" if rest != body else f"\n{body}"
    return f"WITH {_months(question)},\nasked AS (\n{_asked(question)}\n){joined}"


def reads(question: Question) -> tuple[str, ...]:
    """The tables a saved question reads."""
    return (*question.reads, _CALENDAR)


def _asked(question: Question) -> str:
    filters = [
        f"  CAST(NULL AS VARCHAR) AS {name}"
        for name, parameter in question.parameters.items()
        if parameter.kind == "value"
    ]
    bounds = ["  min(month) AS from_month", "  max(month) AS to_month"]
    if question.period.kind == "compare":
        bounds = [
            "  min(CASE WHEN year = this_year THEN month END) AS from_month",
            "  max(CASE WHEN year = this_year THEN month END) AS to_month",
            "  min(CASE WHEN year = other_year THEN month END) AS compare_from_month",
            "  max(CASE WHEN year = other_year THEN month END) AS compare_to_month",
        ]
    listed = ",\n".join([*bounds, *filters])
    return f"  SELECT\n{_indented(listed)}\n  FROM months{_unbroken(question)}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _unbroken(question: Question) -> str:
    """A period with a hole asks for nothing, because a total over it would mean nothing."""
    match question.period.kind:
        case "year" | "complete-years":
            return "\n  HAVING count(*) = (max(year) - min(year)) * 12 + max(month_of_year) - min(month_of_year) + 1"  # noqa: E501
        case "compare":
            return "\n  HAVING count(*) = 2 * (max(month_of_year) - min(month_of_year) + 1)"
        case _:
            return ""


def _months(question: Question) -> str:
    """The CTEs that end in `months`: the calendar's rows a question may use."""
    known = (
        f"calendar AS (\n  SELECT * FROM {_CALENDAR} WHERE source = '{question.period.source}'\n)"
    )
    match question.period.kind:
        case "year":
            chosen = f"SELECT * FROM calendar WHERE month_complete AND year = {_year(question)}"
        case "compare":
            return f"{known},\n{_compared(question)}"
        case "complete-years":
            last = question.period.last_years
            since = f" AND year > (SELECT max(year) FROM calendar WHERE year_complete) - {last}"
            chosen = f"SELECT * FROM calendar WHERE year_complete{since if last else ''}"
        case "complete-months":
            chosen = "SELECT * FROM calendar WHERE month_complete"
        case _:
            chosen = "SELECT * FROM calendar WHERE has_rows"
    return f"{known},\nmonths AS (\n  {chosen}\n)"


def _year(question: Question) -> str:
    """The declared year where the data have it, else the latest complete one."""
    parameter = question.parameters.get("year")
    latest = (
        "coalesce((SELECT max(year) FROM calendar WHERE year_complete), "
        "(SELECT max(year) FROM calendar WHERE month_complete))"
    )
    if parameter is None or not isinstance(parameter.default, int):
        return latest
    wanted = f"(SELECT max(year) FROM calendar WHERE month_complete AND year = {parameter.default})"
    return f"coalesce({wanted}, {latest})"


def _compared(question: Question) -> str:
    """The months complete in both years."""
    parameter = question.parameters.get("compare")
    other = "this_year - 1"
    if parameter is not None and isinstance(parameter.default, int):
        known = f"(SELECT max(year) FROM calendar WHERE has_rows AND year = {parameter.default})"
        other = f"coalesce({known}, this_year - 1)"
    return (
        f"this AS (\n  SELECT {_year(question)} AS this_year\n),\n"
        f"years AS (\n  SELECT this_year, {other} AS other_year FROM this\n),\n"
        "shared AS (\n"
        "  SELECT c.month_of_year FROM calendar AS c CROSS JOIN years AS y\n"
        "  WHERE c.month_complete AND c.year IN (y.this_year, y.other_year)\n"
        "  GROUP BY c.month_of_year HAVING count(*) = 2\n),\n"
        "months AS (\n"
        "  SELECT c.month, c.year, c.month_of_year, y.this_year, y.other_year\n"
        "  FROM calendar AS c CROSS JOIN years AS y\n"
        "  JOIN shared AS s ON s.month_of_year = c.month_of_year\n"
        "  WHERE c.year IN (y.this_year, y.other_year)\n)"
    )
