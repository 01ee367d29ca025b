"""Generated contact centre days: calls, speed of answer and service level, newest day first.

Fitted to figures counted on a public copy of the dataset, its quirks included: two missing days,
sums that seldom balance, and decimals that change by period.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cityline.adapters.portals.sample.parameters import read_centre_parameters

_Floats: TypeAlias = NDArray[np.float64]
Cell: TypeAlias = str | int
_SATURDAY = 5
_LONGEST_WAIT = 588.5
_LEAST_LEVEL = 0.069


def generate_centre(last_day: date) -> list[list[Cell]]:
    """Date, offered, handled, abandoned, speed of answer, service level and row number, by column.

    The two decimals are texts, because their published precision changes by period.
    """
    known = read_centre_parameters()
    rows: list[tuple[Cell, ...]] = []
    for year in range(known["first_day"].year, last_day.year + 1):
        rows += _year(known, year)
    lost = set(known["missing_days"])
    first = known["first_day"].isoformat()
    gone = {d.isoformat() for d in lost}
    kept = [r for r in rows if first <= str(r[0]) <= last_day.isoformat() and r[0] not in gone]
    kept.reverse()
    columns: list[list[Cell]] = [list(c) for c in zip(*kept, strict=True)]
    return [*columns, list(range(1, len(kept) + 1))]


def _year(known: dict[str, Any], year: int) -> list[tuple[Cell, ...]]:
    years = known["years"]
    weekday, weekend, wait, gap = years.get(str(year), years[max(years)])
    days = [date(year, 1, 1) + timedelta(n) for n in range(366)]
    days = [d for d in days if d.year == year]
    chance = np.random.default_rng([known["seed"], year])
    base = np.array([weekend if d.weekday() >= _SATURDAY else weekday for d in days], dtype=float)
    season = np.array([known["months"][d.month - 1] for d in days])
    busy = chance.normal(0.0, 0.13, len(days))
    offered = np.maximum(40, np.rint(base * season * np.exp(busy)))
    speed = wait * np.exp(0.75 * chance.normal(0.0, 1.0, len(days)) + 1.2 * busy)
    speed = np.clip(speed, 0.0, _LONGEST_WAIT)
    handled, abandoned = _calls(known, offered, speed, gap, chance)
    level = np.interp(speed, known["speed"], known["service_level"])
    level = np.clip(level + chance.normal(0.0, 0.03, len(days)), _LEAST_LEVEL, 1.0)
    return [
        (
            day.isoformat(),
            int(o),
            int(h),
            int(a),
            *_decimals(known, day, int(h), float(s), float(v)),
        )
        for day, o, h, a, s, v in zip(days, offered, handled, abandoned, speed, level, strict=True)
    ]


def _calls(
    known: dict[str, Any], offered: _Floats, speed: _Floats, gap: float, chance: np.random.Generator
) -> tuple[_Floats, _Floats]:
    """Handled and abandoned. What is left of offered is mostly small, sometimes large, rarely 0."""
    share = np.interp(speed, known["speed"], known["abandoned"])
    abandoned = np.rint(offered * share * chance.lognormal(0.0, 0.15, len(offered)))
    left = np.rint(gap * chance.lognormal(-0.32, 0.8, len(offered)))
    left = np.minimum(np.maximum(left, 1), offered * 0.4)
    kind = chance.random(len(offered))
    left = np.where(kind < known["balanced"], 0, left)
    left = np.where(kind > 1 - known["negative"], -chance.integers(1, 4, len(offered)), left)
    return np.rint(offered - abandoned - left), abandoned


def _decimals(
    known: dict[str, Any], day: date, handled: int, speed: float, level: float
) -> tuple[str, str]:
    """Speed of answer and service level as ratios of whole numbers, in the day's precision."""
    waited = round(speed * handled) / handled
    met = max(round(level * handled), 1) / handled
    month = day.isoformat()[:7]
    if month <= "2011-02":
        return repr(round(waited, 1)), repr(round(met, 3))
    if month <= "2012-12":
        return _trimmed(f"{waited:.12f}"), _trimmed(f"{met:.12f}")
    if month <= "2018-12" or month in known["short_months"]:
        return repr(round(waited, 1)), repr(round(met, 4))
    return _trimmed(f"{waited:.15g}"), _trimmed(f"{met:.15g}")


def _trimmed(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0') or '0'}"
