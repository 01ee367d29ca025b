"""Large, partly dirty volume files for measuring: the portal's layout, with many more rows.

Keys are unique before the dirt is added. A share of the rows is dirty in the ways real exports are,
and the function tells how many of each it wrote, so that counts can be reconciled. The file is
written block by block: memory does not grow with it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cityline.adapters.portals.sample.parameters import (
    month_number,
    month_text,
    read_parameters,
)
from cityline.adapters.portals.sample.tables import BOM

_Codes: TypeAlias = NDArray[np.int64]
KINDS: Final = (
    "clean",
    "spaced department",
    "cased channel",
    "month spelling",
    "duplicate row",
    "null word",
    "future month",
    "bad count",
)
"""Kinds of rows, in the order of their codes; the first four hold what they should, once read."""
_SPACED, _CASED, _SPELLED, _DUPLICATE, _NULL, _FUTURE, _BAD = range(1, 8)
_HEADER = b"Department;Type;Year Month;Channel;Number of Records;BI_ID"
_LINE_END = "\r\n"
_LAST_MONTH = month_number("2026-07")
_BLOCK = 1 << 18
_STRIDE = 7919
"""A prime: neighbours in the file are not neighbours among the keys."""
_SPACINGS = ("{} ", " {}", "{}\u00a0", "\u200b{}", "  {}  ")
_NULL_WORDS = ("", " ", "NA", "N/A", "NULL")
_FUTURES = ("2031-01", "2099-12", "2027-13", "2030-06-01")
_BAD_COUNTS = ("-4", "33.5", "many", "", "1e309", "NaN", "12-")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Wrote:
    """What a file holds: rows, bytes, rows by kind, and what a reader should keep of them.

    `kept` counts the rows whose cells can be read and that do not repeat the row before them;
    `measure` is the sum of their counts.
    """

    rows: int = 0
    bytes: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    measure: int = 0


@dataclass(frozen=True, slots=True)
class _Words:
    """Spellings by column: first the published ones, then the others, variant after variant."""

    department: pa.Array
    type: pa.Array
    month: pa.Array
    channel: pa.Array
    departments: int
    types: int
    months: int
    channels: int

    @property
    def keys(self) -> int:
        """Keys of a month."""
        return self.departments * self.types * self.channels


def write_volume(
    path: Path, rows: int, *, seed: int = 311, months: int = 210, dirty: float = 0.03
) -> Wrote:
    """Write `rows` records over so many months up to 2026-07, newest month first.

    `dirty` is the share of records that are not as they should be. The same arguments make the
    same bytes.
    """
    words = _words(-(-rows // months), months)
    wrote = Wrote()
    with path.open("wb", buffering=0) as file:
        wrote.bytes += file.write(BOM + _HEADER)
        for first in range(0, rows, _BLOCK):
            chance = np.random.default_rng([seed, first])
            numbers = np.arange(first, min(first + _BLOCK, rows), dtype=np.int64)
            lines = _lines(words, chance, numbers, rows, dirty, wrote)
            wrote.bytes += file.write(lines)
        wrote.bytes += file.write(_LINE_END.encode())
    wrote.rows = rows
    return wrote


def _words(rows_a_month: int, months: int) -> _Words:
    """As many departments as are needed for unique keys; every line begins with one, so its words
    carry the end of the line before."""
    known = read_parameters()
    types = [p.type for p in known.pairs]
    wanted = -(-rows_a_month * 5 // (4 * len(types) * len(known.channels)))
    departments = [
        name if area == 0 else f"{name} (Area {area + 1})"
        for area in range(-(-wanted // len(known.departments)) or 1)
        for name in known.departments
    ]
    numbers = [_LAST_MONTH - back for back in range(months)]
    spellings = [month_text(m) for m in numbers]
    for style in range(5):
        spellings += [_spelled(m, style) for m in numbers]
    spaced = [s.format(d) for s in _SPACINGS for d in departments]
    cased = [c.upper() for c in known.channels] + [c.lower() for c in known.channels]
    return _Words(
        department=pa.array([_LINE_END + d for d in (*departments, *spaced, *_NULL_WORDS)]),
        type=pa.array(types),
        month=pa.array([*spellings, *_FUTURES]),
        channel=pa.array([*known.channels, *cased]),
        departments=len(departments),
        types=len(types),
        months=months,
        channels=len(known.channels),
    )


def _spelled(number: int, style: int) -> str:
    """A month in one of five other spellings seen in exports and spreadsheets."""
    year, month = number // 12, number % 12 + 1
    return (
        f"{year}-{month}",
        f"{year}-{month:02d}-01",
        f"{year}-{month:02d}-01 00:00:00",
        f"{_NAMES[month - 1]}-{year % 100:02d}",
        f"{year}{month:02d}",
    )[style]


def _lines(
    words: _Words,
    chance: np.random.Generator,
    numbers: _Codes,
    rows: int,
    dirty: float,
    wrote: Wrote,
) -> memoryview:
    """A block of lines as bytes; notes in `wrote` what they hold."""
    codes = _keys(words, numbers, rows)
    counts = np.exp(chance.normal(2.56, 2.0, len(numbers)))
    codes["count"] = np.clip(np.rint(counts), 1, 30_000).astype(np.int64)
    kinds = _dirty(words, chance, codes, dirty)
    good = kinds < _DUPLICATE
    wrote.kept += int(good.sum())
    wrote.measure += int(codes["count"][good].sum())
    for kind, count in enumerate(np.bincount(kinds, minlength=len(KINDS)).tolist()):
        wrote.kinds[KINDS[kind]] += count
    counted = pa.array(codes["count"]).cast(pa.string())
    bad = np.flatnonzero(kinds == _BAD)
    spoilt = pa.array([_BAD_COUNTS[b] for b in chance.integers(0, len(_BAD_COUNTS), len(bad))])
    counted = pc.replace_with_mask(counted, pa.array(kinds == _BAD), spoilt.cast(pa.string()))
    lines = pc.binary_join_element_wise(
        words.department.take(pa.array(codes["department"])),
        words.type.take(pa.array(codes["type"])),
        words.month.take(pa.array(codes["month"])),
        words.channel.take(pa.array(codes["channel"])),
        counted,
        pa.array(numbers + 1).cast(pa.string()),
        ";",
    )
    return _bytes_of(lines)


def _keys(words: _Words, numbers: _Codes, rows: int) -> dict[str, _Codes]:
    """Unique (department, type, month, channel) for row numbers, spread over the keys."""
    stride = _STRIDE
    while gcd(stride, words.keys) != 1:
        stride += 1
    month = numbers * words.months // rows
    start = -(-month * rows // words.months)
    key = ((numbers - start) * stride + month * 104_729) % words.keys
    return {
        "department": key // (words.types * words.channels),
        "type": key // words.channels % words.types,
        "month": month,
        "channel": key % words.channels,
    }


def _dirty(
    words: _Words, chance: np.random.Generator, codes: dict[str, _Codes], share: float
) -> _Codes:
    """Make a share of the rows dirty by pointing at other spellings; returns each row's kind."""
    size = len(codes["month"])
    kinds = np.where(chance.random(size) < share, chance.integers(1, len(KINDS), size), 0)
    after_clean = np.concatenate(([False], kinds[:-1] == 0))
    kinds[(kinds == _DUPLICATE) & ~after_clean] = 0
    again = np.flatnonzero(kinds == _DUPLICATE)
    for column in codes.values():
        column[again] = column[again - 1]
    pick = chance.integers(0, 1 << 30, size)
    _point(codes["department"], kinds == _SPACED, words.departments, pick % len(_SPACINGS))
    _point(codes["channel"], kinds == _CASED, words.channels, pick % 2)
    _point(codes["month"], kinds == _SPELLED, words.months, pick % 5)
    nothing = words.departments * (1 + len(_SPACINGS))
    codes["department"][kinds == _NULL] = nothing + (pick % len(_NULL_WORDS))[kinds == _NULL]
    codes["month"][kinds == _FUTURE] = words.months * 6 + (pick % len(_FUTURES))[kinds == _FUTURE]
    return kinds


def _point(column: _Codes, rows: NDArray[np.bool_], size: int, variant: _Codes) -> None:
    column[rows] += size * (1 + variant[rows])


def _bytes_of(lines: Any) -> memoryview:
    """All texts of an Arrow array one after another: its data buffer."""
    ends = np.frombuffer(lines.buffers()[1], dtype=np.int32)
    return memoryview(lines.buffers()[2])[: int(ends[len(lines)])]
