"""Generated inquiry volumes, fitted to what is known of the published dataset.

For each year the expected inquiries of every type, month and channel are drawn around the known
shares of departments and channels; the cells that exist are chosen so that months have the known
number of rows; then the cells are scaled until the known totals hold (iterative proportional
fitting). Every year is generated whole and cut at the last month, so an extract made a month later
repeats the earlier one but for its restatements. It never claims to be the City's data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cityline.adapters.portals.sample.parameters import Parameters, month_text, read_parameters

_Floats: TypeAlias = NDArray[np.float64]
_Ints: TypeAlias = NDArray[np.int64]

_FIT_ROUNDS = 15
_READ = (2023, 2024)
"""The years whose department shares are known, the second from January to July."""
_KNOWN_MONTHS = {2023: 12, 2024: 7}
_JULY, _PHONE, _PEAK_PAIR = 6, 0, 0
"""The cell with a year's maximum: property tax balances asked by phone in July."""
_RESTATED = 4.0
"""Old cells that change between two extracts, on average."""
_RESTATED_REACH = 14
"""Months back that a restatement may reach."""


@dataclass(frozen=True, slots=True)
class VolumeRows:
    """An extract, newest month first: one array entry per row.

    `months` are month numbers, `pairs` and `channels` index the parameters, `counts` are inquiries.
    """

    parameters: Parameters
    months: _Ints
    pairs: _Ints
    channels: _Ints
    counts: _Ints

    def __len__(self) -> int:
        return len(self.counts)

    def columns(self) -> list[list[str | int]]:
        """Department, type, month (`YYYY-MM`), channel, inquiries and row number, column-wise."""
        known = self.parameters
        months = {m: month_text(m) for m in np.unique(self.months).tolist()}
        departments = [
            published_name(known, known.pairs[p].department, m)
            for p, m in zip(self.pairs.tolist(), self.months.tolist(), strict=True)
        ]
        return [
            [*departments],
            [known.pairs[p].type for p in self.pairs.tolist()],
            [months[m] for m in self.months.tolist()],
            [known.channels[c] for c in self.channels.tolist()],
            [*self.counts.tolist()],
            [*range(1, len(self) + 1)],
        ]


