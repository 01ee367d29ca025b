"""The outermost query of a statement: the only one whose order is the order of the answer."""

from __future__ import annotations

from sqlglot import exp

_ALL = exp.var("ALL")


def outermost(tree: exp.Expr, rows: int | None = None) -> exp.Expr:
    """A statement without parentheses around it, giving at most `rows` rows: its first ones.

    Trino sorts nothing in parentheses unless it is cut there. For that reason the limit is the
    statement's own, too, and no other query is put around it.
    """
    while isinstance(tree, exp.Subquery) and tree.is_wrapper:
        tree = tree.this.pop()
    if rows is not None:
        own = tree.args.get("limit")
        said = _ALL if own is None else own.expression
        if said == _ALL or (said.is_int and said.to_py() > rows):
            tree.set("limit", exp.Limit(expression=exp.Literal.number(rows)))
    return tree
