"""Running a recipe's plan on one machine: clean the distinct values, not the rows.

A column's expression that depends on one raw column is a pure function of that column's value.
So each raw column keeps a small table of its distinct values (an *origin*), the expressions run on
that table, and the rows only carry codes into it. Only an expression over several raw columns is
run on the rows. Every reason a row can be rejected for has a number in the order of the plan; the
smallest one that applies to a row is its verdict.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cityline.adapters.local.arrays import (
    cell,
    differs,
    fetch,
    frequency,
    spread,
    value_counts,
    whole,
)
from cityline.adapters.local.duplicates import find_duplicates
from cityline.errors import EngineError
from cityline.ports.cleaning import (
    ROW,
    Cleaned,
    CleaningPlan,
    CleaningStep,
    Duplicates,
    Expression,
    StepEffect,
    Texts,
)

if TYPE_CHECKING:
    import duckdb

_KEPT = np.int16(32767)
_CODE = "__code"
_SAMPLES = 5
_PARALLEL = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="columns")
"""Columns do not know each other, and NumPy and Arrow let other threads work."""
_RAGGED = "the record has the wrong number of cells"


@dataclass(slots=True)
class _Origin:
    """A raw column: its code in every row, how often each code occurs, and what the plan has made
    of its distinct values so far (`values`, one row per code). `verdict` is per code."""

    codes: NDArray[np.int32]
    counts: NDArray[np.int64]
    values: pa.Table
    verdict: NDArray[np.int16]
    merged: bool = True


@dataclass(slots=True)
class _Tally:
    changed: int = 0
    samples: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Task:
    """One expression of a step: a new column, or (`reason` ≥ 0) a condition to reject."""

    name: str
    expression: Expression
    reason: int = -1


def run_plan(plan: CleaningPlan, texts: Texts, connection: duckdb.DuckDBPyConnection) -> Cleaned:
    """Run every step and account for every row. Raises EngineError for SQL that cannot be run."""
    rows = _Rows(plan, texts, connection)
    before = rows.frequencies_before()
    for step in plan.steps:
        rows.run(step)
    kept, after = rows.kept(plan.output)
    return Cleaned(kept, rows.quarantined(texts), rows.effects(plan), before, after)


class _Rows:
    """All rows as codes into origins, plus the few columns that depend on several of them."""

    def __init__(
        self, plan: CleaningPlan, texts: Texts, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self.count = texts.table.num_rows
        self.connection = connection
        self.raw = texts.table
        self.columns: dict[str, pa.Array] = {ROW: texts.rows}
        self.verdict = np.full(self.count, _KEPT)
        self.reasons: list[tuple[int, str]] = []
        self.tallies: dict[int, _Tally] = {}
        texty = [n for n in plan.columns if pa.types.is_dictionary(texts.table[n].type)]
        opened = _PARALLEL.map(lambda n: self._open(n, texts.table[n]), texty)
        self.origins = dict(zip(texty, opened, strict=True))
        self.home = {name: name for name in texty}
        for name in plan.columns:
            if name not in self.home:
                self.columns[name] = texts.table[name].combine_chunks()

    def _open(self, name: str, column: pa.ChunkedArray) -> _Origin:
        coded = whole(column)
        values, codes = coded.dictionary, coded.indices.to_numpy()
        size = len(values)
        table = pa.table({_CODE: np.arange(size, dtype=np.int32), name: values})
        counts = np.bincount(codes, minlength=size)
        return _Origin(codes, counts, table, np.full(size, _KEPT))

    def frequencies_before(self) -> dict[str, pa.Table]:
        """Frequencies of the raw texts (or integers, for row numbers)."""
        found = {n: frequency(o.values[n], o.counts) for n, o in self.origins.items()}
        for name, column in self.columns.items():
            if name != ROW:
                found[name] = value_counts(column)
        return {n: found[n] for n in self.raw.column_names if n in found}

    # -- one step -----------------------------------------------------------------------------

    def run(self, step: CleaningStep) -> None:
        tally = self.tallies[step.number] = _Tally()
        tasks = [_Task(name, e) for name, e in step.assigns.items()]
        for reject in step.rejects:
            tasks.append(_Task("", reject.when, self._reason(step, reject.reason)))
        groups: dict[str | None, list[_Task]] = {}
        for task in tasks:
            groups.setdefault(self._origin_of(task.expression), []).append(task)
        results = [(o, ts, self._evaluate(o, ts)) for o, ts in groups.items()]
        for origin, group, result in results:
            self._tally(tally, origin, group, result)
        for origin, group, result in results:
            self._apply(origin, group, result)
        self._rename(step)
        if step.duplicates:
            self._reject_duplicates(step, step.duplicates)

    def _reason(self, step: CleaningStep, text: str) -> int:
        self.reasons.append((step.number, text))
        return len(self.reasons) - 1

    def _origin_of(self, expression: Expression) -> str | None:
        """The one raw column an expression depends on, or None when it must run on the rows."""
        if not expression.reads:  # a constant: any small origin will carry it
            return min(self.origins, key=lambda n: len(self.origins[n].counts), default=None)
        homes = {self.home.get(name) for name in expression.reads}
        return homes.pop() if len(homes) == 1 else None

    def _evaluate(self, origin: str | None, tasks: Sequence[_Task]) -> pa.Table:
        """Run the expressions of one group; `a0, a1, …` in the order of the tasks."""
        if origin is None:
            reads = set().union(*(t.expression.reads for t in tasks))
            table = self._table(sorted(reads))
        else:
            table = self.origins[origin].values
        select = ", ".join(f"({t.expression.sql}) AS a{i}" for i, t in enumerate(tasks))
        sql = f'SELECT {select}, "{_CODE}" FROM step_input ORDER BY "{_CODE}"'
        self.connection.register("step_input", table)
        try:
            return fetch(self.connection, sql).combine_chunks()
        finally:
            self.connection.unregister("step_input")

    def _table(self, names: Sequence[str]) -> pa.Table:
        missing = [n for n in names if n not in self.home and n not in self.columns]
        if missing:
            raise EngineError(f"the recipe reads a column that is gone: {', '.join(missing)}")
        columns = {n: self.column(n) for n in names}
        return pa.table({_CODE: np.arange(self.count, dtype=np.int32), **columns})

    def column(self, name: str) -> pa.Array:
        """A column's value in every row; raw row numbers come back as texts."""
        home = self.home.get(name)
        if home is not None:
            origin = self.origins[home]
            return whole(origin.values[name]).take(pa.array(origin.codes))
        column = self.columns[name]
        raw = name in self.raw.column_names and name != ROW
        return pc.cast(column, pa.string()) if raw and pa.types.is_integer(column.type) else column

    def _tally(
        self, tally: _Tally, origin: str | None, tasks: Sequence[_Task], result: pa.Table
    ) -> None:
        """Count the cells a step changes or adds, and keep a few of them as samples."""
        for i, task in enumerate(tasks):
            if task.reason >= 0:
                continue
            after = whole(result[f"a{i}"])
            old = self.home.get(task.name)
            if origin is not None and old in (None, origin) and task.name not in self.columns:
                weights = self.origins[origin].counts
                before = whole(self.origins[origin].values[task.name]) if old else None
            else:
                weights = np.ones(self.count, dtype=np.int64)
                after = (
                    after if origin is None else after.take(pa.array(self.origins[origin].codes))
                )
                known = old is not None or task.name in self.columns
                before = self.column(task.name) if known else None
            changed = differs(before, after) & (weights > 0)
            tally.changed += int(weights[changed].sum())
            for at in map(int, np.flatnonzero(changed)[: _SAMPLES * 20]):
                was = cell(before, at) if before is not None else None
                told = {"column": task.name, "before": was, "after": cell(after, at)}
                if told not in tally.samples and len(tally.samples) < _SAMPLES:
                    tally.samples.append(told)

    def _apply(self, origin: str | None, tasks: Sequence[_Task], result: pa.Table) -> None:
        for i, task in enumerate(tasks):
            values = whole(result[f"a{i}"])
            if task.reason >= 0:
                self._reject(origin, values, task.reason)
            elif origin is None:
                self._forget(task.name)
                self.columns[task.name] = values
            else:
                self._forget(task.name)
                place = self.origins[origin]
                place.values = place.values.append_column(task.name, values)
                self.home[task.name] = origin

    def _forget(self, name: str) -> None:
        home = self.home.pop(name, None)
        if home is not None:
            self.origins[home].values = self.origins[home].values.drop_columns([name])
        self.columns.pop(name, None)

    def _reject(self, origin: str | None, condition: pa.Array, reason: int) -> None:
        hit = pc.fill_null(pc.cast(condition, pa.bool_()), False).to_numpy(zero_copy_only=False)
        verdict = self.verdict if origin is None else self.origins[origin].verdict
        verdict[hit] = np.minimum(verdict[hit], np.int16(reason))
        if origin is not None and hit.any():
            self.origins[origin].merged = False

    def _rename(self, step: CleaningStep) -> None:
        for old, new in step.renames.items():
            if old in self.home:
                home = self.home.pop(old)
                place = self.origins[home]
                names = [new if n == old else n for n in place.values.column_names]
                place.values = place.values.rename_columns(names)
                self.home[new] = home
            else:
                self.columns[new] = self.columns.pop(old)
        for name in step.drops:
            self._forget(name)

    def merge(self) -> NDArray[np.int16]:
        """Every row's verdict so far."""
        for origin in self.origins.values():
            if not origin.merged:
                np.minimum(self.verdict, origin.verdict[origin.codes], out=self.verdict)
                origin.merged = True
        return self.verdict

    def _reject_duplicates(self, step: CleaningStep, duplicates: Duplicates) -> None:
        repeat = self._reason(step, duplicates.reason)
        conflict = self._reason(step, duplicates.conflict_reason or duplicates.reason)
        verdict = self.merge()
        names = [*duplicates.keys, *([duplicates.measure] if duplicates.measure else [])]
        codes = dict(zip(names, _PARALLEL.map(self.group, names), strict=True))
        measure = codes[duplicates.measure] if duplicates.measure else None
        keys = [codes[name] for name in duplicates.keys]
        found = find_duplicates(keys, measure, verdict == _KEPT)
        verdict[found.repeats] = repeat
        verdict[found.conflicts] = conflict

    def group(self, name: str) -> NDArray[np.int32]:
        """A code per row that is equal exactly when the values are; NULL has a code too."""
        home = self.home.get(name)
        values = whole(self.origins[home].values[name]) if home else self.columns[name]
        encoded = values.dictionary_encode(null_encoding="encode")
        codes: NDArray[np.int32] = encoded.indices.to_numpy()
        return codes[self.origins[home].codes] if home else codes

    # -- the outcome --------------------------------------------------------------------------

    def kept(self, output: Sequence[str]) -> tuple[pa.Table, dict[str, pa.Table]]:
        """The kept rows with the output columns, and the frequencies of each."""
        mask = self.merge() == _KEPT
        chosen = None if mask.all() else mask
        homes = sorted({self.home[name] for name in output if name in self.home})
        codes = dict(
            zip(homes, _PARALLEL.map(lambda h: self._chosen(h, chosen), homes), strict=True)
        )
        told = list(_PARALLEL.map(lambda name: self._output(name, codes, chosen), output))
        columns = {name: column for name, (column, _) in zip(output, told, strict=True)}
        return pa.table(columns), {n: f for n, (_, f) in zip(output, told, strict=True) if n != ROW}

    def _chosen(
        self, home: str, chosen: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """An origin's codes of the chosen rows, and how often each code occurs among them."""
        origin = self.origins[home]
        codes = origin.codes if chosen is None else origin.codes[chosen]
        return codes, np.bincount(codes, minlength=len(origin.counts))

    def _output(
        self,
        name: str,
        codes: Mapping[str, tuple[NDArray[np.int32], NDArray[np.int64]]],
        chosen: NDArray[np.bool_] | None,
    ) -> tuple[pa.Array, pa.Table]:
        """One output column, and its frequencies (none for row numbers: each occurs once)."""
        home = self.home.get(name)
        if home is None:
            column = self.columns[name]
            column = column if chosen is None else column.filter(pa.array(chosen))
            return column, None if name == ROW else value_counts(column)
        values = whole(self.origins[home].values[name])
        of, counts = codes[home]
        return spread(values, of), frequency(values, counts)

    def quarantined(self, texts: Texts) -> pa.Table:
        """Every rejected row: its number, its reason and its cells as they came."""
        verdict = self.merge()
        rejected = np.flatnonzero(verdict != _KEPT)
        reasons = pa.array([text for _, text in self.reasons], pa.string())
        raw = texts.table.take(pa.array(rejected))
        table = pa.table(
            {
                ROW: texts.rows.take(pa.array(rejected)),
                "reason": reasons.take(pa.array(verdict[rejected])),
                **{f"c{i}": raw.column(i) for i in range(raw.num_columns)},
            }
        )
        cells = ", ".join(
            f"'{name.replace(chr(39), chr(39) * 2)}': CAST(c{i} AS VARCHAR)"
            for i, name in enumerate(raw.column_names)
        )
        self.connection.register("rejected", table)
        try:
            told = fetch(
                self.connection,
                f"SELECT {ROW}, reason, CAST(to_json({{{cells}}}) AS VARCHAR) AS raw "
                f"FROM rejected ORDER BY {ROW}",
            )
        finally:
            self.connection.unregister("rejected")
        ragged = pa.table(
            {
                ROW: pa.array([n for n, _ in texts.ragged], pa.int64()),
                "reason": pa.array([_RAGGED] * len(texts.ragged), pa.string()),
                "raw": pa.array([text for _, text in texts.ragged], pa.string()),
            }
        )
        return pa.concat_tables([told.cast(ragged.schema), ragged]).combine_chunks()

    def effects(self, plan: CleaningPlan) -> tuple[StepEffect, ...]:
        """Rows before and after each step, cells changed and samples."""
        verdict = self.merge()
        hits = np.bincount(verdict[verdict != _KEPT], minlength=len(self.reasons))
        rows = self.count
        told = []
        for step in plan.steps:
            mine = [i for i, (number, _) in enumerate(self.reasons) if number == step.number]
            lost = int(sum(hits[i] for i in mine))
            tally = self.tallies[step.number]
            samples = [*tally.samples, *self._rejected_samples([i for i in mine if hits[i]])]
            told.append(
                StepEffect(
                    step.number,
                    step.operation,
                    step.why,
                    rows,
                    rows - lost,
                    tally.changed,
                    tuple(samples),
                )
            )
            rows -= lost
        return tuple(told)

    def _rejected_samples(self, reasons: Sequence[int]) -> list[Mapping[str, Any]]:
        samples: list[Mapping[str, Any]] = []
        for reason in reasons:
            at = int(np.argmax(self.verdict == reason))
            samples.append(
                {"reason": self.reasons[reason][1], "row": self.columns[ROW][at].as_py()}
            )
        return samples[:_SAMPLES]
