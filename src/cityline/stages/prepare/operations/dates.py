"""Parts and formats of dates. The source column must hold dates (see PARSE_MONTH, PARSE_DATE)."""

from __future__ import annotations

from cityline.stages.prepare.operations.registry import (
    COLUMN,
    TARGET,
    TARGET_OR_SAME,
    TEXT,
    Call,
    Kind,
    Parameter,
    choice,
    operation,
)

_FAMILY = "dates"
_PARTS = {
    "YEAR": ("The year.", "year({d})"),
    "QUARTER": ("The quarter, 1 to 4.", "quarter({d})"),
    "MONTH": ("The month, 1 to 12.", "month({d})"),
    "DAY": ("The day of the month.", "day({d})"),
    "WEEK_NUMBER": ("The week of the year, as ISO 8601 counts.", "weekofyear({d})"),
    "WEEK_DAY": ("The day of the week, 1 for Monday.", "isodow({d})"),
    "MONTH_NAME": ("The month's English name.", "monthname({d})"),
}


def _part(name: str, says: str, sql: str) -> None:
    @operation(name, _FAMILY, says, sourceColumn=COLUMN, targetColumn=TARGET)
    def build(call: Call) -> None:
        call.rewrite(sql.format(d=f"TRY_CAST({call.c} AS DATE)"))


for _name, (_says, _sql) in _PARTS.items():
    _part(_name, _says, _sql)

_FORMATS = {
    "yyyy-mm-dd": "%Y-%m-%d",
    "yyyy-mm": "%Y-%m",
    "dd/mm/yyyy": "%d/%m/%Y",
    "mm/dd/yyyy": "%m/%d/%Y",
    "mmm yyyy": "%b %Y",
    "mmmm yyyy": "%B %Y",
    "yyyymm": "%Y%m",
}


@operation(
    "FORMAT_DATE",
    _FAMILY,
    "A date as a text in one of these formats.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    dateFormat=choice(*_FORMATS),
)
def _format(call: Call) -> None:
    code = _FORMATS[call.given["dateFormat"]]
    call.rewrite(f"strftime(TRY_CAST({call.c} AS DATE), '{code}')")


@operation(
    "DATE_ADD",
    _FAMILY,
    "So many days, months or years later (or earlier).",
    sourceColumn=COLUMN,
    targetColumn=TARGET,
    units=choice("DAYS", "MONTHS", "YEARS"),
    dateAddValue=Parameter(Kind.INTEGER),
)
def _add(call: Call) -> None:
    unit = {"DAYS": "days", "MONTHS": "months", "YEARS": "years"}[call.given["units"]]
    count = call.integer("dateAddValue")
    call.rewrite(f"CAST(TRY_CAST({call.c} AS DATE) + to_{unit}({count}) AS DATE)")


@operation(
    "CONVERT_TIMEZONE",
    _FAMILY,
    "A time with an offset as local time of a zone.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    timeZone=TEXT,
)
def _zone(call: Call) -> None:
    zone = call.literal("timeZone")
    call.rewrite(f"TRY_CAST({call.c} AS TIMESTAMPTZ) AT TIME ZONE {zone}")
