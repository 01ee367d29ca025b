"""Types of expressions as DuckDB has them, where SQLGlot's own inference is coarser.

A literal with a point is a decimal, every division is of doubles, and what is made of a decimal and
a double is a double."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlglot import exp

from cityline.dialect.functions import FUNCTIONS

ROUNDED = frozenset({"round", "floor", "ceil", "ceiling", "trunc"})
"""Of a decimal they make a decimal, else a double."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SMALL = ("tinyint", "smallint")
_WHOLE = (*_SMALL, "int", "bigint", "int128")
_TEXT = tuple(kind.name for kind in exp.DataType.TEXT_TYPES)


def is_of(node: exp.Expr, *kinds: str) -> bool:
    """Whether a typed node, or a type, is of one of these kinds, whatever its precision.

    SQLGlot's own `is_type` parses the name of a kind each time it is asked.
    """
    match node:
        case exp.DataType():
            told: exp.Expr | None = node
        case exp.Cast():
            told = node.to
        case _:
            told = node.type
    return told is not None and told.this in _kinds(kinds)


@cache
def _kinds(names: tuple[str, ...]) -> frozenset[exp.DType]:
    return frozenset(exp.DType[name.upper()] for name in names)


@cache
def _of_duckdb(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def is_double(node: exp.Expr) -> bool:
    """Whether a typed node is a floating-point number."""
    return is_of(node, "double", "float")


def is_decimal(node: exp.Expr) -> bool:
    """Whether a typed node is a decimal number."""
    return is_of(node, "decimal")


def is_whole(node: exp.Expr) -> bool:
    """Whether a typed node is an integer."""
    return is_of(node, *_WHOLE)


def is_text(node: exp.Expr) -> bool:
    """Whether a typed node is a text."""
    return is_of(node, *_TEXT)


def is_small(node: exp.Expr) -> bool:
    """Whether a typed node is an integer of one or two bytes."""
    return is_of(node, *_SMALL)


def is_moment(node: exp.Expr) -> bool:
    """Whether a typed node is a moment of a day; DuckDB's TIMESTAMP has no zone."""
    return is_of(node, "timestamp", "timestampntz", "timestamptz")


def is_dated(node: exp.Expr) -> bool:
    """Whether a typed node is a date or a moment."""
    return is_moment(node) or is_of(node, "date")


def is_day_written_out(node: exp.Expr) -> bool:
    """Whether a node is a text such as '2024-01-31', which every engine reads as that day."""
    return bool(node.is_string and _DAY.fullmatch(node.name))


def sort_key(order: exp.Order, key: exp.Expr) -> exp.Expr:
    """What an ORDER BY's key stands for: a name or number may be a column of the result."""
    said: exp.Expr = key.this
    query = order.parent
    if not isinstance(query, exp.Query) or not isinstance(said, exp.Column | exp.Literal):
        return said
    given: list[exp.Expr] = query.selects
    if isinstance(said, exp.Literal):
        at = int(said.name) - 1 if said.is_int else -1
        return given[at] if 0 <= at < len(given) else said
    named = next((g for g in given if g.alias_or_name == said.name), None)
    return said if said.table or named is None else named


def _annotate_call(_annotator: object, node: exp.Anonymous) -> exp.Expr:
    """A call's type by the profile: fixed, or its arguments' (of `if`, all but the first)."""
    name = str(node.name).lower()
    known = FUNCTIONS.get(name)
    returns = known.returns if known else ""
    if returns == "same":
        given = node.expressions[1:] if name == "if" else node.expressions[:1]
        given = node.expressions if name in ("coalesce", "ifnull", "greatest", "least") else given
        node.type = _widest(given)
    elif name in ROUNDED and node.expressions and is_decimal(node.expressions[0]):
        node.type = node.expressions[0].type
    else:
        node.type = _of_duckdb(returns or "unknown").copy()
    return node


def _annotate_literal(_annotator: object, node: exp.Literal) -> exp.Expr:
    if node.is_string:
        node.type = exp.DType.VARCHAR
    elif node.is_int:
        node.type = exp.DType.INT if abs(int(node.name)) < 2**31 else exp.DType.BIGINT
    else:
        node.type = exp.DType.DOUBLE if "e" in node.name.lower() else exp.DType.DECIMAL
    return node


def _annotate_division(_annotator: object, node: exp.Div) -> exp.Expr:
    node.type = exp.DType.DOUBLE
    return node


def _annotate_arithmetic(_annotator: object, node: exp.Binary) -> exp.Expr:
    sides = (node.left, node.right)
    if any(is_dated(s) or is_of(s, "interval") for s in sides):
        node.type = exp.DType.TIMESTAMP
    else:
        node.type = _widest(sides)
    return node


def _annotate_case(_annotator: object, node: exp.Case) -> exp.Expr:
    default = node.args.get("default")
    given = [when.args["true"] for when in node.args["ifs"]]
    node.type = _widest([*given, *([default] if default is not None else [])])
    return node


def _widest(nodes: Iterable[exp.Expr]) -> Any:
    """The type that holds all: a double, a decimal, the widest integer, or else the first."""
    known = [n for n in nodes if n.type and not is_of(n, "null", "unknown")]
    for wide in ("double", "float", "decimal", "int128", "bigint", "int", "smallint", "tinyint"):
        found = next((n for n in known if is_of(n, wide)), None)
        if found is not None:
            return found.type
    return known[0].type if known else exp.DType.UNKNOWN


ANNOTATORS: dict[type[exp.Expr], dict[str, Any]] = {
    exp.Anonymous: {"annotator": _annotate_call},
    exp.Literal: {"annotator": _annotate_literal},
    exp.Div: {"annotator": _annotate_division},
    exp.Case: {"annotator": _annotate_case},
    **{k: {"annotator": _annotate_arithmetic} for k in (exp.Add, exp.Sub, exp.Mul, exp.Mod)},
}
"""What SQLGlot is told about the types of these nodes."""
