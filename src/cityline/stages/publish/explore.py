"""The cube behind the page Explore: one curated table as a script, small enough to send whole.

A script, not JSON, because a browser lets a page from a disk load scripts but fetch nothing.
Counts are kept per department and channel as differences from month to month, which compress well.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from cityline.lake import wording

TABLE = "curated.department_channel_month"
_YEAR = 12
_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Cube:
    """The script, and the table a reader without scripts sees instead: department, inquiries and
    share, largest first, for the last complete year (or all months, if no year is complete)."""

    script: bytes
    period: str
    departments: int
    total: int
    rows: tuple[tuple[str, int, float], ...]


def cube(
    table: pa.Table,
    *,
    snapshot: str,
    title: str,
    licences: Sequence[tuple[str, str]] = (),
    notice: str = "",
) -> Cube:
    """Pack `curated.department_channel_month`; `notice` says that the data are generated."""
    rows = table.to_pylist()
    counts: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    complete: dict[int, bool] = {}
    for row in rows:
        month = _number(row["month"])
        series = counts[row["department"], row["channel"]]
        series[month] = series.get(month, 0) + int(row["inquiries"])
        complete[month] = complete.get(month, True) and bool(row["month_complete"])
    departments = sorted({d for d, _ in counts})
    channels = sorted({c for _, c in counts})
    first = min(complete, default=0)
    months = range(first, max(complete, default=-1) + 1)
    data = {
        "table": TABLE,
        "title": title,
        "snapshot": snapshot,
        "licences": list(dict.fromkeys(sentence for sentence, _ in licences)),
        "notice": notice,
        "first": [first // _YEAR, first % _YEAR + 1],
        "months": len(months),
        "absent": [m - first for m in months if m not in complete],
        "provisional": [m - first for m in months if not complete.get(m, True)],
        "departments": departments,
        "channels": channels,
        "series": [
            [departments.index(d), channels.index(c), min(s) - first, _differences(s)]
            for (d, c), s in sorted(counts.items(), key=lambda item: item[0][::-1])
        ],
    }
    return _with_default(_script(data), counts, complete)


def _differences(series: Mapping[int, int]) -> list[int]:
    """Each month's count less that of the month before, from the first month to the last."""
    values = [series.get(m, 0) for m in range(min(series), max(series) + 1)]
    return [b - a for a, b in zip([0, *values], values, strict=False)]


def _script(data: Mapping[str, Any]) -> bytes:
    """One assignment. Only ASCII, and `<` is escaped: no name can end the script or a line."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.CITYLINE_CUBE={text};\n".encode("ascii")


def _with_default(
    script: bytes, counts: Mapping[tuple[str, str], Mapping[int, int]], complete: Mapping[int, bool]
) -> Cube:
    year = _last_complete_year(complete)
    totals: Counter[str] = Counter()
    for (department, _), series in counts.items():
        totals[department] += sum(n for m, n in series.items() if year in (None, m // _YEAR))
    there = [(d, n) for d, n in totals.items() if n]
    largest = sorted(there, key=lambda item: (-item[1], item[0]))
    total = sum(totals.values())
    period = str(year) if year else _span(complete)
    shown = tuple((d, n, n / total) for d, n in largest[:_SHOWN])
    return Cube(script, period, len(largest), total, shown)


def _last_complete_year(complete: Mapping[int, bool]) -> int | None:
    done = Counter(m // _YEAR for m, whole in complete.items() if whole)
    return max((y for y, n in done.items() if n == _YEAR), default=None)


def _span(months: Iterable[int]) -> str:
    known = sorted(months)
    if not known:
        return "no months"
    ends = [wording.month(date(m // _YEAR, m % _YEAR + 1, 1)) for m in (known[0], known[-1])]
    return " to ".join(dict.fromkeys(ends))


def _number(month: date) -> int:
    return month.year * _YEAR + month.month - 1
