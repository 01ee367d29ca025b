"""Missing, invalid and repeated values: fill them, replace them, or quarantine their rows."""

from __future__ import annotations

from cityline.ports.cleaning import Duplicates
from cityline.ports.recipe_sql import text
from cityline.stages.prepare.operations.columns import TYPES
from cityline.stages.prepare.operations.registry import (
    COLUMN,
    COLUMNS,
    TEXT,
    Call,
    Kind,
    Parameter,
    choice,
    operation,
)

_FAMILY = "data quality"


@operation("FILL_WITH_CUSTOM", _FAMILY, "Empty cells get a value.", sourceColumn=COLUMN, value=TEXT)
def _fill(call: Call) -> None:
    call.rewrite(f"coalesce(nullif({call.c}, ''), {call.literal('value')})")


@operation("FILL_WITH_EMPTY", _FAMILY, "NULL becomes an empty text.", sourceColumn=COLUMN)
def _fill_empty(call: Call) -> None:
    call.rewrite(f"coalesce({call.c}, '')")


@operation("FILL_WITH_NULL", _FAMILY, "An empty text becomes NULL.", sourceColumn=COLUMN)
def _fill_null(call: Call) -> None:
    call.rewrite(f"nullif({call.c}, '')")


def _invalid(call: Call) -> str:
    kind = TYPES[call.given["columnDataType"]]
    return f"{call.c} IS NOT NULL AND {call.c} <> '' AND TRY_CAST({call.c} AS {kind}) IS NULL"


_TYPED = choice(*TYPES)


@operation(
    "REPLACE_WITH_CUSTOM",
    _FAMILY,
    "Cells that are not of a type get a value.",
    sourceColumn=COLUMN,
    columnDataType=_TYPED,
    value=TEXT,
)
def _replace(call: Call) -> None:
    call.rewrite(f"CASE WHEN {_invalid(call)} THEN {call.literal('value')} ELSE {call.c} END")


@operation(
    "REPLACE_WITH_NULL",
    _FAMILY,
    "Cells that are not of a type become empty.",
    sourceColumn=COLUMN,
    columnDataType=_TYPED,
)
def _replace_null(call: Call) -> None:
    call.rewrite(f"CASE WHEN NOT ({_invalid(call)}) THEN {call.c} END")


@operation(
    "REPLACE_WITH_EMPTY",
    _FAMILY,
    "Cells that are not of a type become an empty text.",
    sourceColumn=COLUMN,
    columnDataType=_TYPED,
)
def _replace_empty(call: Call) -> None:
    call.rewrite(f"CASE WHEN {_invalid(call)} THEN '' ELSE {call.c} END")


@operation(
    "REMOVE_INVALID",
    _FAMILY,
    "Rows whose cell is not of a type are quarantined.",
    sourceColumn=COLUMN,
    columnDataType=_TYPED,
)
def _remove_invalid(call: Call) -> None:
    call.reject(f"{call.source}: not of type {call.given['columnDataType']}", _invalid(call))


@operation(
    "REMOVE_MISSING", _FAMILY, "Rows whose cell is empty are quarantined.", sourceColumn=COLUMN
)
def _remove_missing(call: Call) -> None:
    call.reject(f"{call.source}: missing", f"{call.c} IS NULL OR CAST({call.c} AS VARCHAR) = ''")


@operation(
    "REMOVE_DUPLICATES",
    _FAMILY,
    "Of rows with the same cell all but the first are quarantined.",
    sourceColumn=COLUMN,
)
def _remove_duplicates(call: Call) -> None:
    reason = f"{call.source}: repeats an earlier row"
    call.duplicates = Duplicates((call.source,), None, reason)


@operation(
    "DELETE_DUPLICATE_ROWS",
    _FAMILY,
    "Of rows equal in these columns all but the first are quarantined.",
    duplicateColumns=COLUMNS,
)
def _delete_duplicates(call: Call) -> None:
    names = tuple(call.many("duplicateColumns"))
    call.duplicates = Duplicates(names, None, f"the same {', '.join(names)} as an earlier row")


@operation(
    "REMOVE_VALUES",
    _FAMILY,
    "Rows whose cell is one of these texts are quarantined.",
    own=True,
    sourceColumn=COLUMN,
    values=Parameter(Kind.TEXTS),
)
def _remove_values(call: Call) -> None:
    listed = ", ".join(text(v) for v in call.many("values"))
    call.reject(f"{call.source}: a value the recipe refuses", f"{call.c} IN ({listed})")
