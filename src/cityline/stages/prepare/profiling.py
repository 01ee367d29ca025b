"""The profile of all rows, computed exactly from how often each distinct value occurs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TOP = 10
_BINS = 20
_FENCE = 1.5
"""Tukey's fences: so many interquartile ranges beyond the quartiles."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column over all rows.

    `type` is inferred from the values: integer, decimal, date, text or empty. `valid` + `missing`
    = `rows`; an empty text is missing. `duplicates` = valid − distinct. Quantiles are keyed "0.05"
    and are values that occur (lower ones). A histogram is [lower, upper, rows] per bin. Outliers
    lie beyond Tukey's fences, [low, high].
    """

    name: str
    type: str
    rows: int
    valid: int
    missing: int
    distinct: int
    duplicates: int
    min: Any
    median: Any
    max: Any
    mean: float | None
    std: float | None
    quantiles: Mapping[str, Any]
    top: Sequence[tuple[Any, int]]
    histogram: Sequence[tuple[float, float, int]]
    outliers: int
    fences: tuple[float, float] | None
    length_min: int | None
    length_max: int | None
    padded: int

    def to_json(self) -> dict[str, Any]:
        """A plain object; dates become ISO texts."""
        return {k: _plain(v) for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, up to texts for dates and lists for tuples."""
        return cls(**data)


def profile_columns(frequencies: Mapping[str, pa.Table]) -> list[ColumnProfile]:
    """Profile every column from its table (value, n)."""
    return [_profile(name, table) for name, table in frequencies.items()]


def drift(before: Sequence[ColumnProfile], after: Sequence[ColumnProfile]) -> list[str]:
    """What changed between two profiles of the same columns, in words."""
    known = {p.name: p for p in before}
    told = [f"{p.name}: new column" for p in after if p.name not in known]
    told += [f"{n}: gone" for n in known if n not in {p.name for p in after}]
    for now in after:
        was = known.get(now.name)
        if was is None:
            continue
        if was.type != now.type:
            told.append(f"{now.name}: {was.type} → {now.type}")
        if was.missing != now.missing:
            told.append(f"{now.name}: {was.missing:,} → {now.missing:,} missing")
        if was.distinct != now.distinct:
            told.append(f"{now.name}: {was.distinct:,} → {now.distinct:,} distinct")
    return told


def _profile(name: str, table: pa.Table) -> ColumnProfile:
    values, counts = table["value"].combine_chunks(), table["n"].to_numpy()
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    rows = int(counts.sum())
    empty = _empty(values)
    present = ~empty
    values, counts = values.filter(pa.array(present)), counts[present]
    valid = int(counts.sum())
    kind, numbers = _typed(values)
    order, ordered = _ordered(values, numbers)
    weights = counts[order]
    quantiles = _quantiles(ordered, weights)
    spread = _Numbers.of(numbers, counts)
    lengths = pc.utf8_length(values) if pa.types.is_string(values.type) and len(values) else None
    top = np.lexsort((np.arange(len(counts)), -counts))[:_TOP]
    return ColumnProfile(
        name=name,
        type=kind,
        rows=rows,
        valid=valid,
        missing=rows - valid,
        distinct=len(values),
        duplicates=valid - len(values),
        min=_at(ordered, 0),
        median=quantiles.get("0.5"),
        max=_at(ordered, len(ordered) - 1),
        mean=spread.mean,
        std=spread.std,
        quantiles=quantiles,
        top=tuple((values[int(i)].as_py(), int(counts[i])) for i in top),
        histogram=spread.histogram,
        outliers=spread.outliers,
        fences=spread.fences,
        length_min=pc.min(lengths).as_py() if lengths is not None else None,
        length_max=pc.max(lengths).as_py() if lengths is not None else None,
        padded=_padded(values, counts),
    )


