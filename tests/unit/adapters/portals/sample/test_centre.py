"""The generated contact centre days against the published file's shape and quirks."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from statistics import mean
from typing import TypeAlias

import pytest

from cityline.adapters.portals.sample.centre import generate_centre

Day: TypeAlias = tuple[str, int, int, int, str, str]


@pytest.fixture(scope="module")
def days() -> list[Day]:
    columns = generate_centre(date(2024, 9, 30))
    return [
        (str(d), int(o), int(h), int(a), str(s), str(v))
        for d, o, h, a, s, v in zip(*columns[:6], strict=True)
    ]


@pytest.fixture(scope="module")
def real(shared_data: Path) -> list[Day]:
    file = shared_data / "vancouver-contact-centre-metrics" / "3-1-1-contact-centre-metrics.csv"
    if not file.is_file():
        pytest.skip("the published file is not here")
    with file.open(encoding="utf-8-sig", newline="") as read:
        rows = list(csv.reader(read, delimiter=";"))[1:]
    return [(r[0], int(r[1]), int(r[2]), int(r[3]), r[4], r[5]) for r in rows]


def test_the_days_are_those_of_the_published_file(days: list[Day], real: list[Day]) -> None:
    assert [d[0] for d in days] == [d[0] for d in real]


def test_days_newest_first_but_for_two(days: list[Day]) -> None:
    first, last = date(2009, 6, 15), date(2024, 9, 30)
    every = [(last - timedelta(n)).isoformat() for n in range((last - first).days + 1)]
    assert [d[0] for d in days] == [e for e in every if e not in ("2010-03-07", "2013-03-08")]


def test_yearly_levels(days: list[Day], real: list[Day]) -> None:
    """Calls offered within 5 %, shares handled and abandoned within 9 points of each year's."""
    for year in map(str, range(2009, 2025)):
        made, known = ([d for d in x if d[0].startswith(year)] for x in (days, real))
        offered = [sum(d[1] for d in x) / len(x) for x in (made, known)]
        assert offered[0] == pytest.approx(offered[1], rel=0.05), year
        for column in (2, 3):
            shares = [sum(int(d[column]) for d in x) / sum(d[1] for d in x) for x in (made, known)]
            assert shares[0] == pytest.approx(shares[1], abs=0.09), (year, column)


def test_sums_seldom_balance(days: list[Day]) -> None:
    left = [d[1] - d[2] - d[3] for d in days]
    assert sum(x == 0 for x in left) / len(left) == pytest.approx(178 / 5585, abs=0.01)
    assert sum(x < 0 for x in left) / len(left) == pytest.approx(23 / 5585, abs=0.003)
    assert mean(left) == pytest.approx(47, abs=12)


def test_ranges(days: list[Day]) -> None:
    assert all(0.06 < float(d[5]) <= 1 for d in days)
    assert all(0 <= float(d[4]) <= 588.6 for d in days)
    assert all(d[2] > 0 and d[3] >= 0 for d in days)


def _decimals(days: list[Day], first: str, last: str) -> int:
    found = Counter(len(d[5].partition(".")[2]) for d in days if first <= d[0][:7] <= last)
    return found.most_common(1)[0][0]


def test_precision_changes_by_period_as_in_the_published_file(
    days: list[Day], real: list[Day]
) -> None:
    for span in (("2009-06", "2011-02"), ("2011-03", "2012-12"), ("2013-01", "2018-12")):
        assert _decimals(days, *span) == _decimals(real, *span)
    assert _decimals(days, "2019-01", "2024-09") >= 14
    assert _decimals(days, "2024-06", "2024-06") == 4


def test_an_extract_made_later_repeats_the_days() -> None:
    old, new = generate_centre(date(2012, 1, 31)), generate_centre(date(2012, 2, 29))
    assert [c[29:] for c in new[:6]] == old[:6]
    assert new[6] == list(range(1, len(new[0]) + 1))
