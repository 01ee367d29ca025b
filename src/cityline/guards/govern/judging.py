"""Judging: every rule on all rows, in as few scans as possible, and a verdict for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cityline.declarations.dqdl import Composite, Condition, Expression, Rule, Ruleset, flatten
from cityline.errors import DeclarationError, EngineError, Problem
from cityline.guards.govern.conditions import NoHistoryError, Past, holds
from cityline.guards.govern.measures import MEASURES, Measure, Table, UnknownColumnError
from cityline.guards.govern.verdict import Verdict
from cityline.ports.engine import Engine, Tables


def check(ruleset: Ruleset, file: str) -> None:
    """Refuse by name every rule type that is not run here; none is ever skipped.

    Raises DeclarationError.
    """
    problems = [
        Problem(
            file,
            f"line {rule.line}",
            f"rules of type {rule.type} are not run here",
            f"run are: {', '.join(sorted(MEASURES))}",
        )
        for rule in flatten(ruleset.rules)
        if rule.type not in MEASURES
    ]
    problems += [
        Problem(file, f"line {rule.line}", f"unknown severity {severity!r}", "block or warn")
        for rule in flatten(ruleset.rules)
        if (severity := rule.labels.get("severity", "block")) not in ("block", "warn")
    ]
    if problems:
        raise DeclarationError(problems)


def judge(
    ruleset: Ruleset,
    engine: Engine,
    name: str,
    tables: Tables,
    *,
    history: Past,
    now: datetime,
    references: Sequence[str] = (),
) -> tuple[Verdict, ...]:
    """Judge the table `name` by every rule.

    `tables` holds it and all it is compared with; `references` names those rules may refer to;
    `history` yields past values of a metric, newest first. Raises DeclarationError for a rule
    type that is not run.
    """
    check(ruleset, name)
    schemas = {
        n: engine.query(f"SELECT * FROM {n} LIMIT 0", tables).schema for n in (name, *references)
    }
    table = Table(name, schemas[name], {n: schemas[n] for n in references}, now)
    measured = _measured(flatten(ruleset.rules), table, engine, tables)
    return tuple(_verdict(rule, measured, history) for rule in ruleset.rules)


_Measured = Mapping[int, tuple[Measure, float | None] | str]


def _measured(
    rules: Sequence[Rule], table: Table, engine: Engine, tables: Tables
) -> dict[int, tuple[Measure, float | None] | str]:
    """What each rule (by identity) measured; or why it could not be measured."""
    found: dict[int, tuple[Measure, float | None] | str] = {}
    batch: list[tuple[Rule, Measure]] = []
    for rule in rules:
        try:
            measure = MEASURES[rule.type](rule, table)
        except UnknownColumnError as error:
            found[id(rule)] = str(error)
            continue
        if measure.value is not None:
            found[id(rule)] = (measure, measure.value)
        elif measure.aggregate:
            batch.append((rule, measure))
        else:
            found[id(rule)] = _queried(measure, measure.query, engine, tables)
    found |= _scanned(batch, table, engine, tables)
    return found


def _scanned(
    batch: Sequence[tuple[Rule, Measure]], table: Table, engine: Engine, tables: Tables
) -> dict[int, tuple[Measure, float | None] | str]:
    """All aggregates in one scan; one by one if a rule's own text cannot be run."""
    if not batch:
        return {}
    select = ", ".join(f"{m.aggregate} AS m{i}" for i, (_, m) in enumerate(batch))
    try:
        row = engine.query(f"SELECT {select} FROM {table.name}", tables).to_pylist()[0]
    except EngineError:
        return {
            id(rule): _queried(m, f"SELECT {m.aggregate} FROM {table.name}", engine, tables)
            for rule, m in batch
        }
    return {id(rule): (m, _number(row[f"m{i}"])) for i, (rule, m) in enumerate(batch)}


def _queried(
    measure: Measure, sql: str, engine: Engine, tables: Tables
) -> tuple[Measure, float | None] | str:
    try:
        table = engine.query(sql, tables)
    except EngineError as error:
        return error.what
    if table.num_rows != 1 or table.num_columns != 1:
        return "the SQL must yield one value"
    return measure, _number(table.column(0)[0].as_py())


def _number(value: object) -> float | None:
    if value is None:
        return None
    return float(value)  # type: ignore[arg-type] # an aggregate is a number


def _verdict(rule: Expression, measured: _Measured, history: Past) -> Verdict:
    if isinstance(rule, Composite):
        return _composite(rule, measured, history)
    severity = rule.labels.get("severity", "block")
    found = measured[id(rule)]
    if isinstance(found, str):
        return Verdict(rule.text, rule.type, _bad(severity), severity, f"{rule.text}: {found}")
    measure, value = found
    if value is None:
        told = f"{rule.text}: there is nothing to measure"
        return Verdict(rule.text, rule.type, _bad(severity), severity, told)
    metrics = {measure.metric: value}
    try:
        met = holds(measure.expects, value, measure.metric, history)
    except NoHistoryError:
        told = f"{value:g}; no history to compare with yet"
        return Verdict(rule.text, rule.type, "passed", severity, told, metrics)
    except ValueError as error:
        told = f"{rule.text}: {error}"
        return Verdict(rule.text, rule.type, _bad(severity), severity, told, metrics)
    if met:
        return Verdict(rule.text, rule.type, "passed", severity, f"{value:g}", metrics)
    told = f"{rule.text}: {measure.metric} is {value:g}, expected {_words(measure.expects)}"
    return Verdict(rule.text, rule.type, _bad(severity), severity, told, metrics)


def _composite(rule: Composite, measured: _Measured, history: Past) -> Verdict:
    parts = [_verdict(p, measured, history) for p in rule.parts]
    good = [p.outcome == "passed" for p in parts]
    met = all(good) if rule.operator == "and" else any(good)
    severity = "warn" if all(p.severity == "warn" for p in parts) else "block"
    metrics = {k: v for p in parts for k, v in p.metrics.items()}
    told = "; ".join(p.message for p in parts if p.outcome != "passed") if not met else "holds"
    return Verdict(
        rule.text, "Composite", "passed" if met else _bad(severity), severity, told, metrics
    )


def _bad(severity: str) -> str:
    return "failed" if severity == "block" else "warned"


def _words(condition: Condition) -> str:
    operands = ", ".join(
        str(getattr(o, "value", "a figure of the past")) for o in condition.operands
    )
    return f"{'not ' if condition.negated else ''}{condition.operator} {operands}"
