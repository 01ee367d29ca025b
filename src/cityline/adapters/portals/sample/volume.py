"""A generated `3-1-1-inquiry-volume`, fitted to what is publicly known of the real one.

Known: rows a month, departments and their shares in 2023 and 2024, channels and their totals, the
mean and maximum of a row by year, old department names in the history. Everything else is made up:
the types of most departments, the seasons, and every single figure. Each month has its own seed,
so a later extract holds the same months, a few of them restated.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

_SEED = 311
FIRST = date(2009, 2, 1)
CHANNELS = ("Phone", "Chat", "E-mail", "Social Media", "Mail")
HEADER = ("Department", "Type", "Year Month", "Channel", "Number of Records", "BI_ID")

_MEAN_BY_YEAR = {
    2009: 106, 2010: 149, 2011: 225, 2012: 254, 2013: 267, 2014: 290, 2015: 274, 2016: 281,
    2017: 303, 2018: 312, 2019: 205, 2020: 123, 2021: 112, 2022: 100, 2023: 87, 2024: 82, 2025: 93,
}  # fmt: skip
"""Mean of `Number of Records` over a year's rows, read off the portal's own chart."""

_KNOWN_TYPES = {
    "FSC - Property Tax": (
        "Property Tax Account Balance Inquiry",
        "Property Tax Transaction Inquiry",
        "Property Tax Deferment Inquiry",
        "Home Owner Grant Inquiry",
        "Property Tax Due Date Inquiry",
    ),
    "ENG - Sanitation Services": (
        "Collection Schedule Inquiry",
        "Missed Pickup Inquiry",
        "Garbage and Green Bin Inquiry",
        "Large Item Pickup Inquiry",
        "Holiday Collection Inquiry",
    ),
    "DBL - Plumbing and Gas Inspections": ("Book Plumbing and Gas Inspection",),
    "DBL - Licence Office": ("Pay Business Licence Renewal", "Business Licence Inquiry"),
    "VPD - False Alarm Reduction Program": ("Pay New Security Alarm Permit",),
    "CMO - Access to Information": ("Corporate Records Transfer",),
    "REFM - Facilities Operations": ("City Facility Maintenance Request SAP Form",),
    "PDS - Sustainability": ("Sustainability, Climate, Greenest City Inquiry",),
    "PR - Recreation Facilities": ("Rink Inquiry", "Pool Inquiry"),
    "PR - Business Services": ("Business in Parks Inquiry",),
    "ENG - Streets Operations": ("Snow Angel Program Inquiry",),
    "ACCS - Cultural Services": ("Grants and Awards Inquiry",),
}
_TOPICS = ("General", "Fees", "Complaint", "Application", "Schedule")

_OLD_NAMES = {
    "ENG - Sanitation Services": ("ENG - Solid Waste", date(2015, 1, 1)),
    "VFRS - Operations - Emergency Services": ("Public Safety - Fire", date(2014, 6, 1)),
    "CMO - City Manager's Office": ("City Manager's Office", date(2009, 12, 1)),
    "CMO - Business and Election Services": ("City Administration", date(2017, 1, 1)),
    "DBL - Licence Office": ("CSG - Licenses", date(2010, 1, 1)),
    "PR - Corporate Services": ("PRB - Administration", date(2012, 1, 1)),
}
"""Department → its older name and the month from which the present one is used."""

_ARRIVES = {"FIFA World Cup 2026": date(2023, 1, 1)}
_LEAVES = {"PDS - Landscape": date(2024, 1, 1)}

_SEASONS = {
    "FSC - Property Tax": {2: 1.6, 6: 1.5, 7: 2.4, 10: 0.6, 11: 0.5, 12: 0.7},
    "FSC - Vacancy Tax": {1: 3.0, 2: 2.4, 4: 1.5, 7: 0.4, 8: 0.3, 9: 0.3},
    "ENG - Sanitation Services": {1: 1.3, 10: 1.2, 11: 1.2, 2: 0.8},
    "PR - Recreation Facilities": {12: 1.6, 1: 1.4, 7: 0.6},
    "ENG - Streets Operations": {12: 1.9, 1: 1.8, 7: 0.6},
}
_RESTATED_MONTHS = 6
_RESTATED_ROWS = 3


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of inquiry, the department it belongs to, and its share of inquiries."""

    department: str
    name: str
    share_2023: float
    share_2024: float


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the extract."""

    department: str
    type: str
    month: date
    channel: str
    count: int


def months_until(today: date) -> list[date]:
    """Months from the first to the last one finished before `today`."""
    months = []
    month = FIRST
    while _next(month) <= today.replace(day=1):
        months.append(month)
        month = _next(month)
    return months


def rows(today: date) -> list[Row]:
    """All rows of the extract made on a day, newest month first."""
    months = months_until(today)
    made: list[Row] = []
    for month in reversed(months):
        age = sum(1 for m in months if m > month)
        made.extend(_month(month, min(age, _RESTATED_MONTHS)))
    return made


def csv_bytes(
    table: list[Row], *, labels: bool = True, delimiter: str = ";", bom: bool = True
) -> bytes:
    """The export's bytes: CRLF, minimal quotes, BI_ID numbering the rows."""
    names = HEADER if labels else tuple(h.lower().replace(" ", "_") for h in HEADER)
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(
        (r.department, r.type, f"{r.month:%Y-%m}", r.channel, r.count, at)
        for at, r in enumerate(table, 1)
    )
    return (b"\xef\xbb\xbf" if bom else b"") + buffer.getvalue().encode()


