"""The linter: refuses what cannot be guaranteed, at its line, with the rewrite to use."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from cityline.dialect.arguments import argument_refusals
from cityline.dialect.clauses import clause_refusals
from cityline.dialect.functions import FUNCTIONS, INSTEAD, REFUSED
from cityline.dialect.parameters import bound
from cityline.dialect.refusals import Refusal, typed_refusals
from cityline.dialect.syntax import Schemas, called, line_of, parse, typed
from cityline.errors import EngineError, Problem

_NODES = frozenset(
    [
        "Select",
        "From",
        "Join",
        "Where",
        "Group",
        "Having",
        "Order",
        "Ordered",
        "Limit",
        "Offset",
        "With",
        "CTE",
        "Union",
        "Intersect",
        "Except",
        "Subquery",
        "Table",
        "TableAlias",
        "Alias",
        "Column",
        "Identifier",
        "Star",
        "Literal",
        "Boolean",
        "Null",
        "Placeholder",
        "And",
        "Or",
        "Not",
        "EQ",
        "NEQ",
        "GT",
        "GTE",
        "LT",
        "LTE",
        "Is",
        "In",
        "Between",
        "Like",
        "Escape",
        "Case",
        "If",
        "Cast",
        "TryCast",
        "DataType",
        "DataTypeParam",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Mod",
        "Neg",
        "DPipe",
        "Paren",
        "Distinct",
        "Window",
        "WindowSpec",
        "Filter",
        "Anonymous",
        "Interval",
        "Var",
        "Exists",
        "Tuple",
        "NullSafeEQ",
        "NullSafeNEQ",
        "Extract",
        "Values",
        "IntervalSpan",
        "Coalesce",
        "Dot",
    ]
)
"""Kinds of syntax that mean the same on every engine, or are rewritten until they do."""

_REWRITES = {
    "Qualify": "a subquery with row_number() AS place, and WHERE place = 1",
    "Pivot": "sum(CASE WHEN … THEN … END) AS …, one per column",
    "Unpivot": "UNION ALL of one SELECT per column",
    "Lambda": "a CASE, or an operation of the recipe",
    "ILike": "lower(x) LIKE '…', the pattern in small letters",
    "RegexpLike": "regexp_matches(x, pattern)",
    "IntDiv": "trunc(a / b)",
    "Pow": "pow(a, b)",
    "Array": "one row per value: UNION ALL or VALUES",
    "Struct": "columns of their own",
    "Bracket": "columns of their own",
    "TableSample": "WHERE on a stable key",
    "GroupingSets": "UNION ALL of one GROUP BY each",
    "Cube": "UNION ALL of one GROUP BY each",
    "Rollup": "UNION ALL of one GROUP BY each",
    "Lateral": "a JOIN of a subquery",
    "AtTimeZone": "a JOIN with a table of offsets by period: engines carry other editions of the "
    "rules, and Vancouver's changed in 2026",
}


def lint(
    sql: str,
    where: str,
    schemas: Schemas | None = None,
    *,
    first_line: int = 1,
    targets: tuple[str, ...] = ("spark", "trino"),
    notes: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> list[Problem]:
    """Everything in one SELECT that cannot be guaranteed alike on DuckDB, Spark and Trino.

    With `schemas` types are known and casts and dates are checked too, and with `parameters` the
    types of these. `first_line` is where the SQL begins in its file. `notes` are columns that only
    note whether another one changed.
    """
    try:
        found = judged(sql, schemas, targets=targets, notes=notes, parameters=parameters).refusals
    except EngineError as error:
        return [Problem(where, f"line {first_line}", error.what, error.hint)]
    return [
        Problem(where, f"line {first_line + max(line, 1) - 1}", what, hint)
        for line, what, hint in found
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """A statement with its parameters bound, and typed when tables were given and nothing was
    refused before; and what is refused."""

    tree: exp.Expr
    refusals: tuple[Refusal, ...]


def judged(
    sql: str,
    schemas: Schemas | None,
    *,
    targets: tuple[str, ...],
    notes: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> Judged:
    """One statement read once: what is refused is told of the tree that is emitted.

    Raises EngineError for SQL that cannot be read.
    """
    tree = parse(sql)
    found = list(_refusals(tree, targets))
    if not found and schemas is not None:
        tree = typed(bound(tree, parameters or {}), schemas)
        found = list(typed_refusals(tree, notes))
    return Judged(tree, tuple(dict.fromkeys(found)))


def _refusals(tree: exp.Expr, targets: tuple[str, ...]) -> Iterator[Refusal]:
    if not isinstance(tree, exp.Query):
        yield 1, "only SELECT is portable", ""
        return
    for node in tree.walk():
        name = type(node).__name__
        if name not in _NODES:
            hint = _REWRITES.get(name, "see docs/reference/portable-sql.md for what is")
            yield line_of(node), f"{_words(name)} is not portable", hint
            continue
        yield from clause_refusals(node)
        if isinstance(node, exp.Anonymous):
            yield from _call(node, targets)
        elif isinstance(node, exp.Group) and node.args.get("all"):
            yield line_of(node), "GROUP BY ALL is not portable", "name the columns"
        elif isinstance(node, exp.Star) and any(
            node.args.get(k) for k in ("except_", "replace", "rename", "except")
        ):
            yield line_of(node.parent or node), "* EXCLUDE is not portable", "name the columns"
        elif isinstance(node, exp.In) and any(isinstance(e, exp.Null) for e in node.expressions):
            yield line_of(node), "NULL in a list is not portable", "OR x IS NULL"
        elif isinstance(node, exp.Like) and not node.expression.is_string:
            yield line_of(node), "LIKE takes its pattern as a text", "strpos(x, part) > 0"
        elif isinstance(node, exp.Limit) and not _ordered(node):
            yield line_of(node), "LIMIT without ORDER BY picks any rows", "ORDER BY a total order"


def _ordered(limit: exp.Limit) -> bool:
    query = limit.parent
    number = limit.expression
    empty = isinstance(number, exp.Literal) and number.name == "0"
    return empty or (query is not None and query.args.get("order") is not None)


def _call(node: exp.Anonymous, targets: tuple[str, ...]) -> Iterator[Refusal]:
    name = called(node)
    if name in ("unnest", "generate_series"):
        if not is_series(node):
            yield line_of(node), f"{name}() is not portable here", INSTEAD["unnest"]
        return
    known = FUNCTIONS.get(name)
    if known is None or any(known.said(t) == REFUSED for t in targets):
        hint = INSTEAD.get(name, "see docs/reference/portable-sql.md for what is")
        yield line_of(node), f"{name}() is not portable", hint
        return
    count = len(node.expressions)
    if count < known.least or (known.most >= 0 and count > known.most):
        yield (
            line_of(node),
            f"{name}() takes {known.least} to {known.most} arguments, not {count}",
            "",
        )
        return
    for what, hint in argument_refusals(name, node.expressions):
        yield line_of(node), what, hint


def is_series(node: exp.Expr) -> bool:
    """Whether a call belongs to `unnest(generate_series(a, b, INTERVAL …))` in a SELECT's list."""
    outer = node if called(node) == "unnest" else node.parent  # type: ignore[arg-type]
    if not isinstance(outer, exp.Anonymous) or called(outer) != "unnest":
        return False
    inner = outer.expressions[0] if outer.expressions else None
    if not isinstance(inner, exp.Anonymous) or called(inner) != "generate_series":
        return False
    steps = inner.expressions
    select = outer.find_ancestor(exp.Select)
    in_list = select is not None and any(outer is n for e in select.expressions for n in e.walk())
    return len(steps) == 3 and isinstance(steps[2], exp.Interval) and in_list  # noqa: PLR2004


_SIGNS = {"ILike": "ILIKE", "IntDiv": "//", "Pow": "**", "Bracket": "[ ]"}


def _words(kind: str) -> str:
    if kind in _SIGNS:
        return _SIGNS[kind]
    spoken = "".join(f" {c}" if c.isupper() else c for c in kind).strip()
    return spoken.upper() if kind in _REWRITES else f"the construct {spoken!r}"
