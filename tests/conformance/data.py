"""Adversarial rows: nulls, ties, empty texts, other scripts, leap days, month ends, clock changes."""

from __future__ import annotations

import random
from datetime import date, datetime
from decimal import Decimal

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


_LONG = "Ünïcode 長い " * 4000
_SPECIAL = [0.0, -0.0, float("nan"), float("inf"), float("-inf"), None, 1.5, 2.5, -2.5, 1e-300,
            9007199254740993.0, 0.1]  # fmt: skip
_MONEY = ["0.00", "0.01", "-0.01", "2.67", "2.68", None, "9999999999.99", "-9999999999.99",
          "12.50", "12.50", "100.00", "0.10"]  # fmt: skip
_PRECISE = ["0.0000", "0.0050", "-0.0050", "2.6750", "2.6850", "1.5000", None, "99999.9999",
            "-99999.9999", "2.5000", "3.5000", "0.1000"]  # fmt: skip
_LIMITS = [
    2**63 - 1,
    -(2**63),
    2**31 - 1,
    -(2**31),
    2**53 + 1,
    None,
    0,
    1,
    -1,
    10**18,
    7,
    2**63 - 1,
]
_WORDS = ["Ω Ångström", "ß", "ẞ", "ſ long s", "ŉ", "ǰ", "DŽ Dž dž", "İ", None, "e\u0301", "\u200bzero",
          "👨‍👩‍👧 family"]  # fmt: skip
_CLOCK_CHANGES = [
    "2024-03-10T01:59:59", "2024-03-10T02:30:00", "2024-03-10T03:00:00", "2024-11-03T00:59:59",
    "2024-11-03T01:00:00", "2024-11-03T01:30:00", "2024-11-03T09:30:00", None,
    "2024-02-29T23:59:59.999999", "1969-12-31T23:59:59", "2100-02-28T00:00:00", "2000-02-29T12:00:00",
]  # fmt: skip


def hard() -> pa.Table:
    """The table `hard`: decimals, NaN and infinities, integers at their limits, letters whose case
    is special, a very long text, clock changes; its later twelve rows repeat the earlier ones but
    for `id`."""
    moments = [None if m is None else datetime.fromisoformat(m) for m in _CLOCK_CHANGES]
    decimals = [[None if v is None else Decimal(v) for v in vs] for vs in (_MONEY, _PRECISE)]
    return pa.table(
        {
            "id": pa.array(range(1, 25), pa.int64()),
            "g": pa.array(["a", "b", "a", None, "Z", "é"] * 4, pa.string()),
            "q": pa.array([3, 1, None, 3, 2, 2, 0, -1, 5, 5, 4, 1] * 2, pa.int32()),
            "k": pa.array(_LIMITS * 2, pa.int64()),
            "c": pa.array(decimals[0] * 2, pa.decimal128(12, 2)),
            "p": pa.array(decimals[1] * 2, pa.decimal128(9, 4)),
            "z": pa.array(_SPECIAL * 2, pa.float64()),
            "w": pa.array([*reversed(_SPECIAL)] * 2, pa.float64()),
            "s": pa.array(_WORDS * 2, pa.string()),
            "d": pa.array([m and m.date() for m in moments] * 2, pa.date32()),
            "ts": pa.array(moments * 2, pa.timestamp("us")),
            "b": pa.array([True, True, False, None] * 6, pa.bool_()),
        }
    )


def long_texts() -> pa.Table:
    """The table `long`: texts of 48,000 letters, of which one differs in its last letter."""
    texts = [_LONG, _LONG + "a", _LONG, "", None]
    return pa.table({"id": pa.array(range(1, 6), pa.int64()), "s": pa.array(texts, pa.string())})


FORMATS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%y", "%b-%y", "%b %Y", "%B %Y", "%Y%m%d", "%Y-%m", "%Y%m",
    "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y", "%d-%b-%Y",
)  # fmt: skip
_PIECES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("mdHIMS", ("1", "02", "9", "11", "12", "5", "08", "10", "0", "24", "31", "007")),
    "Y": ("2024", "2023", "1999", "1900", "24", "7", "123", "20245"),
    "y": ("24", "68", "69", "3", "01", "2024"),
    "b": ("Jan", "feb", "MAR", "Sept", "Ju", "July"), "B": ("January", "may", "SEPTEMBER", "feb"),
    "p": ("AM", "pm", "a", "AMX"),
}  # fmt: skip
_BETWEEN = ("", "x", "  ", "\t", "\u00a0")
_AROUND = ("", "", "", "", " ", "\t ", "\n", "\u00a0", "x")


def written_moments(each: int = 120) -> pa.Table:
    """The table `written`: dates and moments as people write them, nearly, of every format."""
    chance = random.Random("written moments")  # noqa: S311 - no secret
    texts = [_written(chance, code) for code in FORMATS for _ in range(each)]
    texts += ["infinity", "-Infinity", " epoch\t", "+infinity", "inf", "epochs", "", " "]
    ids = pa.array(range(len(texts)), pa.int64())
    return pa.table({"id": ids, "s": pa.array(texts, pa.string())})


def _written(chance: random.Random, code: str) -> str:
    made, known = chance.choice(_AROUND), False
    for letter in code:
        if known:
            made += chance.choice(_PIECES[letter])
        elif letter != "%":
            made += letter if chance.random() < 0.9 else chance.choice(_BETWEEN)
        known = letter == "%"
    return made + chance.choice(_AROUND)