def _empty(values: pa.Array) -> NDArray[np.bool_]:
    empty = pc.is_null(values)
    if pa.types.is_string(values.type):
        empty = pc.or_(empty, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True))
    found: NDArray[np.bool_] = empty.to_numpy(zero_copy_only=False)
    return found


def _typed(values: pa.Array) -> tuple[str, NDArray[np.float64] | None]:
    """The narrowest type all values have, and their numbers when they are numbers."""
    if len(values) == 0:
        return "empty", None
    if pa.types.is_integer(values.type):
        return "integer", values.to_numpy().astype(np.float64)
    if pa.types.is_floating(values.type):
        return "decimal", values.to_numpy()
    if pa.types.is_temporal(values.type):
        return "date", None
    if not pa.types.is_string(values.type):
        return str(values.type), None
    for kind, pattern in (
        ("integer", r"^\s*[+-]?\d{1,18}\s*$"),
        ("decimal", r"^\s*[+-]?\d+(\.\d+)?\s*$"),
    ):
        if pc.all(pc.match_substring_regex(values, pattern)).as_py():
            return kind, pc.cast(pc.utf8_trim_whitespace(values), pa.float64()).to_numpy()
    if pc.all(pc.match_substring_regex(values, r"^\s*\d{4}-\d{2}(-\d{2})?\s*$")).as_py():
        return "date", None
    return "text", None


def _ordered(
    values: pa.Array, numbers: NDArray[np.float64] | None
) -> tuple[NDArray[np.int64], pa.Array]:
    """Values in order: as numbers when they are, else as they compare."""
    if numbers is not None:
        order = np.argsort(numbers, kind="stable")
    else:
        order = pc.sort_indices(values).to_numpy().astype(np.int64)
    return order, values.take(pa.array(order))


def _quantiles(ordered: pa.Array, weights: NDArray[np.int64]) -> dict[str, Any]:
    if len(ordered) == 0:
        return {}
    reached = np.cumsum(weights)
    at = np.searchsorted(reached, np.array(_QUANTILES) * reached[-1], side="left")
    return {f"{q:g}": ordered[int(i)].as_py() for q, i in zip(_QUANTILES, at, strict=True)}


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What only numbers have."""

    mean: float | None = None
    std: float | None = None
    histogram: tuple[tuple[float, float, int], ...] = ()
    outliers: int = 0
    fences: tuple[float, float] | None = None

    @classmethod
    def of(cls, numbers: NDArray[np.float64] | None, counts: NDArray[np.int64]) -> Self:
        if numbers is None or len(numbers) == 0:
            return cls()
        finite = np.isfinite(numbers)
        numbers, counts = numbers[finite], counts[finite]
        if len(numbers) == 0:
            return cls()
        mean = float(np.average(numbers, weights=counts))
        std = float(np.sqrt(np.average((numbers - mean) ** 2, weights=counts)))
        order = np.argsort(numbers, kind="stable")
        reached = np.cumsum(counts[order])
        first, third = (
            float(numbers[order[int(np.searchsorted(reached, q * reached[-1]))]])
            for q in (0.25, 0.75)
        )
        low = first - _FENCE * (third - first)
        high = third + _FENCE * (third - first)
        outside = int(counts[(numbers < low) | (numbers > high)].sum())
        bins = min(_BINS, len(numbers))
        rows, edges = np.histogram(numbers, bins=bins, weights=counts)
        histogram = tuple(
            (float(edges[i]), float(edges[i + 1]), int(rows[i])) for i in range(len(rows))
        )
        return cls(mean, std, histogram, outside, (low, high))


def _padded(values: pa.Array, counts: NDArray[np.int64]) -> int:
    """Rows whose text has white space at either end."""
    if not pa.types.is_string(values.type) or len(values) == 0:
        return 0
    padded = pc.not_equal(values, pc.utf8_trim_whitespace(values)).to_numpy(zero_copy_only=False)
    return int(counts[padded].sum())


def _at(ordered: pa.Array, at: int) -> Any:
    return ordered[at].as_py() if len(ordered) else None


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
