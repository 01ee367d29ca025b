"""A generated `3-1-1-contact-centre-metrics`: daily calls with the real file's known quirks.

Two days are missing, offered is mostly not handled plus abandoned, and the published precision
changes by period. All figures are made up.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

_SEED = 1311
FIRST = date(2009, 6, 15)
MISSING = (date(2010, 3, 7), date(2013, 3, 8))
HEADER = (
    "Date", "CallsOffered", "CallsHandled", "CallsAbandoned",
    "AverageSpeedofAnswer", "ServiceLevel", "BI_ID",
)  # fmt: skip
_WEEKDAY = (1.25, 1.15, 1.1, 1.08, 1.05, 0.5, 0.42)
_LEVEL = {2009: 1500, 2012: 2100, 2016: 2300, 2019: 1900, 2021: 1350, 2024: 1100}


def last_day(today: date) -> date:
    """The last day of the month before."""
    return today.replace(day=1) - timedelta(days=1)


def csv_bytes(today: date, *, delimiter: str = ";", bom: bool = True) -> bytes:
    """The export's bytes, newest day first."""
    lines = [delimiter.join(HEADER)]
    days = (last_day(today) - FIRST).days + 1
    at = 0
    for back in range(days):
        day = last_day(today) - timedelta(days=back)
        if day not in MISSING:
            at += 1
            lines.append(delimiter.join([*_day(day), str(at)]))
    return (b"\xef\xbb\xbf" if bom else b"") + ("\r\n".join(lines) + "\r\n").encode()


def _day(day: date) -> list[str]:
    random = np.random.default_rng([_SEED, day.toordinal()])
    years, levels = list(_LEVEL), list(_LEVEL.values())
    level = float(np.interp(day.year + day.timetuple().tm_yday / 366, years, levels))
    offered = max(60, int(level * _WEEKDAY[day.weekday()] * random.lognormal(0, 0.12)))
    strain = float(np.clip(random.beta(2, 9) * (1.3 if day.weekday() == 0 else 1.0), 0.002, 0.6))
    abandoned = int(offered * strain * 0.35)
    handled = offered - abandoned - int(random.integers(0, 1 + offered // 25))
    within = round(offered * (1 - strain))
    speed = round(handled * 240 * strain) / handled
    return [
        day.isoformat(),
        str(offered),
        str(handled),
        str(abandoned),
        f"{speed:.14g}",
        f"{within / offered:.{_precision(day)}g}",
    ]


def _precision(day: date) -> int:
    if day < date(2011, 3, 1):
        return 3
    if day < date(2013, 1, 1):
        return 12
    return 4 if day < date(2019, 1, 1) else 15
