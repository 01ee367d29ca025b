"""What 3-1-1 data need and DataBrew lacks: one operation per duty, marked as Cityline's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cityline.declarations.corrections import Correction
from cityline.ports.cleaning import Duplicates
from cityline.ports.recipe_sql import column, text
from cityline.stages.prepare.operations.registry import (
    COLUMN,
    COLUMNS,
    TARGET,
    TARGET_OR_SAME,
    Call,
    Kind,
    Parameter,
    choice,
    operation,
)

_FAMILY = "3-1-1 data"
_MONTHS = ("%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%b-%y", "%Y%m", "%b %Y", "%B %Y")
_TEXTS = Parameter(Kind.TEXTS)


@operation(
    "STANDARDIZE_TEXT",
    _FAMILY,
    "Unicode NFC, nothing invisible, single blanks inside and none outside; nothing left is NULL.",
    own=True,
    sourceColumns=COLUMNS,
)
def _standardize(call: Call) -> None:
    for name in call.many("sourceColumns"):
        normal = f"nfc_normalize({column(name)})"
        visible = rf"regexp_replace({normal}, '[\x{{200B}}-\x{{200D}}\x{{FEFF}}]', '', 'g')"
        single = rf"regexp_replace({visible}, '[\s\x{{00A0}}]+', ' ', 'g')"
        call.assign(name, f"nullif(trim({single}), '')", name)


@operation(
    "NULL_WORDS",
    _FAMILY,
    "Words that mean nothing in this column become NULL.",
    own=True,
    sourceColumn=COLUMN,
    words=_TEXTS,
)
def _null_words(call: Call) -> None:
    listed = ", ".join(text(w) for w in call.many("words"))
    call.rewrite(f"CASE WHEN {call.c} NOT IN ({listed}) THEN {call.c} END")


def _read(c: str, formats: Sequence[str], form: str = "[0-9]{4}") -> str:
    """A cell in the first format that fits, when it has the digits all of them have: `infinity` and
    `epoch` would be read too, and `31/12/99` as a day of the year 99."""
    tries = ", ".join(f"try_strptime(trim({c}), '{f}')" for f in formats)
    return f"CASE WHEN regexp_matches({c}, '{form}') THEN coalesce({tries}) END"


@operation(
    "PARSE_MONTH",
    _FAMILY,
    "A month in any of its spellings as its first day; other rows are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
)
def _parse_month(call: Call) -> None:
    parsed = _read(call.c, _MONTHS, "[0-9]{4}|[A-Za-z]-[0-9]{2}")
    call.rewrite(f"CAST(date_trunc('month', {parsed}) AS DATE)")
    call.reject(f"{call.target}: missing", f"{call.c} IS NULL OR {call.c} = ''")
    call.reject(f"{call.target}: not a month", f"{parsed} IS NULL")


@operation(
    "PARSE_COUNT",
    _FAMILY,
    "A whole number of 0 or more, thousands commas allowed; other rows are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
)
def _parse_count(call: Call) -> None:
    c, target = call.c, call.target
    whole = rf"regexp_full_match({c}, '\+?(\d{{1,3}}(,\d{{3}})+|\d+)')"
    parsed = f"TRY_CAST(replace({c}, ',', '') AS BIGINT)"
    call.rewrite(f"CASE WHEN {whole} THEN {parsed} END")
    call.reject(f"{target}: missing", f"{c} IS NULL OR {c} = ''")
    call.reject(f"{target}: negative", rf"regexp_full_match({c}, '-[\d,.]+')")
    call.reject(f"{target}: not a whole number", rf"regexp_full_match({c}, '\+?[\d,]*\.\d*')")
    call.reject(f"{target}: not a number", f"NOT {whole}")
    call.reject(f"{target}: too large", f"{whole} AND {parsed} IS NULL")


@operation(
    "PARSE_DECIMAL",
    _FAMILY,
    "A number with decimals; an empty cell stays empty, other rows are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
)
def _parse_decimal(call: Call) -> None:
    c = call.c
    parsed = f"TRY_CAST(nullif({c}, '') AS DOUBLE)"
    call.rewrite(parsed)
    call.reject(
        f"{call.target}: not a number", f"{c} IS NOT NULL AND {c} <> '' AND {parsed} IS NULL"
    )
    call.reject(f"{call.target}: not finite", f"NOT isfinite({parsed})")


_DATES = {
    "iso": ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"),
    "dmy": ("%d/%m/%Y", "%d-%m-%Y"),
    "mdy": ("%m/%d/%Y", "%m-%d-%Y"),
}


@operation(
    "PARSE_DATE",
    _FAMILY,
    "A date in the declared order of day and month; other rows are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    order=choice(*_DATES),
)
def _parse_date(call: Call) -> None:
    parsed = _read(call.c, _DATES[call.given["order"]])
    call.rewrite(f"CAST({parsed} AS DATE)")
    call.reject(f"{call.target}: missing", f"{call.c} IS NULL OR {call.c} = ''")
    call.reject(f"{call.target}: not a date", f"{parsed} IS NULL")


_CLOCKS = {
    "dmy": ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %I:%M:%S %p"),
    "mdy": ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S"),
}
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
"""Milliseconds of the years 1 to 9999: a number beyond them is no moment, and stops the engine."""


@operation(
    "PARSE_TIMESTAMP",
    _FAMILY,
    "A moment in UTC. Times without an offset are of the zone; other rows are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    order=choice("iso", "dmy", "mdy", "epoch-ms"),
    timeZone=Parameter(Kind.TEXT),
)
def _parse_timestamp(call: Call) -> None:
    order, zone, c = call.given["order"], call.literal("timeZone"), call.c
    if order == "epoch-ms":
        number = f"TRY_CAST({c} AS BIGINT)"
        parsed = f"CASE WHEN {number} BETWEEN {_FIRST} AND {_LAST} THEN epoch_ms({number}) END"
    elif order == "iso":
        offset = rf"regexp_matches({c}, '(Z|[+-]\d{{2}}:?\d{{2}})$')"
        micro = rf"regexp_replace({c}, '(\.\d{{6}})\d+', '\1')"
        local = f"timezone({zone}, TRY_CAST({micro} AS TIMESTAMP))"
        moment = f"CASE WHEN {offset} THEN TRY_CAST({micro} AS TIMESTAMPTZ) ELSE {local} END"
        parsed = f"timezone('UTC', {moment})"
    else:
        parsed = f"timezone('UTC', timezone({zone}, {_read(c, _CLOCKS[order])}))"
    call.rewrite(parsed)
    call.reject(
        f"{call.target}: not a time", f"{c} IS NOT NULL AND {c} <> '' AND ({parsed}) IS NULL"
    )


@operation(
    "CODE_AND_NAME",
    _FAMILY,
    "`CODE - Name` split at the first ` - `; a code is upper-case letters and may be absent.",
    own=True,
    sourceColumn=COLUMN,
    codeColumn=TARGET,
    nameColumn=TARGET,
)
def _code_and_name(call: Call) -> None:
    c = call.c
    coded = f"regexp_matches({c}, '^[A-Z]{{2,6}} - ')"
    call.assign(
        str(call.given["codeColumn"]),
        f"CASE WHEN {coded} THEN substr({c}, 1, strpos({c}, ' - ') - 1) END",
    )
    call.assign(
        str(call.given["nameColumn"]),
        f"CASE WHEN {coded} THEN substr({c}, strpos({c}, ' - ') + 3) ELSE {c} END",
    )


@operation(
    "APPLY_RENAMES",
    _FAMILY,
    "Adds the name in use now beside the published one, by the rename maps in corrections/.",
    own=True,
    sourceColumn=COLUMN,
)
def _renames(call: Call) -> None:
    maps = [m for m in call.corrections.rename_maps if m.column == call.source]
    if not maps:
        raise call.refuse("sourceColumn", f"corrections/ has no rename map for {call.source!r}")
    for names in maps:
        whens = " ".join(f"WHEN {text(r.found)} THEN {text(r.now)}" for r in names.renames)
        call.assign(names.into, f"CASE {call.c} {whens} ELSE {call.c} END")


@operation(
    "APPLY_CORRECTION",
    _FAMILY,
    "One known error mended; a recipe's APPLY_CORRECTIONS stands for one of these each.",
    own=True,
    correction=Parameter(Kind.INTEGER),
)
def _correct(call: Call) -> None:
    known: Correction = call.corrections.corrections[call.integer("correction")]
    for name in (known.column, *known.when):
        if name not in call.columns:
            raise call.refuse("correction", f"a correction reads {name!r}, which is not here")
    conditions = {known.column: known.found, **known.when}
    sql = " AND ".join(f"CAST({column(n)} AS VARCHAR) = {text(v)}" for n, v in conditions.items())
    mended = f"CASE WHEN {sql} THEN {text(known.value)} ELSE {column(known.column)} END"
    call.assign(known.column, mended, *conditions)


@operation(
    "REJECT_OUTSIDE",
    _FAMILY,
    "Rows with a date before `least` or after `most` (a date, or `extract`) are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    least=Parameter(Kind.TEXT, required=False),
    most=Parameter(Kind.TEXT, required=False),
    leastReason=Parameter(Kind.TEXT, required=False),
    mostReason=Parameter(Kind.TEXT, required=False),
)
def _outside(call: Call) -> None:
    for key, sign in (("least", "<"), ("most", ">")):
        if key not in call.given:
            continue
        limit = _limit(call, key)
        told = str(call.given.get(f"{key}Reason") or f"{sign} {limit.isoformat()}")
        reason = f"{call.source}: {told}"
        call.reject(reason, f"CAST({call.c} AS DATE) {sign} DATE '{limit.isoformat()}'")


def _limit(call: Call, key: str) -> date:
    value = str(call.given[key])
    if value == "extract":
        return call.as_of
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise call.refuse(key, f"{value!r} is not a date", "YYYY-MM-DD, or extract") from error


@operation(
    "RESOLVE_DUPLICATES",
    _FAMILY,
    "Rows with the same key: equal measures keep the first, unequal ones are all quarantined.",
    own=True,
    keyColumns=COLUMNS,
    measureColumn=COLUMN,
)
def _resolve(call: Call) -> None:
    keys = tuple(call.many("keyColumns"))
    told = ", ".join(keys)
    call.duplicates = Duplicates(
        keys,
        str(call.given["measureColumn"]),
        f"the same {told} and {call.given['measureColumn']} as an earlier row",
        f"the same {told} as another row, with another {call.given['measureColumn']}",
    )
