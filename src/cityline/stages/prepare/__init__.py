"""Prepare: raw texts into landing rows, or into quarantine with a reason."""

from cityline.ports.recipe_sql import select_of, sql_of
from cityline.stages.prepare.plan import compile_recipe, to_databrew

__all__ = ["compile_recipe", "select_of", "sql_of", "to_databrew"]
