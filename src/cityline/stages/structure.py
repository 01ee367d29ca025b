"""Structure: landing into curated tables by declared models, their unit tests, and their totals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from cityline.declarations.model import Model, ModelTest
from cityline.lake.address import Address, Zone
from cityline.ports.engine import Engine, Tables, Written

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ModelTestResult:
    """How one declared test of a model ended; `message` says what differs."""

    name: str
    passed: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A measure's total in the model's table and where it came from; both over all rows."""

    column: str
    total: int | float
    of: str
    expected: int | float

    @property
    def equal(self) -> bool:
        """Whether the totals agree (to rounding, for decimals)."""
        return math.isclose(self.total, self.expected, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)


def structure(model: Model, engine: Engine, tables: Tables, into: str) -> Written:
    """Write a model's candidate below the store's key `into`. Raises EngineError."""
    return engine.write(
        model.sql, tables, into, partition_by=model.partition_by, order_by=model.order_by
    )


def reconcile(model: Model, engine: Engine, tables: Tables) -> list[Reconciliation]:
    """Compare the sums a model promises to keep. `tables` holds what it read and its candidate."""
    own = Address(Zone.CURATED, model.name).table
    found = []
    for column, other in model.reconciles.items():
        table, _, source = other.rpartition(".")
        sql = (
            f'SELECT (SELECT coalesce(sum("{column}"), 0) FROM {own}) AS total, '
            f'(SELECT coalesce(sum("{source}"), 0) FROM {table}) AS expected'
        )
        row = engine.query(sql, tables).to_pylist()[0]
        total, expected = (_number(row[k]) for k in ("total", "expected"))
        found.append(Reconciliation(column, total, other, expected))
    return found


def check_model(model: Model, engine: Engine) -> list[ModelTestResult]:
    """Run a model's declared tests: the given rows in, the expected rows out, in any order.

    Raises EngineError when the model cannot be run on the given rows.
    """
    return [_run(model, engine, test) for test in model.tests]


def _run(model: Model, engine: Engine, test: ModelTest) -> ModelTestResult:
    missing = [r for r in model.reads if r not in test.given]
    if missing:
        return ModelTestResult(
            test.name, passed=False, message=f"given has no rows for {missing[0]}"
        )
    tables = {name: _table(rows) for name, rows in test.given.items()}
    made = engine.query(model.sql, tables)
    expected = [dict(row) for row in test.expect]
    found = made.to_pylist()
    declared = [c.name for c in model.columns]
    if made.column_names != declared:
        told = f"the columns are {made.column_names}, declared are {declared}"
        return ModelTestResult(test.name, passed=False, message=told)
    return _compare(test.name, found, expected)


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Given rows as a table; a column that one row lacks is NULL there."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: [row.get(name) for row in rows] for name in names})


def _compare(
    name: str, found: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]
) -> ModelTestResult:
    left = list(found)
    for row in expected:
        match = next((f for f in left if _same(f, row)), None)
        if match is None:
            told = f"expected {row}, which is not among {left}"
            return ModelTestResult(name, passed=False, message=told)
        left.remove(match)
    if left:
        return ModelTestResult(name, passed=False, message=f"not expected: {left[0]}")
    return ModelTestResult(name, passed=True)


def _same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Equal in every column; one the expectation leaves out must be NULL."""
    for name, value in found.items():
        wanted = expected.get(name)
        if isinstance(value, float) and isinstance(wanted, int | float):
            if not math.isclose(value, wanted, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
                return False
        elif value != wanted:
            return False
    return all(name in found for name in expected)


def _number(value: Any) -> int | float:
    return float(value) if isinstance(value, float) else int(value)
