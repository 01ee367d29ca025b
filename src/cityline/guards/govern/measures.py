"""What each rule type measures: a metric's name, the SQL that yields it, and what must hold of it.

A measure that is one aggregate over the table is collected with the others into a single scan;
the rest are queries of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from cityline.declarations.dqdl import Condition, Number, Rule, Text
from cityline.guards.govern.conditions import predicate, quote

ALL = Condition("=", (Number(1.0),))
_AGGREGATE = re.compile(r"\s*(sum|avg|mean|min|max|count)\s*\(\s*([\w.*]+)\s*\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """The table judged: its SQL name, its schema, the tables rules may refer to, and the moment."""

    name: str
    schema: pa.Schema
    references: Mapping[str, pa.Schema]
    now: datetime


@dataclass(frozen=True, slots=True)
class Measure:
    """`aggregate` is one expression over the table's rows, or `query` a SELECT of one value; or
    `value` is known without SQL. `expects` is the condition on the metric."""

    metric: str
    expects: Condition
    aggregate: str = ""
    query: str = ""
    value: float | None = None


class UnknownColumnError(Exception):
    """A rule names a column or table that is not there; the rule fails, the run goes on."""


Compile = Callable[[Rule, Table], Measure]
MEASURES: dict[str, Compile] = {}


def _measure(name: str) -> Callable[[Compile], Compile]:
    def register(build: Compile) -> Compile:
        MEASURES[name] = build
        return build

    return register


def _column(rule: Rule, table: Table, at: int = 0) -> str:
    if len(rule.arguments) <= at:
        raise UnknownColumnError(f"{rule.type} names no column")
    name = rule.arguments[at]
    if name not in table.schema.names:
        raise UnknownColumnError(f"there is no column {name!r}")
    return quote(name)


def _filtered(rule: Rule, aggregate: str) -> str:
    return f"{aggregate} FILTER (WHERE {rule.where})" if rule.where else aggregate


def _share(rule: Rule, met: str) -> str:
    """The share of rows that meet a predicate; of no rows at all, all do."""
    rows = _filtered(rule, "count(*)")
    good = f"count(*) FILTER (WHERE {f'({rule.where}) AND ' if rule.where else ''}({met}))"
    return f"coalesce(CAST({good} AS DOUBLE) / nullif({rows}, 0), 1.0)"


def _name(rule: Rule, metric: str) -> str:
    columns = ",".join(rule.arguments)
    return f"Column.{columns}.{metric}" if columns else f"Dataset.*.{metric}"


def _required(rule: Rule) -> Condition:
    if rule.condition is None:
        raise UnknownColumnError(f"{rule.type} needs a condition, such as > 0")
    return rule.condition


@_measure("RowCount")
def _row_count(rule: Rule, _: Table) -> Measure:
    return Measure("Dataset.*.RowCount", _required(rule), _filtered(rule, "count(*)"))


@_measure("ColumnCount")
def _column_count(rule: Rule, table: Table) -> Measure:
    return Measure("Dataset.*.ColumnCount", _required(rule), value=len(table.schema.names))


@_measure("ColumnExists")
def _column_exists(rule: Rule, table: Table) -> Measure:
    there = all(a in table.schema.names for a in rule.arguments)
    return Measure(_name(rule, "ColumnExists"), ALL, value=float(there))


@_measure("ColumnNamesMatchPattern")
def _names_match(rule: Rule, table: Table) -> Measure:
    good = sum(re.fullmatch(rule.arguments[0], n) is not None for n in table.schema.names)
    share = good / len(table.schema.names)
    return Measure("Dataset.*.ColumnNamesPatternMatchRatio", ALL, value=share)


@_measure("SchemaMatch")
def _schema_match(rule: Rule, table: Table) -> Measure:
    other = _reference(rule.arguments[0], table)
    alike = sum(n in table.schema.names and table.schema.field(n).type == other.field(n).type
                for n in other.names)  # fmt: skip
    share = alike / max(len(other.names), len(table.schema.names))
    return Measure(f"Dataset.{rule.arguments[0]}.SchemaMatch", rule.condition or ALL, value=share)


@_measure("IsComplete")
def _is_complete(rule: Rule, table: Table) -> Measure:
    met = f"{_column(rule, table)} IS NOT NULL"
    return Measure(_name(rule, "Completeness"), ALL, _share(rule, met))


@_measure("Completeness")
def _completeness(rule: Rule, table: Table) -> Measure:
    met = f"{_column(rule, table)} IS NOT NULL"
    return Measure(_name(rule, "Completeness"), _required(rule), _share(rule, met))


@_measure("IsUnique")
def _is_unique(rule: Rule, table: Table) -> Measure:
    column = _column(rule, table)
    distinct = _filtered(rule, f"count(DISTINCT {column})")
    rows = _filtered(rule, f"count({column})")
    metric = _name(rule, "DistinctRatio")
    return Measure(metric, ALL, f"coalesce(CAST({distinct} AS DOUBLE) / nullif({rows}, 0), 1.0)")


@_measure("IsPrimaryKey")
def _is_primary_key(rule: Rule, table: Table) -> Measure:
    columns = [_column(rule, table, at) for at in range(max(1, len(rule.arguments)))]
    listed = ", ".join(columns)
    where = f" WHERE {rule.where}" if rule.where else ""
    missing = " OR ".join(f"{c} IS NULL" for c in columns)
    # equal hashes may differ in truth, so only a doubt is settled by comparing the keys themselves
    doubt = f"(SELECT count(*) <> count(DISTINCT hash({listed})) FROM {table.name}{where})"
    exact = f"(SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {table.name}{where}))"
    rows = f"(SELECT count(*) FROM {table.name}{where})"
    bad = f"(SELECT count(*) FROM {table.name}{where or ' WHERE true'} AND ({missing}))"
    distinct = f"CASE WHEN {doubt} THEN {exact} ELSE {rows} END"
    sql = f"SELECT coalesce(CAST({distinct} - {bad} AS DOUBLE) / nullif({rows}, 0), 1.0)"
    return Measure(_name(rule, "PrimaryKeyRatio"), ALL, query=sql)


def _repeats(rule: Rule, table: Table, share: str) -> str:
    column = _column(rule, table)
    where = f"({rule.where}) AND " if rule.where else ""
    present = f"FROM {table.name} WHERE {where}{column} IS NOT NULL"
    counted = f"SELECT count(*) AS n {present} GROUP BY {column}"
    return f"SELECT coalesce({share}, 1.0) FROM ({counted})"


@_measure("Uniqueness")
def _uniqueness(rule: Rule, table: Table) -> Measure:
    share = "CAST(count(*) FILTER (WHERE n = 1) AS DOUBLE) / nullif(sum(n), 0)"
    sql = _repeats(rule, table, share)
    return Measure(_name(rule, "Uniqueness"), _required(rule), query=sql)


@_measure("UniqueValueRatio")
def _unique_value_ratio(rule: Rule, table: Table) -> Measure:
    share = "CAST(count(*) FILTER (WHERE n = 1) AS DOUBLE) / nullif(count(*), 0)"
    sql = _repeats(rule, table, share)
    return Measure(_name(rule, "UniqueValueRatio"), _required(rule), query=sql)


@_measure("Entropy")
def _entropy(rule: Rule, table: Table) -> Measure:
    share = "-sum(n / total * ln(n / total))"
    column = _column(rule, table)
    where = f"({rule.where}) AND " if rule.where else ""
    counted = (
        f"SELECT CAST(count(*) AS DOUBLE) AS n, sum(count(*)) OVER () AS total "
        f"FROM {table.name} WHERE {where}{column} IS NOT NULL GROUP BY {column}"
    )
    sql = f"SELECT coalesce({share}, 0.0) FROM ({counted})"
    return Measure(_name(rule, "Entropy"), _required(rule), query=sql)


@_measure("DistinctValuesCount")
def _distinct(rule: Rule, table: Table) -> Measure:
    aggregate = _filtered(rule, f"count(DISTINCT {_column(rule, table)})")
    return Measure(_name(rule, "DistinctValuesCount"), _required(rule), aggregate)


@_measure("ColumnValues")
def _values(rule: Rule, table: Table) -> Measure:
    met = predicate(_column(rule, table), _required(rule), table.now)
    return Measure(_name(rule, "ColumnValues.Compliance"), rule.threshold or ALL, _share(rule, met))


@_measure("ColumnLength")
def _length(rule: Rule, table: Table) -> Measure:
    length = f"length(CAST({_column(rule, table)} AS VARCHAR))"
    met = predicate(length, _required(rule), table.now)
    return Measure(_name(rule, "ColumnLength.Compliance"), rule.threshold or ALL, _share(rule, met))


_TYPES = {
    "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP", "integer": "INTEGER",
    "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "decimal": "DECIMAL(38, 9)",
    "string": "VARCHAR",
}  # fmt: skip


@_measure("ColumnDataType")
def _data_type(rule: Rule, table: Table) -> Measure:
    column = _column(rule, table)
    wanted = _required(rule).operands[0]
    kind = _TYPES.get(wanted.value.lower() if isinstance(wanted, Text) else "")
    if kind is None:
        raise UnknownColumnError(f"no data type {wanted}; known are {', '.join(sorted(_TYPES))}")
    met = f"{column} IS NULL OR TRY_CAST({column} AS {kind}) IS NOT NULL"
    metric = _name(rule, "ColumnDataType.Compliance")
    return Measure(metric, rule.threshold or ALL, _share(rule, met))


def _aggregate(metric: str, function: str) -> None:
    @_measure(metric)
    def build(rule: Rule, table: Table) -> Measure:
        aggregate = _filtered(rule, f"{function}({_column(rule, table)})")
        return Measure(_name(rule, metric), _required(rule), f"CAST({aggregate} AS DOUBLE)")


_aggregate("Sum", "sum")
_aggregate("Mean", "avg")
_aggregate("StandardDeviation", "stddev_pop")
_aggregate("Variance", "var_pop")


@_measure("ColumnCorrelation")
def _correlation(rule: Rule, table: Table) -> Measure:
    pair = f"{_column(rule, table)}, {_column(rule, table, 1)}"
    metric = _name(rule, "ColumnCorrelation")
    return Measure(metric, _required(rule), _filtered(rule, f"corr({pair})"))


@_measure("DataFreshness")
def _freshness(rule: Rule, table: Table) -> Measure:
    """The age of the oldest value, in hours; a `where` narrows what must be fresh."""
    now = f"TIMESTAMP '{table.now:%Y-%m-%d %H:%M:%S}'"
    oldest = _filtered(rule, f"min(CAST({_column(rule, table)} AS TIMESTAMP))")
    age = f"CAST(epoch({now}) - epoch({oldest}) AS DOUBLE) / 3600"
    return Measure(_name(rule, "DataFreshness.Hours"), _required(rule), age)


@_measure("RowCountMatch")
def _count_match(rule: Rule, table: Table) -> Measure:
    _reference(rule.arguments[0], table)
    sql = (
        f"SELECT coalesce(CAST((SELECT count(*) FROM {table.name}) AS DOUBLE) / "
        f"nullif((SELECT count(*) FROM {rule.arguments[0]}), 0), 0.0)"
    )
    return Measure(f"Dataset.{rule.arguments[0]}.RowCountMatch", _required(rule), query=sql)


@_measure("AggregateMatch")
def _aggregate_match(rule: Rule, table: Table) -> Measure:
    left, right = (_aggregate_of(a, table) for a in rule.arguments[:2])
    ratio = f"CAST({left} AS DOUBLE) / nullif({right}, 0)"
    sql = f"SELECT CASE WHEN {left} = {right} THEN 1.0 ELSE {ratio} END"
    metric = f"Column.[{rule.arguments[0]}].[{rule.arguments[1]}].AggregateMatch"
    return Measure(metric, rule.condition or ALL, query=sql)


def _aggregate_of(text: str, table: Table) -> str:
    match = _AGGREGATE.fullmatch(text)
    if match is None:
        raise UnknownColumnError(f"{text!r} is not an aggregate such as sum(column)")
    function = "avg" if match[1].lower() == "mean" else match[1].lower()
    of, _, column = match[2].rpartition(".")
    schema = _reference(of, table) if of and of != "primary" else table.schema
    if column != "*" and column not in schema.names:
        raise UnknownColumnError(f"there is no column {column!r} in {of or 'the table'}")
    named = column if column == "*" else quote(column)
    return f"(SELECT {function}({named}) FROM {of if of and of != 'primary' else table.name})"


@_measure("ReferentialIntegrity")
def _referential(rule: Rule, table: Table) -> Measure:
    other, _, columns = rule.arguments[-1].partition(".{")
    schema = _reference(other, table)
    theirs = [c.strip() for c in columns.rstrip("}").split(",")]
    ours = [c.strip() for c in rule.arguments[0].split(",")]
    for name, known in [*((c, table.schema) for c in ours), *((c, schema) for c in theirs)]:
        if name not in known.names:
            raise UnknownColumnError(f"there is no column {name!r}")
    pairs = zip(ours, theirs, strict=True)
    matches = " AND ".join(f"o.{quote(b)} = p.{quote(a)}" for a, b in pairs)
    sql = (
        f"SELECT coalesce(CAST(count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {other} AS o "
        f"WHERE {matches})) AS DOUBLE) / nullif(count(*), 0), 1.0) FROM {table.name} AS p"
    )
    metric = f"Column.{rule.arguments[0]}.ReferentialIntegrity"
    return Measure(metric, rule.condition or ALL, query=sql)


@_measure("CustomSql")
def _custom(rule: Rule, table: Table) -> Measure:
    """One value held to a condition; or, without one, the share of the rows that come back."""
    sql = re.sub(r"\bprimary\b", table.name, rule.arguments[0]).strip().rstrip(";")
    name = re.sub(r"\W+", "_", rule.arguments[0])[:40]
    if rule.condition is not None:
        return Measure(f"Dataset.*.CustomSQL.{name}", rule.condition, query=sql)
    share = (
        f"SELECT coalesce(CAST((SELECT count(*) FROM ({sql})) AS DOUBLE) / "
        f"nullif((SELECT count(*) FROM {table.name}), 0), 1.0)"
    )
    return Measure(f"Dataset.*.CustomSQL.{name}.Compliance", rule.threshold or ALL, query=share)


def _reference(name: str, table: Table) -> pa.Schema:
    found = table.references.get(name)
    if found is None:
        known = ", ".join(table.references) or "none"
        raise UnknownColumnError(f"there is no table {name!r} to refer to; known: {known}")
    return found
