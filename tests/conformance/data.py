"""Adversarial rows: nulls, ties, empty texts, other scripts, leap days, month ends, clock changes."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa

_TEXTS = [
    "Street light out", "  padded  ", "", None, "ÉCOLE Éco-centre", "straße ẞ", "İstanbul ıI",
    "日本語 テスト", "🚲🚧 bike", "ENG - Sanitation - Ops", "a\\b'c\"d%_", "tab\there",
    "line\nbreak", "Cafe\u0301", "nbsp\u00a0here", "x", "0012", "-7", "$1 [a-z]", "ﬁre Ǆ",
    "ΣΊΣΥΦΟΣ", "a,b,,c", "2024-02-29", "aaa",
]  # fmt: skip
_WHOLE = [0, 1, -1, 7, -7, 12, 100, None, 2**31, -(2**31), 999_999_937, 2, 2, 3, 5, 5, None, 10,
          -10, 4, 6, 8, 9, 1]  # fmt: skip
_SMALL = [0, 1, 2, 3, 4, 5, 6, 7, 8, None, 10, 11, 12, 1, 2, 3, 2, 2, 1, 3, None, 5, 4, 2]
_REAL = [0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 2.675, 1e15, -1e-9, None, 0.1, 0.2, 0.30000000000000004,
         3.14159, -100.25, 1234567.891, 1e-3, 42.0, 0.75, 1.0, None, 1e9, 0.125, 99.995]  # fmt: skip
_DAYS = [
    "2024-02-29", "2023-02-28", "2000-01-01", "1999-12-31", "2024-12-30", "2021-01-03",
    "2020-12-31", None, "2009-02-16", "2024-03-10", "2024-11-03", "2100-02-28", "2024-01-31",
    "2023-12-31", "2024-04-30", "2024-05-31", "1970-01-01", "1969-12-31", "2016-02-29",
    "2024-01-01", "2024-07-01", None, "2024-10-01", "2022-06-15",
]  # fmt: skip
_CLOCKS = ["00:00:00", "01:59:59", "02:30:00", "03:00:00", "23:59:59", "12:00:00.5"]


def rows() -> pa.Table:
    """The table `t`: 24 rows in three groups and a nameless one."""
    days = [None if d is None else date.fromisoformat(d) for d in _DAYS]
    moments = [
        None if d is None else datetime.fromisoformat(f"{d}T{_CLOCKS[i % 6]}")
        for i, d in enumerate(_DAYS)
    ]
    return pa.table(
        {
            "id": pa.array(range(1, 25), pa.int64()),
            "g": pa.array(["a", "b", None, "c"] * 6, pa.string()),
            "s": pa.array(_TEXTS, pa.string()),
            "r": pa.array([*reversed(_TEXTS)], pa.string()),
            "n": pa.array(_WHOLE, pa.int64()),
            "m": pa.array(_SMALL, pa.int32()),
            "x": pa.array(_REAL, pa.float64()),
            "y": pa.array([*reversed(_REAL)], pa.float64()),
            "d": pa.array(days, pa.date32()),
            "e": pa.array([*days[7:], *days[:7]], pa.date32()),
            "ts": pa.array(moments, pa.timestamp("us")),
            "b": pa.array([True, False, None, True, True, False] * 4, pa.bool_()),
        }
    )


def nothing() -> pa.Table:
    """The same table without a row."""
    return rows().slice(0, 0)
