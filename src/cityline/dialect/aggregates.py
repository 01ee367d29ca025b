"""Aggregates whose answer for a NaN, or for values that do not vary, is another one elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from cityline.dialect.syntax import called
from cityline.dialect.types import is_decimal, is_double

_FITTED = frozenset({"corr", "regr_slope"})
_Sized = Callable[[exp.Expr], exp.Expr]


def complete_aggregates(tree: exp.Expr, target: str) -> exp.Expr:
    """Write such aggregates out, with their filters and windows, until they answer as DuckDB."""
    for node in reversed(list(tree.find_all(exp.Anonymous))):
        name = called(node)
        if name in _FITTED:
            _fitted(node, target)
        elif name in ("avg", "mean") and is_decimal(node.expressions[0]):
            _exact_mean(node)
        elif target == "trino" and name in ("min", "max") and is_double(node):
            _extreme(node, name)
    return tree


def _fitted(node: exp.Anonymous, target: str) -> None:
    """NaN where there are pairs but no line through them; others say NULL."""
    outer, around = _outer(node)
    one, other = node.expressions
    pair = _paired(exp.Literal.number(1), one, other)
    some = exp.GT(this=around(_call("count", pair)), expression=exp.Literal.number(0))
    answer = outer.copy()
    if target == "spark" and called(node) == "corr":  # it divides by zero
        spreads = [around(_call("stddev_pop", _paired(a, one, other))) for a in (one, other)]
        spread = exp.Mul(this=spreads[0], expression=spreads[1])
        answer = exp.Div(
            this=around(_call("covar_pop", one.copy(), other.copy())),
            expression=_call("nullif", spread, exp.Literal.number(0)),
        )
    answer = _call("coalesce", answer, _nan())
    outer.replace(exp.Paren(this=exp.Case(ifs=[exp.If(this=some, true=answer)])))


def _exact_mean(node: exp.Anonymous) -> None:
    """DuckDB adds decimals exactly and divides as doubles; others round to the decimals' places."""
    outer, around = _outer(node)
    value = node.expressions[0]
    count = _call("nullif", around(_call("count", value.copy())), exp.Literal.number(0))
    total = around(_call("sum", value.copy()))
    outer.replace(exp.Paren(this=exp.Div(this=total, expression=count)))


def _paired(value: exp.Expr, *pair: exp.Expr) -> exp.Expr:
    """A value where both of a pair are there."""
    here = [exp.Not(this=exp.Is(this=a.copy(), expression=exp.null())) for a in pair]
    return exp.Case(ifs=[exp.If(this=exp.and_(*here), true=value.copy())])


def _extreme(node: exp.Anonymous, name: str) -> None:
    """NaN is above all numbers; Trino's answer would depend on the order it meets them."""
    outer, around = _outer(node)
    value = node.expressions[0]
    no_number = _call("isnan", exp.cast(value.copy(), "DOUBLE"))
    real = exp.Case(ifs=[exp.If(this=exp.Not(this=no_number.copy()), true=value.copy())])
    some = around(_call("bool_or", no_number))
    least = around(_call(name, real))
    told = exp.Case(ifs=[exp.If(this=some, true=_nan())])
    if name == "max":
        told.set("default", least)
        outer.replace(exp.Paren(this=told))
    else:
        outer.replace(_call("coalesce", least, told))


def _outer(node: exp.Anonymous) -> tuple[exp.Expr, _Sized]:
    """The call with its FILTER and OVER, and how to put another call into a copy of them."""
    outer: exp.Expr = node
    while isinstance(outer.parent, exp.Filter | exp.Window) and outer.parent.this is outer:
        outer = outer.parent

    def around(call: exp.Expr) -> exp.Expr:
        if outer is node:
            return call
        made = outer.copy()
        inner = made
        while isinstance(inner, exp.Filter | exp.Window):
            inner = inner.this
        inner.replace(call)
        return made

    return outer, around


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _nan() -> exp.Expr:
    return exp.cast(exp.Literal.string("NaN"), "DOUBLE")
