"""Clauses: what may stand beside a kind of syntax. A clause that an engine would drop, or read
otherwise, is refused by its name."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from cityline.dialect.functions import FUNCTIONS, INSTEAD, REFUSED
from cityline.dialect.refusals import Refusal
from cityline.dialect.syntax import line_of
from cityline.dialect.types import is_of

_QUERY = frozenset({"this", "expression", "expressions", "order", "limit", "offset", "with_"})
_PARTS: dict[str, frozenset[str]] = {
    "Select": _QUERY | {"from_", "joins", "where", "group", "having", "distinct", "windows"},
    "Union": _QUERY | {"distinct"},
    "Intersect": _QUERY | {"distinct"},
    "Except": _QUERY | {"distinct"},
    "Subquery": _QUERY | {"alias"},
    "Distinct": frozenset({"expressions"}),
    "With": frozenset({"expressions"}),
    "Limit": frozenset({"expression"}),
    "Join": frozenset({"this", "on", "using", "side", "kind"}),
    "Window": frozenset({"this", "alias", "partition_by", "order", "spec", "over"}),
    "WindowSpec": frozenset({"kind", "start", "start_side", "end", "end_side"}),
    "Ordered": frozenset({"this", "desc", "nulls_first"}),
    "Table": frozenset({"this", "db", "catalog", "alias"}),
}
"""Parts of a node that are known to mean the same, by its kind; others are refused."""

_INSTEAD = {
    "on": ("DISTINCT ON", "row_number() OVER (PARTITION BY … ORDER BY …) = 1"),
    "exclude": ("EXCLUDE in a window", "a frame that ends before the row"),
    "by_name": ("UNION BY NAME", "name the columns in their order"),
    "recursive": ("WITH RECURSIVE", "generate_series, or a table of the steps"),
    "locks": ("FOR UPDATE", ""),
    "limit_options": ("LIMIT of a percentage", "row_number() and count(*) OVER ()"),
    "method": ("that kind of JOIN", "JOIN … ON"),
    "pivots": ("PIVOT", "sum(CASE WHEN … THEN … END) AS …, one per column"),
}
_JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})
_FRAMES = frozenset({"UNBOUNDED", "CURRENT ROW", "NONE", ""})
_NOW = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
)
_TYPES = (
    "boolean", "int", "bigint", "smallint", "tinyint", "double", "decimal", "varchar",
    "text", "date", "timestamp", "timestampntz", "interval",
)  # fmt: skip


def clause_refusals(node: exp.Expr) -> Iterator[Refusal]:
    """Everything about one node's own clauses that engines would answer differently."""
    known = _PARTS.get(type(node).__name__)
    for part, value in node.args.items() if known is not None else ():
        if value and known is not None and part not in known:
            what, hint = _INSTEAD.get(part, (part.strip("_").upper().replace("_", " "), ""))
            yield line_of(node), f"{what} is not portable", hint
    for what, hint in _own(node):
        yield line_of(node), what, hint


def _own(node: exp.Expr) -> Iterator[tuple[str, str]]:
    match node:
        case exp.Join() if str(node.args.get("kind") or "").upper() not in _JOINS:
            yield f"{node.args['kind']} JOIN is not portable", "EXISTS (SELECT 1 FROM … WHERE …)"
        case exp.WindowSpec():
            yield from _frame(node)
        case exp.Extract():
            unit = node.name.lower()
            known = FUNCTIONS.get(unit)
            if known is None or known.family != "dates" or known.said("trino") == REFUSED:
                hint = "dayofweek(d)" if unit == "dow" else "year, quarter, month, day, isodow, …"
                yield f"extract({unit} FROM …) is not portable", hint
        case exp.Column() if node.name.lower() in _NOW and not node.table:
            yield f"{node.name} is not portable", INSTEAD["current_date"]
        case exp.Ordered():
            yield from _key(node)
        case exp.Offset() if node.parent is not None and not node.parent.args.get("order"):
            yield "OFFSET without ORDER BY leaves out any rows", "ORDER BY a total order"
        case exp.Limit() | exp.Offset() if _no_count(node.expression):
            yield f"{type(node).__name__.upper()} takes a whole number", "LIMIT 10"
        case exp.Cast() if not is_of(node.to, *_TYPES):
            hint = "DOUBLE" if is_of(node.to, "float") else "see docs/reference/portable-sql.md"
            yield f"a cast to {node.to.sql()} is not portable", hint
        case exp.Is() if not isinstance(node.expression, exp.Null | exp.Boolean):
            yield "IS takes NULL, TRUE or FALSE", "x IS NOT DISTINCT FROM y"


def _no_count(node: exp.Expr | None) -> bool:
    if isinstance(node, exp.Literal):
        return not node.is_int
    return isinstance(node, exp.Null | exp.Neg | exp.Query)


def _frame(node: exp.WindowSpec) -> Iterator[tuple[str, str]]:
    kind = str(node.args.get("kind") or "").upper()
    ends = [str(node.args.get(end) or "").upper() for end in ("start", "end")]
    if kind == "GROUPS":
        yield "GROUPS in a window is not portable", "ROWS BETWEEN …"
    elif kind == "RANGE" and not _FRAMES.issuperset(ends):
        yield "RANGE with a distance is not portable", "ROWS BETWEEN …, or a JOIN"


def _key(node: exp.Ordered) -> Iterator[tuple[str, str]]:
    """An ORDER BY's key: a column's name inside an expression is the source's column to DuckDB, and
    the result's to others."""
    key, query = node.this, node.parent and node.parent.parent
    if isinstance(key, exp.Var):
        yield f"ORDER BY {key.name} is not portable", "name the columns"
    if not isinstance(query, exp.Query) or isinstance(key, exp.Column | exp.Literal):
        return
    made = {
        e.alias.lower()
        for e in query.selects
        if e.alias and not (isinstance(e.this, exp.Column) and e.this.name == e.alias)
    }
    for column in key.find_all(exp.Column):
        if not column.table and column.name.lower() in made:
            what = f"ORDER BY an expression of {column.name} may mean the result or the source"
            yield what, "a column of its own in the SELECT, and ORDER BY its name"
