"""Portable SQL: what a person may write once and every engine must answer alike.

SQL is written in DuckDB's dialect. This room holds the profile (the functions and constructs that
are guaranteed), the linter that refuses the rest with the rewrite to use, and the emission for
Spark and Trino. It is the only room that meets SQLGlot.

Every function call is ours: SQLGlot parses it as a name with arguments and never translates it by
itself, because some of its translations were found to be wrong without a word.
"""

from cityline.dialect.emission import Target, emit, unreadable
from cityline.dialect.linter import lint
from cityline.dialect.syntax import Schemas

__all__ = ["Schemas", "Target", "emit", "lint", "unreadable"]