def _month(month: date, restatements: int) -> Iterator[Row]:
    """One month's rows; every later extract restates a few of its counts, up to six times."""
    random = np.random.default_rng([_SEED, month.year, month.month])
    kinds = [k for k in _kinds() if _exists(k.department, month)]
    plain = np.array([_share(k, month) for k in kinds])
    shares = plain * np.array([_season(k.department, month) for k in kinds])
    busy = shares.sum() / plain.sum()
    shares /= shares.sum()
    chosen = _chosen(random, shares, month)
    total = busy * _MEAN_BY_YEAR[min(month.year, 2025)] * sum(len(at) for at in chosen.values())
    if month == FIRST:
        total *= 13 / 28  # collection began on the 16th
    elif month.year == FIRST.year:
        total *= 1.05  # the year's mean includes that half month
    made = []
    for channel, at in chosen.items():
        weight = shares[at] / shares[at].sum() if channel in ("Phone", "Chat") else None
        expected = total * _channel_share(channel, month)
        noise = random.lognormal(0, 0.12, len(at))
        spread = expected / len(at) if weight is None else expected * weight
        counts = np.maximum(1, np.round(spread * noise)).astype(int)
        made += [(kinds[i], channel, int(n)) for i, n in zip(at, counts, strict=True)]
    counts_now = _restate(month, [n for _, _, n in made], restatements)
    for (kind, channel, _), count in zip(made, counts_now, strict=True):
        yield Row(_name(kind.department, month), kind.name, month, channel, count)


def _chosen(
    random: np.random.Generator, shares: NDArray[np.float64], month: date
) -> dict[str, NDArray[np.int64]]:
    """Which types have a row by which channel: large types always, small ones by chance."""
    years = month.year - FIRST.year + month.month / 12
    wanted = {
        "Phone": 166 + int(random.integers(-1, 4)),
        "Chat": int(85 + 3.5 * years) + int(random.integers(-4, 5)),
        "E-mail": 17 + int(random.integers(0, 6)),
        "Social Media": 5 + int(random.integers(0, 4)),
        "Mail": 2 + int(random.integers(0, 3)),
    }
    return {
        channel: np.sort(random.choice(len(shares), min(n, len(shares)), replace=False, p=shares))
        for channel, n in wanted.items()
    }


def _channel_share(channel: str, month: date) -> float:
    """Chat grows from 3 % to the 12.5 % known of 2023; the small channels stay small."""
    chat = float(
        np.interp(month.year + month.month / 12, [2009, 2019, 2023.5], [0.03, 0.09, 0.125])
    )
    small = {"E-mail": 0.0012, "Social Media": 0.0004, "Mail": 0.0001}
    if channel == "Chat":
        return chat
    return small.get(channel, 1 - chat - sum(small.values()))


def _restate(month: date, counts: list[int], times: int) -> list[int]:
    for time in range(times):
        random = np.random.default_rng([_SEED, month.year, month.month, time + 1])
        for at in random.choice(len(counts), _RESTATED_ROWS, replace=False):
            counts[at] = max(1, counts[at] + int(random.integers(1, 6)))
    return counts


def _share(kind: _Kind, month: date) -> float:
    if month.year < 2024:  # noqa: PLR2004 - the first year known by share is 2023
        return kind.share_2023
    return kind.share_2024 if month.year == 2024 else (kind.share_2023 + kind.share_2024) / 2  # noqa: PLR2004


def _season(department: str, month: date) -> float:
    """A factor whose mean over the year is 1."""
    known = _SEASONS.get(department, {})
    if month.year == 2024 or not known:  # noqa: PLR2004 - its shares are of seven months as they were
        return 1.0
    mean = sum(known.get(m, 1.0) for m in range(1, 13)) / 12
    return known.get(month.month, 1.0) / mean


def _exists(department: str, month: date) -> bool:
    return _ARRIVES.get(department, FIRST) <= month < _LEAVES.get(department, date.max)


def _name(department: str, month: date) -> str:
    old = _OLD_NAMES.get(department)
    return old[0] if old and month < old[1] else department


@cache
def _kinds() -> tuple[_Kind, ...]:
    text = resources.files(__package__).joinpath("departments.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    made: list[_Kind] = []
    for row in csv.DictReader(lines, delimiter=";"):
        names = _type_names(row["department"], int(row["types"]))
        parts = 0.55 ** np.arange(len(names))
        parts /= parts.sum()
        # a share that rounds to nothing still means that somebody asked
        first, second = (max(float(row[k]), 0.004) for k in ("share_2023", "share_2024"))
        made += [
            _Kind(row["department"], n, first * p, second * p)
            for n, p in zip(names, parts, strict=True)
        ]
    return tuple(made)


def _type_names(department: str, count: int) -> list[str]:
    known = list(_KNOWN_TYPES.get(department, ()))[:count]
    plain = department.rpartition(" - ")[2]
    made = [f"{plain} Inquiry" if t == "General" else f"{plain} {t} Inquiry" for t in _TOPICS]
    return [*known, *made][:count]


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
