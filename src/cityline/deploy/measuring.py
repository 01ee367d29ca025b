"""From what was measured to a month's use, so that an estimate rests on it."""

from __future__ import annotations

from collections.abc import Sequence

from cityline.declarations.environment import Usage
from cityline.deploy.cost import Bill, estimate
from cityline.deploy.deploying import selected
from cityline.deploy.estate import Estate
from cityline.deploy.planning import bills, by_region
from cityline.deploy.render import render
from cityline.ports.gauges import Reading

_MONTH = 30
"""Days of a month, as far as an estimate goes."""


def measured(
    readings: Sequence[Reading], declared: Usage, days: int, runs: int | None = None
) -> Usage:
    """The declared use of a month, with what was measured over some days in its place: what is
    stored, how often it is run and asked, and how much a question scans. What nobody measured (how
    long a job takes on Glue, requests, readers) stays as declared."""
    month = _MONTH / days
    stored, queries, scanned = (_sum(readings, g) for g in ("stored", "queries", "scanned"))
    found: dict[str, float] = {}
    if stored is not None:
        found["stored_gb"] = stored / 1e9
    if runs is not None:
        found["runs"] = round(runs * month)
    if queries is not None:
        found["queries"] = round(queries * month)
        if queries and scanned is not None:
            found["query_mb"] = scanned / queries / 1e6
    return declared.model_copy(update=found)


def estimates(estate: Estate, measured: Usage | None = None) -> dict[str, Bill]:
    """The month's charge of everything a first deployment makes: for the declared use, low,
    expected and high, and for the measured one where there is one."""
    templates = selected(render(estate), estate.settings)
    found = bills(templates, estate.settings)
    if measured is not None:
        found["measured"] = estimate(by_region(templates), estate.settings, measured)
    return found


def _sum(readings: Sequence[Reading], gauge: str) -> float | None:
    """Of everything that has a figure; None when nothing has one."""
    values = [r.value for r in readings if r.gauge == gauge and r.value is not None]
    return sum(values) if values else None
