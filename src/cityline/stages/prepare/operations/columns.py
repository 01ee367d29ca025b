"""Shaping columns: types, names, copies, splits, merges, flags and mappings."""

from __future__ import annotations

from cityline.ports.recipe_sql import column, text
from cityline.stages.prepare.operations.registry import (
    COLUMN,
    COLUMNS,
    INTEGER,
    MAYBE_TEXT,
    TARGET,
    TARGET_OR_SAME,
    TEXT,
    Call,
    Kind,
    Parameter,
    choice,
    operation,
)

_FAMILY = "columns"
TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "long": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}


@operation(
    "CHANGE_DATA_TYPE",
    _FAMILY,
    "Another type; what cannot be read in it becomes empty.",
    sourceColumn=COLUMN,
    columnDataType=choice(*TYPES),
)
def _cast(call: Call) -> None:
    call.rewrite(f"TRY_CAST({call.c} AS {TYPES[call.given['columnDataType']]})")


@operation("DELETE", _FAMILY, "The columns go.", sourceColumns=COLUMNS)
def _delete(call: Call) -> None:
    call.drops.extend(call.many("sourceColumns"))


@operation(
    "DUPLICATE", _FAMILY, "A copy under another name.", sourceColumn=COLUMN, targetColumn=TARGET
)
def _duplicate(call: Call) -> None:
    call.rewrite(call.c)


@operation("RENAME", _FAMILY, "Another name.", sourceColumn=COLUMN, targetColumn=TARGET)
def _rename(call: Call) -> None:
    if call.target in call.columns:
        raise call.refuse("targetColumn", f"the column {call.target!r} exists already")
    call.renames[call.source] = call.target


@operation(
    "MERGE",
    _FAMILY,
    "Several columns as one text; empty cells are left out.",
    sourceColumns=COLUMNS,
    delimiter=MAYBE_TEXT,
    targetColumn=TARGET,
)
def _merge(call: Call) -> None:
    names = call.many("sourceColumns")
    columns = ", ".join(column(n) for n in names)
    call.assign(
        call.given["targetColumn"], f"concat_ws({call.literal('delimiter')}, {columns})", *names
    )


@operation(
    "SPLIT_COLUMN_SINGLE_DELIMITER",
    _FAMILY,
    "The parts between delimiters, as columns `<source>_1`, `_2` and so on; the last has the rest.",
    sourceColumn=COLUMN,
    pattern=TEXT,
    limit=Parameter(Kind.INTEGER, required=False),
)
def _split(call: Call) -> None:
    parts = int(call.given.get("limit", 1)) + 1
    delimiter = call.literal("pattern")
    rest = call.c
    for at in range(1, parts):
        there = f"strpos({rest}, {delimiter})"
        piece = f"CASE WHEN {there} > 0 THEN substr({rest}, 1, {there} - 1) ELSE {rest} END"
        call.assign(f"{call.source}_{at}", piece)
        rest = f"(CASE WHEN {there} > 0 THEN substr({rest}, {there} + length({delimiter})) END)"
    call.assign(f"{call.source}_{parts}", rest)


@operation(
    "SPLIT_COLUMN_BETWEEN_POSITIONS",
    _FAMILY,
    "Three columns: before, between and after two positions counted from 0.",
    sourceColumn=COLUMN,
    startPosition=INTEGER,
    endPosition=INTEGER,
)
def _split_positions(call: Call) -> None:
    start, end = call.integer("startPosition"), call.integer("endPosition")
    call.assign(f"{call.source}_1", f"substr({call.c}, 1, {start})")
    call.assign(f"{call.source}_2", f"substr({call.c}, {start + 1}, {max(0, end - start)})")
    call.assign(f"{call.source}_3", f"substr({call.c}, {end + 1})")


@operation(
    "SPLIT_COLUMN_FROM_START",
    _FAMILY,
    "Two columns: the first characters, and the rest.",
    sourceColumn=COLUMN,
    position=INTEGER,
)
def _split_start(call: Call) -> None:
    at = call.integer("position")
    call.assign(f"{call.source}_1", f"substr({call.c}, 1, {at})")
    call.assign(f"{call.source}_2", f"substr({call.c}, {at + 1})")


@operation(
    "FLAG_COLUMN_FROM_NULL",
    _FAMILY,
    "Whether a cell is empty.",
    sourceColumn=COLUMN,
    targetColumn=TARGET,
)
def _flag_null(call: Call) -> None:
    call.rewrite(f"{call.c} IS NULL OR CAST({call.c} AS VARCHAR) = ''")


@operation(
    "FLAG_COLUMN_FROM_PATTERN",
    _FAMILY,
    "Whether a cell contains a match of a regular expression.",
    sourceColumn=COLUMN,
    targetColumn=TARGET,
    pattern=TEXT,
)
def _flag_pattern(call: Call) -> None:
    call.rewrite(f"coalesce(regexp_matches({call.c}, {call.literal('pattern')}), false)")


@operation(
    "CATEGORICAL_MAPPING",
    _FAMILY,
    "A table of spellings and what each becomes; others stay, or become `other`.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    categoryMap=Parameter(Kind.MAPPING),
    other=MAYBE_TEXT,
)
def _map(call: Call) -> None:
    whens = " ".join(
        f"WHEN {text(str(found))} THEN {text(str(now))}"
        for found, now in call.given["categoryMap"].items()
    )
    otherwise = call.literal("other") if "other" in call.given else call.c
    call.rewrite(f"CASE {call.c} {whens} ELSE {otherwise} END")


@operation(
    "BUCKETIZATION",
    _FAMILY,
    "Numbers into equal intervals, named by their lower end.",
    sourceColumn=COLUMN,
    targetColumn=TARGET,
    interval=Parameter(Kind.NUMBER),
)
def _buckets(call: Call) -> None:
    width = float(call.given["interval"])
    if width <= 0:
        raise call.refuse("interval", "an interval must be greater than 0")
    call.rewrite(f"floor(TRY_CAST({call.c} AS DOUBLE) / {width}) * {width}")
