"""Running the cases on an engine and comparing its answers with DuckDB's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from cityline.errors import EngineError
from cityline.ports.engine import Engine, Tables

Verdict = Literal["identical", "tolerance", "raised", "refused", "different"]
"""`raised` is an error on DuckDB and on the engine; `refused` one on the engine alone, in words that
say what to write instead."""
LOUD = ("not portable", "a number is too large")
"""Errors that name the rewrite: before a query runs, or in place of an overflow."""
TOLERANCE = 1e-9
"""Relative: engines add and round doubles in other orders."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One case on one engine; `told` says why it is refused, or what differs."""

    kind: str
    case: str
    engine: str
    verdict: Verdict
    told: str = ""


def compare(
    kind: str, case: str, queries: Sequence[str], reference: Engine, engine: Engine, tables: Tables
) -> Cell:
    """The worst of a case's queries."""
    worst = Cell(kind, case, engine.name, "identical")
    order = get_args(Verdict)
    for sql in queries:
        verdict, told = _one(sql, reference, engine, tables)
        if order.index(verdict) > order.index(worst.verdict):
            worst = Cell(kind, case, engine.name, verdict, told)
    return worst


def _one(sql: str, reference: Engine, engine: Engine, tables: Tables) -> tuple[Verdict, str]:
    found = _answer(lambda: engine.query(sql, tables))
    expected = _answer(lambda: reference.query(sql, tables))
    if isinstance(found, EngineError):
        if isinstance(expected, EngineError):
            return "raised", found.what
        refused = found.what.startswith(LOUD)
        return ("refused", found.what) if refused else ("different", f"{sql}: {found.what}")
    if isinstance(expected, EngineError):
        return "different", f"{sql}: DuckDB fails ({expected.what[:120]}), found {found[:3]}"
    return same(sql, expected, found)


def _answer(ask: Callable[[], Any]) -> list[list[Any]] | EngineError:
    try:
        table = ask()
    except EngineError as error:
        return error
    return [[plain(v) for v in row.values()] for row in _within_python(table).to_pylist()]


def _within_python(table: pa.Table) -> pa.Table:
    """Days as texts where one is beyond Python's years, such as DuckDB's infinity."""
    for at, column in enumerate(table.schema):
        days = table[at]
        if pa.types.is_date32(column.type):
            far = pc.greater(pc.abs(days.cast(pa.int32())), 700_000)
            if pc.any(far).as_py():
                table = table.set_column(at, column.name, days.cast(pa.string()))
    return table


def plain(value: Any) -> Any:
    """A value as all engines can be compared by: widths of integers do not matter, and a date at
    midnight is its day."""
    match value:
        case bool() | None | str():
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            at_midnight = value.time() == datetime.min.time()
            return value.date().isoformat() if at_midnight else value.isoformat()
        case date():
            return value.isoformat()
        case _:
            return value


def same(sql: str, expected: list[list[Any]], found: list[list[Any]]) -> tuple[Verdict, str]:
    """Whether two answers hold the same values in the same order; and where they differ."""
    if len(expected) != len(found):
        return "different", f"{sql}: {len(found)} rows, expected {len(expected)}"
    verdict: Verdict = "identical"
    for row, (want, got) in enumerate(zip(expected, found, strict=True)):
        for one, other in zip(want, got, strict=True):
            alike = _alike(one, other)
            if alike == "different":
                return "different", f"{sql}: row {row}: {other!r}, expected {one!r}"
            if alike == "tolerance":
                verdict = "tolerance"
    return verdict, ""


def _alike(one: Any, other: Any) -> Verdict:
    if isinstance(one, float) or isinstance(other, float):
        if one is None or other is None or isinstance(one, str) or isinstance(other, str):
            return "identical" if one == other else "different"
        if one == other or (math.isnan(one) and math.isnan(other)):
            return "identical"
        close = math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-12)
        return "tolerance" if close else "different"
    same_kind = isinstance(one, bool) == isinstance(other, bool)
    return "identical" if one == other and same_kind else "different"


def cells(
    kind: str, cases: Mapping[str, Sequence[str]], reference: Engine, engine: Engine, tables: Tables
) -> Iterator[Cell]:
    """Every case of a kind on an engine."""
    for case, queries in cases.items():
        yield compare(kind, case, queries, reference, engine, tables)
