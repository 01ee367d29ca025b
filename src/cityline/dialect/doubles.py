"""Doubles that are no number: DuckDB and Spark hold NaN equal to itself and above all others, Trino
holds every comparison with it for false. Comparisons are written out for Trino until they agree."""

from __future__ import annotations

from sqlglot import exp

from cityline.dialect.syntax import called
from cityline.dialect.types import is_double, is_of, sort_key

_MIRROR = {exp.LT: exp.GT, exp.LTE: exp.GTE}


def compare_nan(tree: exp.Expr) -> exp.Expr:
    """Rewrite every comparison of a typed tree in which a NaN could stand."""
    for order in list(tree.find_all(exp.Order)):
        order.set("expressions", [k for o in order.expressions for k in _sorted(order, o)])
    for node in reversed(list(tree.walk())):  # the inner ones first: the outer ones copy them
        match node:
            case exp.EQ() | exp.NEQ() | exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                made = _compared(type(node), node.left, node.right)
            case exp.Between() if _doubtful(node.this, node.args["low"], node.args["high"]):
                low = _compared(exp.GTE, node.this, node.args["low"])
                high = _compared(exp.LTE, node.this, node.args["high"])
                made = exp.Paren(this=exp.And(this=low, expression=high))
            case exp.In() if node.expressions and _doubtful(*node.expressions):
                each = [_compared(exp.EQ, node.this, e) for e in node.expressions]
                made = exp.Paren(this=exp.or_(*each, copy=False))
            case exp.Case() if node.this is not None and _doubtful(node.this):
                for when in node.args["ifs"]:
                    when.set("this", _compared(exp.EQ, node.this, when.this))
                node.set("this", None)
                continue
            case exp.Anonymous() if called(node) == "nullif" and _doubtful(*node.expressions):
                one, other = node.expressions
                made = exp.Case(
                    ifs=[exp.If(this=_compared(exp.EQ, one, other), true=exp.null())],
                    default=one.copy(),
                )
            case _:
                continue
        if node.parent is None:
            return made
        made.type = node.type
        node.replace(made)
    return tree


def _sorted(order: exp.Order, key: exp.Expr) -> list[exp.Expr]:
    """Trino sorts NaN to where the NULLs go. Where that is not above all numbers, a key before says
    so; the linter refuses it where Trino takes no such key."""
    down, first = bool(key.args.get("desc")), bool(key.args.get("nulls_first"))
    if down == first or not is_double(sort_key(order, key)):
        return [key]
    before = key.copy()
    before.set("this", _nan(key.this))
    return [before, key]


def _compared(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    if kind in _MIRROR:
        return _compared(_MIRROR[kind], right, left)
    plain = kind(this=left.copy(), expression=right.copy())
    one, other = _doubtful(left), _doubtful(right)
    match kind:
        case exp.NEQ if one and other:
            return exp.Not(this=_compared(exp.EQ, left, right))
        case exp.EQ if one and other:
            also = exp.And(this=_nan(left), expression=_nan(right))
        case exp.GT if one:
            also = exp.And(this=_nan(left), expression=_not_nan(right))
        case exp.GTE if one:
            there = exp.Not(this=exp.Is(this=right.copy(), expression=exp.null()))
            also = exp.And(this=_nan(left), expression=there)
        case _:
            return plain
    return exp.Paren(this=exp.Or(this=plain, expression=exp.Paren(this=also)))


def _nan(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="isnan", expressions=[exp.cast(node.copy(), "DOUBLE")])


def _not_nan(node: exp.Expr) -> exp.Expr:
    return exp.Not(this=_nan(node))


def _doubtful(*nodes: exp.Expr) -> bool:
    """Whether one of them may be NaN."""
    return any(_may_be_nan(n) for n in nodes)


def _may_be_nan(node: exp.Expr) -> bool:
    if isinstance(node, exp.Paren | exp.Neg):
        return _may_be_nan(node.this)
    if isinstance(node, exp.Literal | exp.Null):
        return False
    if isinstance(node, exp.Cast) and not is_of(node.this, "double", "float", "varchar", "text"):
        return False
    return is_double(node)
