"""Govern: quality rules judged on all rows, before anybody sees them."""

from cityline.guards.govern.judging import check, judge
from cityline.guards.govern.restating import Change, Restatements, compare
from cityline.guards.govern.verdict import Verdict

__all__ = ["Change", "Restatements", "Verdict", "check", "compare", "judge"]