def generate_volume(last_month: int) -> VolumeRows:
    """The extract whose last month is `last_month`, with all restatements made until then."""
    known = read_parameters()
    parts = []
    for year in range(known.first // 12, last_month // 12 + 1):
        counts = _year(known, year)
        pairs, months, channels = np.nonzero(counts)
        numbers = months + year * 12
        kept = (numbers >= known.first) & (numbers <= last_month)
        values = counts[pairs, months, channels]
        parts.append(np.stack([numbers, pairs, channels, values])[:, kept])
    table = np.concatenate(parts, axis=1)
    months, pairs, channels, values = table[:, np.lexsort((table[2], table[1], -table[0]))]
    _restate(known, months, values, last_month)
    return VolumeRows(known, months, pairs, channels, values)


def published_name(known: Parameters, department: int, month: int) -> str:
    """A department's name as published in a month: old names live on in the history."""
    old = known.old_names.get(department)
    return old[0] if old and month <= old[1] else known.departments[department]


def _year(known: Parameters, year: int) -> _Ints:
    """Inquiries by pair × month × channel; 0 where there is no row."""
    chance = np.random.default_rng([known.seed, year])
    expected = _expected(known, year)
    present = _present(known, year, expected, chance)
    noise = np.sqrt(0.07**2 + 0.25 / np.maximum(expected, 1.0))
    cells = expected * np.exp(chance.normal(0.0, 1.0, expected.shape) * noise) * present
    peak = curve(known.maximum, year) * chance.uniform(0.985, 1.015)
    fitted = _fit(known, year, cells, present, peak)
    return np.where(present, np.maximum(1, np.rint(fitted)), 0).astype(np.int64)


def _expected(known: Parameters, year: int) -> _Floats:
    """Inquiries expected before any noise, as an array pair × month × channel."""
    by_month = _month_shares(known, year) * _month_totals(known, year)
    shares = np.array([curve(known.inquiry_shares, year, at) for at in range(len(known.channels))])
    chance = np.random.default_rng([known.seed, 1])
    liking = chance.lognormal(0.0, 0.8, (len(known.pairs), len(shares)))
    result: _Floats = by_month[:, :, None] * liking[:, None, :] * shares
    return result


def _month_shares(known: Parameters, year: int) -> _Floats:
    """Each pair's share of an average month's inquiries, by month; 0 where it does not exist."""
    season = np.array([p.season for p in known.pairs])
    season /= season.mean(axis=1, keepdims=True)
    numbers = year * 12 + np.arange(12)
    since = np.array([p.since for p in known.pairs])[:, None]
    until = np.array([p.until for p in known.pairs])[:, None]
    result: _Floats = _pair_shares(known, year)[:, None] * season
    return result * ((numbers >= since) & (numbers <= until))


def _pair_shares(known: Parameters, year: int) -> _Floats:
    """Shares of all inquiries: as read in 2023 and 2024, drifting slowly in the years around.

    Later years begin at the mean of both, since the second is known for seven months only.
    """
    first = np.array([p.share_2023 for p in known.pairs])
    second = np.array([p.share_2024 for p in known.pairs])
    if year in _READ:
        return (first if year == _READ[0] else second) / 100.0
    base = _READ[0] if year < _READ[0] else _READ[1]
    shares = first if year < _READ[0] else (first + second) / 2
    steps = np.random.default_rng([known.seed, 2]).normal(0.0, 0.05, (40, len(shares)))
    drift = steps[: abs(year - base)].sum(axis=0) * np.sign(year - base)
    result: _Floats = shares / 100.0 * np.exp(drift)
    return result


def _month_rows(known: Parameters, year: int) -> _Floats:
    chance = np.random.default_rng([known.seed, 3, year])
    rows = np.array([curve(known.rows, year * 12 + m) for m in range(12)])
    return rows + chance.normal(0.0, 5.0, 12)


def _month_totals(known: Parameters, year: int) -> _Floats:
    """Inquiries of each month: the year's mean row times its rows, spread over the months."""
    factors = np.array(known.months.get(str(year), known.months["default"]))
    total = curve(known.mean, year) * _month_rows(known, year)[factors > 0].sum()
    result: _Floats = total * factors / factors.sum()
    return result


def _present(
    known: Parameters, year: int, expected: _Floats, chance: np.random.Generator
) -> NDArray[np.bool_]:
    """Which cells have a row: the likelier ones, as many as the month has rows by channel."""
    rows = _month_rows(known, year)
    with np.errstate(divide="ignore"):
        rank = np.log(expected) + chance.gumbel(0.0, 0.7, expected.shape)
    present = np.zeros(expected.shape, dtype=bool)
    for month in range(12):
        for channel in range(len(known.channels)):
            share = curve(known.row_shares, year * 12 + month, channel)
            wanted = int(np.rint(share * rows[month]))
            order = np.argsort(-rank[:, month, channel], kind="stable")[:wanted]
            present[order, month, channel] = expected[order, month, channel] > 0
    return present


def _fit(
    known: Parameters, year: int, cells: _Floats, present: NDArray[np.bool_], peak: float
) -> _Floats:
    """Scale cells until departments, months and channels have their totals, and one the maximum."""
    months = _month_totals(known, year)
    shares = np.array([curve(known.inquiry_shares, year, at) for at in range(len(known.channels))])
    channels = np.maximum(shares * months.sum(), present.sum(axis=(0, 1)) * 1.1)
    for _ in range(_FIT_ROUNDS):
        cells = _fit_departments(known, year, cells)
        cells = cells * _ratio(channels, cells.sum(axis=(0, 1)))
        cells = cells * _ratio(months, cells.sum(axis=(0, 2)))[None, :, None]
        cells = np.minimum(cells, peak * 0.93)
        if present[_PEAK_PAIR, _JULY, _PHONE]:
            cells[_PEAK_PAIR, _JULY, _PHONE] = peak
    return cells


def _fit_departments(known: Parameters, year: int, cells: _Floats) -> _Floats:
    """Hold the departments' shares: over the months for which they are known, or the year."""
    span = cells[:, : _KNOWN_MONTHS.get(year, 12)].sum(axis=(1, 2))
    owner = np.array([p.department for p in known.pairs])
    if year in _READ:
        shares = np.array([s[_READ.index(year)] for s in known.department_shares])
    else:
        shares = np.bincount(owner, weights=_month_shares(known, year).sum(axis=1))
    wanted = shares / shares.sum() * span.sum()
    found = np.bincount(owner, weights=span, minlength=len(wanted))
    factors = _ratio(wanted, found.astype(np.float64))
    result: _Floats = cells * factors[owner][:, None, None]
    return result


def _ratio(wanted: _Floats, found: _Floats) -> _Floats:
    result: _Floats = np.divide(wanted, found, out=np.ones_like(wanted), where=found > 0)
    return result


def _restate(known: Parameters, months: _Ints, counts: _Ints, last_month: int) -> None:
    """Change a few old counts with every extract made so far, as late corrections do."""
    newest_first = -months
    for extract in range(known.first + 1, last_month + 1):
        chance = np.random.default_rng([known.seed, 4, extract])
        reach = min(_RESTATED_REACH, extract - known.first)
        for _ in range(int(chance.poisson(_RESTATED)) + 1):
            month = extract - int(chance.integers(1, reach + 1))
            start = int(np.searchsorted(newest_first, -month, side="left"))
            end = int(np.searchsorted(newest_first, -month, side="right"))
            row = start + int(chance.random() * (end - start))
            counts[row] += int(chance.integers(1, 5))


def curve(
    knots: Mapping[int, float] | Mapping[int, Sequence[float]], at: int, column: int = 0
) -> float:
    """A value between knots on a straight line; the first and last hold beyond them."""
    keys = sorted(knots)
    values = [knots[k] for k in keys]
    heights = [v[column] if isinstance(v, Sequence) else v for v in values]
    return float(np.interp(at, keys, heights))
