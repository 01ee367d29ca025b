"""What is refused once types are known: casts, comparisons and sums that mean another thing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeAlias

from sqlglot import exp

from cityline.dialect.functions import FUNCTIONS
from cityline.dialect.syntax import called, line_of
from cityline.dialect.types import (
    ROUNDED,
    is_dated,
    is_day_written_out,
    is_decimal,
    is_double,
    is_of,
    is_small,
    is_text,
    is_whole,
    sort_key,
)

Refusal: TypeAlias = tuple[int, str, str]
"""Line, what, and what to write instead."""

_TEXT_FIRST = frozenset({"chr", "hash"})
"""Functions of texts that take something else."""


_NUMBERS = tuple(kind.name for kind in exp.DataType.NUMERIC_TYPES)

_ALIKE = frozenset({"coalesce", "ifnull", "nullif", "greatest", "least", "if"})
"""Functions whose arguments stand for each other."""


def typed_refusals(tree: exp.Expr, notes: Collection[str] = ()) -> Iterator[Refusal]:
    """Everything in a typed tree that engines would answer differently. `notes` are columns that
    only note something about others, in which the text of a double may be compared."""
    for node in tree.walk():
        for kinds, check in _CHECKS:
            if isinstance(node, kinds) and not (check is _cast and _noted(node, notes)):
                yield from ((line_of(node), what, hint) for what, hint in check(node))


def _noted(node: exp.Expr, notes: Collection[str]) -> bool:
    within = node.find_ancestor(exp.Alias) if notes else None
    return within is not None and within.alias in notes


_Told: TypeAlias = Iterator[tuple[str, str]]


def _cast(node: exp.Cast) -> _Told:
    source = node.this
    if is_small(node.to):
        yield "an integer of two bytes overflows sooner here than elsewhere", "CAST(x AS INTEGER)"
    elif is_whole(node) and (is_double(source) or is_decimal(source)):
        if not _rounded(source):
            what = "a cast of a decimal number to a whole one rounds ties differently"
            yield what, "CAST(round(x) AS BIGINT), floor(x) or ceil(x)"
    elif is_whole(node) and is_text(source) and not _guarded(node):
        what = "a text as a whole number is read differently"
        yield what, "regexp_full_match(x, '[0-9]+') first, in a CASE"
    elif is_of(node.to, "boolean") and is_text(source):
        yield "a text as a truth is read differently", "CASE lower(x) WHEN 'true' THEN TRUE …"
    elif is_dated(node) and is_text(source):
        if not source.is_string:
            yield "a text as a date is read differently", "try_strptime(x, '%Y-%m-%d')"
    elif is_text(node) and is_double(source):
        yield "a double as a text is written differently", "round(x, 2) as a number, without CAST"
    elif is_decimal(node) and is_double(source):
        yield "a double as a decimal is rounded differently", "round(x, 2)"
    elif is_decimal(node) and is_text(source) and not source.is_string:
        yield "a text as a decimal is read differently", "TRY_CAST(x AS DOUBLE)"


def _rounded(source: exp.Expr) -> bool:
    return isinstance(source, exp.Anonymous) and (
        called(source) in ROUNDED and len(source.expressions) == 1
    )


def _guarded(cast: exp.Expr) -> bool:
    """Whether a text is known to be digits: a literal, or inside a condition on its form."""
    if cast.this.is_string:
        return True
    around = cast.find_ancestor(exp.Case, exp.And)
    while around is not None:
        if any(called(c).startswith("regexp_full_match") for c in around.find_all(exp.Anonymous)):
            return True
        around = around.find_ancestor(exp.Case, exp.And)
    return False


def _arithmetic(node: exp.Binary) -> _Told:
    left, right = node.left, node.right
    if isinstance(node, exp.Sub) and is_dated(left) and is_dated(right):
        what = "the difference of two dates is of another type elsewhere"
        yield what, "date_diff('day', earlier, later)"
    elif isinstance(node, exp.Add | exp.Sub) and is_dated(left) and is_whole(right):
        yield "a date plus a number is not portable", "+ INTERVAL 1 DAY"
    elif isinstance(node, exp.Mul) and is_decimal(left) and is_decimal(right):
        if not any(isinstance(s, exp.Literal) for s in (left, right)):
            what = "a product of decimals overflows here sooner than elsewhere"
            yield what, "CAST(a AS DOUBLE) * b"
    elif any(is_small(s) for s in (left, right)) and all(_short(s) for s in (left, right)):
        what = "an integer of one or two bytes overflows sooner here than elsewhere"
        yield what, "CAST(x AS BIGINT)"


def _short(node: exp.Expr) -> bool:
    return is_small(node) or (isinstance(node, exp.Literal) and not node.is_string)


def _comparison(node: exp.Binary) -> _Told:
    yield from _of_one_kind(_told_apart([node.left, node.right]))


def _between(node: exp.Between) -> _Told:
    yield from _of_one_kind(_told_apart([node.this, node.args["low"], node.args["high"]]))


def _told_apart(compared: list[exp.Expr]) -> list[exp.Expr]:
    """What is compared, but for days written out beside a date: they are told as days."""
    dated = any(is_dated(n) for n in compared)
    return [n for n in compared if not (dated and is_day_written_out(n))]


def _of_one_kind(nodes: list[exp.Expr]) -> _Told:
    """Values that stand for each other: engines make one kind of two in other ways."""
    texts = [n for n in nodes if is_text(n)]
    if texts and any(is_of(n, *_NUMBERS) for n in nodes):
        yield "a text is compared with a number", "CAST one of them"
    elif texts and any(is_dated(n) for n in nodes):
        yield "a text is compared with a date", "DATE '2024-01-31', or try_strptime(x, '%Y-%m-%d')"


def _chosen(node: exp.Case) -> _Told:
    given = [when.args["true"] for when in node.args["ifs"]]
    default = node.args.get("default")
    yield from _of_one_kind([*given, *([default] if default is not None else [])])
    if node.this is not None:
        yield from _of_one_kind([node.this, *(when.this for when in node.args["ifs"])])


def _within(node: exp.In) -> _Told:
    yield from _of_one_kind(_told_apart([node.this, *node.expressions]))
    if node.args.get("query") is not None and is_double(node.this):
        what = "a double is looked for in a query differently when it is not a number"
        yield what, "EXISTS (SELECT 1 FROM … WHERE a = b)"


def _joined(node: exp.DPipe) -> _Told:
    for side in (node.left, node.right):
        if side.type and not is_text(side) and not is_of(side, "unknown", "null"):
            yield "|| joins texts", "CAST(x AS VARCHAR) || …"


def _call(node: exp.Anonymous) -> _Told:
    name = called(node)
    known = FUNCTIONS.get(name)
    if name in _ALIKE:
        yield from _of_one_kind(node.expressions[1:] if name == "if" else node.expressions)
    if known is None or known.family != "texts" or name in _TEXT_FIRST or not node.expressions:
        return
    given = node.expressions if name.startswith("concat") else node.expressions[:1]
    if any(g.type and not is_text(g) and not is_of(g, "unknown", "null") for g in given):
        yield f"{name}() takes a text", "CAST(x AS VARCHAR)"


def _order(node: exp.Order) -> _Told:
    query = node.parent
    if not isinstance(query, exp.SetOperation) and not (query and query.args.get("distinct")):
        return
    for key in node.expressions:
        down, first = bool(key.args.get("desc")), bool(key.args.get("nulls_first"))
        if down != first and is_double(sort_key(node, key)):
            what = "a double that is no number is sorted differently in DISTINCT and UNION"
            yield what, "ORDER BY in a SELECT around it"


_CHECKS: tuple[tuple[Any, Callable[[Any], _Told]], ...] = (
    (exp.Cast, _cast),
    ((exp.Add, exp.Sub, exp.Mul), _arithmetic),
    ((exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE), _comparison),
    (exp.Between, _between),
    (exp.Case, _chosen),
    (exp.In, _within),
    (exp.DPipe, _joined),
    (exp.Anonymous, _call),
    (exp.Order, _order),
)
