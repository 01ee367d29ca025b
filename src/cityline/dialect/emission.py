"""Emission: a portable SELECT as Spark's or Trino's SQL, with its parameters as literals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.spark import Spark
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, SqlglotError

from cityline.dialect.aggregates import complete_aggregates
from cityline.dialect.calls import spoken_call
from cityline.dialect.doubles import compare_nan
from cityline.dialect.linter import is_series, judged
from cityline.dialect.outermost import outermost
from cityline.dialect.syntax import Schemas, called, excerpt
from cityline.dialect.types import is_dated, is_day_written_out, is_moment, is_of, is_text
from cityline.errors import EngineError

Target: TypeAlias = Literal["spark", "trino"]


class _Spark(Spark):
    class Generator(Spark.Generator):  # type: ignore[misc, valid-type] # made at run time
        def anonymous_sql(self, node: exp.Anonymous) -> str:
            return spoken_call(node, "spark", self.sql)


class _Trino(Trino):
    class Generator(Trino.Generator):  # type: ignore[misc, valid-type] # made at run time
        def anonymous_sql(self, node: exp.Anonymous) -> str:
            return spoken_call(node, "trino", self.sql)

        def datatype_sql(self, expression: exp.DataType) -> str:
            told: str = super().datatype_sql(expression)
            return "TIMESTAMP(6)" if told == "TIMESTAMP" else told  # or it rounds to milliseconds


_TARGETS = {"spark": _Spark, "trino": _Trino}


def emit(
    sql: str,
    target: Target,
    schemas: Schemas,
    *,
    parameters: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    notes: Collection[str] = (),
    rows: int | None = None,
) -> str:
    """One SELECT in the target's SQL. `names` says what to call tables there, by their name here;
    `notes` are columns that only note whether another one changed; `rows` is the most it gives.

    Raises EngineError for SQL outside the profile, naming each refusal and its rewrite.
    """
    try:
        found = judged(sql, schemas, targets=(target,), notes=notes, parameters=parameters)
    except EngineError as error:
        raise _refused(sql, error.what) from error
    if found.refusals:
        told = (f"{what} ({hint})" if hint else what for _, what, hint in found.refusals)
        raise _refused(sql, "; ".join(told))
    try:
        for missing in found.tree.find_all(exp.Placeholder):
            raise EngineError(f"no value is given for ${missing.name}")
        tree = outermost(found.tree, rows)
        tree = _days_told(tree)
        if target == "trino":
            tree = compare_nan(tree)
        tree = complete_aggregates(tree, target)
        tree = _renamed(_rewritten(tree, target), names or {})
        return _said(tree, target)
    except (SqlglotError, ValueError, LookupError) as error:  # what no check knew of
        raise _refused(sql, str(error).splitlines()[0]) from error


def _refused(sql: str, told: str) -> EngineError:
    return EngineError(f"not portable: {told}", where=excerpt(sql), hint="cityline check")


def _said(tree: exp.Expr, target: Target) -> str:
    """The tree's text; a clause that would be left out is an error."""
    loud = ErrorLevel.RAISE
    dialect = _TARGETS[target]
    return tree.sql(dialect=dialect, pretty=True, comments=False, unsupported_level=loud)


def unreadable(sql: str) -> str:
    """What keeps a text from being one statement of Athena's SQL, or nothing.

    A statement the grammar takes only as an opaque command is told too: nothing in it was read.
    """
    try:
        found = [e for e in Athena().parse(sql) if e is not None]
    except SqlglotError as error:
        return str(error).splitlines()[0].split("\x1b")[0].strip()
    if len(found) != 1:
        return f"{len(found)} statements; exactly one can be run"
    return "not read by the grammar" if isinstance(found[0], exp.Command) else ""


def _rewritten(tree: exp.Expr, target: Target) -> exp.Expr:
    for node in reversed(list(tree.walk())):  # the inner ones first: the outer ones copy them
        match node:
            case exp.Div():
                _divide(node, target)
            case exp.Filter() if isinstance(node.parent, exp.Window):
                _unfilter(node)
            case exp.Cast() if target == "trino" and _moment_as_text(node):
                bare = exp.Literal.string(r"\.?0*$")  # six digits, where DuckDB ends earlier
                told = node.copy()
                node.replace(exp.Anonymous(this="_without", expressions=[told, bare]))
            case exp.Is() if isinstance(node.expression, exp.Boolean):
                _is_true(node)
            case exp.TryCast() if _text_as_double(node):
                node.replace(exp.Anonymous(this="try_double", expressions=[node.this.copy()]))
            case exp.Like() if target == "spark" and not isinstance(node.parent, exp.Escape):
                pattern = node.expression.name.replace("\\", "\\\\")  # not an escape in DuckDB
                node.set("expression", exp.Literal.string(pattern))
            case exp.Ordered():
                node.set("nulls_first", bool(node.args.get("nulls_first")))
            case exp.Extract():
                node.replace(exp.Anonymous(this=node.name.lower(), expressions=[node.expression]))
            case exp.Add() | exp.Sub() if is_of(node.left, "date") and is_of(
                node.right, "interval"
            ):
                made = exp.cast(node.copy(), "TIMESTAMP")
                node.replace(made)
    for node in list(tree.find_all(exp.Anonymous)):
        if called(node) == "unnest" and is_series(node):
            _expand_series(node, target)
    return tree


