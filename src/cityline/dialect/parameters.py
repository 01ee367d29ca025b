"""Parameters of a SELECT as literals, so that an engine and the linter know their types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlglot import exp


def bound(tree: exp.Expr, parameters: Mapping[str, Any]) -> exp.Expr:
    """The tree with values in the places of its parameters; one without a value stays."""
    for node in list(tree.find_all(exp.Placeholder)):
        if node.name in parameters:
            node.replace(_literal(parameters[node.name]))
    return tree


def _literal(value: Any) -> exp.Expr:
    match value:
        case None:
            return exp.cast(exp.null(), "VARCHAR")
        case bool():
            return exp.Boolean(this=value)
        case int() | float():
            return (
                exp.Literal.number(value)
                if value >= 0
                else exp.Neg(this=exp.Literal.number(-value))
            )
        case datetime():
            return exp.cast(exp.Literal.string(value.isoformat(" ")), "TIMESTAMP")
        case date():
            return exp.cast(exp.Literal.string(value.isoformat()), "DATE")
        case _:
            return exp.Literal.string(str(value))
