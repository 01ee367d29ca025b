"""Protect: who may do what, where; how long things stay; in which regions they may lie.

Everything about access on any platform follows from `decide`; a rendering asks it and adds nothing.
"""

from cityline.guards.protect.access import Decision, Reach, decide, matrix, may, reach
from cityline.guards.protect.checking import check, check_regions, check_sign_in, run_tests
from cityline.guards.protect.keeping import CANADA, Clearing, clearing, placeable

__all__ = [
    "CANADA",
    "Clearing",
    "Decision",
    "Reach",
    "check",
    "check_regions",
    "check_sign_in",
    "clearing",
    "decide",
    "matrix",
    "may",
    "placeable",
    "reach",
    "run_tests",
]