def _unfilter(node: exp.Filter) -> None:
    """Spark has no filter on a window's aggregate: a CASE leaves the same rows out."""
    call = node.this
    what = call.expressions[0] if call.expressions else exp.Star()
    what = exp.Literal.number(1) if isinstance(what, exp.Star) else what.copy()
    chosen = exp.Case(ifs=[exp.If(this=node.expression.this.copy(), true=what)])
    rest = [a.copy() for a in call.expressions[1:]]
    node.replace(exp.Anonymous(this=call.name, expressions=[chosen, *rest]))


def _days_told(tree: exp.Expr) -> exp.Expr:
    """A day written out as a text becomes a date where it is compared with one."""
    for node in list(tree.find_all(exp.Predicate)):
        compared = list(node.iter_expressions())
        if any(is_dated(n) for n in compared):
            for day in (n for n in compared if is_day_written_out(n)):
                day.replace(exp.cast(day.copy(), "DATE"))
    return tree


def _is_true(node: exp.Is) -> None:
    """Whether it is surely so: a NULL is neither, which Trino's generator would forget."""
    wanted = node.expression.copy()
    unknown = exp.Boolean(this=not wanted.this)
    known = exp.Anonymous(this="coalesce", expressions=[node.this.copy(), unknown])
    node.replace(exp.Paren(this=known if wanted.this else exp.Not(this=known)))


def _moment_as_text(node: exp.Cast) -> bool:
    return is_text(node) and is_moment(node.this)


def _text_as_double(node: exp.TryCast) -> bool:
    return is_of(node.to, "double") and is_text(node.this)


def _divide(node: exp.Div, target: Target) -> None:
    """DuckDB divides as doubles, and by zero has infinity or no number; Spark would fail."""
    above, below = (exp.cast(n.copy(), "DOUBLE") for n in (node.left, node.right))
    if target == "trino" or _never_zero(node.right):
        node.set("this", above)
        node.set("expression", below)
        node.set("typed", False)
        node.set("safe", False)
        return
    infinite = exp.Mul(this=above, expression=_infinity(below))
    zero = exp.EQ(this=below.copy(), expression=exp.Literal.number(0))
    divided = exp.Div(this=above.copy(), expression=below, typed=False, safe=False)
    node.replace(exp.Paren(this=exp.Case(ifs=[exp.If(this=zero, true=infinite)], default=divided)))


def _infinity(zero: exp.Expr) -> exp.Expr:
    """Infinity with the sign of a zero, which Spark tells in a text only."""
    told = exp.cast(zero.copy(), "VARCHAR")
    negative = exp.EQ(this=told, expression=exp.Literal.string("-0.0"))
    sign = exp.Case(
        ifs=[exp.If(this=negative, true=exp.Literal.string("-Infinity"))],
        default=exp.Literal.string("Infinity"),
    )
    return exp.cast(sign, "DOUBLE")


def _never_zero(node: exp.Expr) -> bool:
    if isinstance(node, exp.Literal):
        return float(node.name) != 0
    return isinstance(node, exp.Anonymous) and called(node) == "nullif"


def _expand_series(node: exp.Anonymous, target: Target) -> None:
    """`unnest(generate_series(…))` in a list becomes a join with the series."""
    select = node.find_ancestor(exp.Select)
    if select is None:  # the linter lets none through
        return
    first, last, step = (a.copy() for a in node.expressions[0].expressions)
    if str(step.args.get("unit")).lower() != "day":
        first = _early_in_month(first, target)
    series = exp.Anonymous(this="sequence", expressions=[first, last, step])
    node.replace(exp.column("value", table="_series"))
    if target == "spark":
        lateral = exp.Lateral(
            this=exp.Anonymous(this="explode", expressions=[series]),
            view=True,
            alias=exp.TableAlias(
                this=exp.to_identifier("_series"), columns=[exp.to_identifier("value")]
            ),
        )
        select.append("laterals", lateral)
    else:
        unnest = exp.Unnest(
            expressions=[series],
            alias=exp.TableAlias(
                this=exp.to_identifier("_series"), columns=[exp.to_identifier("value")]
            ),
        )
        select.append("joins", exp.Join(this=unnest, kind="CROSS"))


def _early_in_month(first: exp.Expr, target: Target) -> exp.Expr:
    """DuckDB adds months one by one, so a 31st ends as a 29th; others do not: refuse, loudly."""
    told = exp.Literal.string("not portable: a series of months must begin before the 29th")
    fail = exp.Anonymous(this="raise_error" if target == "spark" else "fail", expressions=[told])
    late = exp.GT(
        this=exp.Anonymous(this="day", expressions=[first.copy()]),
        expression=exp.Literal.number(28),
    )
    return exp.Case(ifs=[exp.If(this=late, true=exp.cast(fail, "DATE"))], default=first)


def _renamed(tree: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    for table in list(tree.find_all(exp.Table)):
        known = f"{table.db}.{table.name}" if table.db not in ("", "main") else table.name
        if known in names:
            alias = table.alias or table.name
            new = exp.to_table(names[known])
            new.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
            table.replace(new)
    return tree
