"""Parsing: SQL text to a syntax tree in which every function call is a plain name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from cityline.dialect.types import ANNOTATORS
from cityline.errors import EngineError

Schemas: TypeAlias = Mapping[str, Mapping[str, str]]
"""Column types by column, by table as SQL names it, e.g. {"landing.calls": {"day": "DATE"}}."""

_KEPT = ("CAST", "TRY_CAST", "EXTRACT")


class Portable(DuckDB):
    """DuckDB's grammar without its functions."""

    class Parser(DuckDB.Parser):  # type: ignore[misc, valid-type] # a class made at run time
        """Knows casts; any other call stays `exp.Anonymous`."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            n: DuckDB.Parser.FUNCTION_PARSERS[n] for n in _KEPT
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[str, Any]] = {}


def parse(sql: str) -> exp.Expr:
    """One statement. Raises EngineError for SQL that is none."""
    try:
        found = [e for e in Portable().parse(sql) if e is not None]
    except SqlglotError as error:
        raise EngineError(
            f"the SQL cannot be read: {_first_line(error)}", where=excerpt(sql)
        ) from error
    if len(found) != 1:
        raise EngineError("exactly one statement can be run", where=excerpt(sql))
    found[0].meta["sql"] = sql
    return found[0]


def typed(tree: exp.Expr, schemas: Schemas) -> exp.Expr:
    """The tree with its columns resolved, stars expanded and every expression's type inferred."""
    nested: dict[str, Any] = {}
    for table, columns in schemas.items():
        zone, _, name = table.rpartition(".")
        nested.setdefault(zone or "main", {})[name] = dict(columns)
    try:
        resolved = qualify(
            tree,
            schema=nested,
            db="main",
            dialect=Portable(),
            validate_qualify_columns=False,
            quote_identifiers=False,
            identify=False,
        )
        return annotate_types(resolved, schema=nested, dialect=Portable())
    except SqlglotError as error:
        raise EngineError(f"the SQL cannot be read: {_first_line(error)}") from error


def called(node: exp.Anonymous) -> str:
    """The name a function was called by, in lower case."""
    return str(node.name).lower()


def line_of(node: exp.Expr) -> int:
    """The line a node stands on, counted from 1; 1 when the tree does not know.

    Counted here from the node's offset: SQLGlot's own count runs ahead after a parameter.
    """
    sql = str(node.root().meta.get("sql", ""))
    for part in node.walk():
        if "start" in part.meta:
            return sql.count("\n", 0, int(part.meta["start"])) + 1
    return 1


def excerpt(sql: str) -> str:
    """One terminal line of SQL."""
    line = " ".join(sql.split())
    return line if len(line) <= 80 else f"{line[:77]}…"  # noqa: PLR2004 - one terminal line


def _first_line(error: SqlglotError) -> str:
    return str(error).splitlines()[0].split("\x1b")[0].strip()


Portable.EXPRESSION_METADATA = {**DuckDB.EXPRESSION_METADATA, **ANNOTATORS}
