"""The generated volumes against what is known of the published ones, each within a tolerance."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from cityline.adapters.portals.sample.parameters import month_number, month_text
from cityline.adapters.portals.sample.tables import volume_table
from cityline.adapters.portals.sample.volume import generate_volume


@dataclass(frozen=True)
class Line:
    department: str
    type: str
    month: str
    channel: str
    count: int


def _lines(last: str) -> list[Line]:
    columns: Any = volume_table(month_number(last)).columns
    return [Line(*cells) for cells in zip(*columns[:5], strict=True)]


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return _lines("2026-07")


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    file = shared_data / "vancouver-inquiry-volume-evidence" / "aggregate-facts.json"
    if not file.is_file():
        pytest.skip("the evidence is not here")
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def shares(shared_data: Path) -> list[dict[str, str]]:
    file = shared_data / "vancouver-inquiry-volume-evidence" / "department-shares.csv"
    if not file.is_file():
        pytest.skip("the evidence is not here")
    with file.open(encoding="utf-8") as read:
        return list(csv.DictReader(read))


def _of(lines: list[Line], first: str, last: str) -> Iterator[Line]:
    return (x for x in lines if first <= x.month <= last)


def test_rows_in_all(lines: list[Line], facts: dict[str, Any]) -> None:
    """Within 1 % of both known counts."""
    for known in facts["records_count"]:
        last = month_text(month_number(known["date"][:7]) - 1)
        made = sum(1 for _ in _of(lines, "2009-02", last))
        assert made == pytest.approx(known["rows"], rel=0.01)


def test_rows_departments_and_types_of_known_months(
    lines: list[Line], facts: dict[str, Any]
) -> None:
    """Rows within 7 %, departments within 3, types within 6."""
    for known in facts["rows_per_month"]:
        month = list(_of(lines, known["month"], known["month"]))
        assert len(month) == pytest.approx(known["rows"], rel=0.07)
        assert len({x.department for x in month}) == pytest.approx(known["departments"], abs=3)
        assert len({x.type for x in month}) == pytest.approx(known["types"], abs=6)
    rows = Counter(x.month for x in lines if x.month > "2009-02")
    assert 265 <= min(rows.values()) <= max(rows.values()) <= 350


def test_departments_have_their_shares(lines: list[Line], shares: list[dict[str, str]]) -> None:
    """All 86 departments and no other, each within 0.05 percentage points, in both years."""
    spans = (
        ("2023-01", "2023-12", "share_of_inquiries_2023_pct"),
        ("2024-01", "2024-07", "share_of_inquiries_2024_jan_jul_pct"),
    )
    for first, last, column in spans:
        made: Counter[str] = Counter()
        for line in _of(lines, first, last):
            made[line.department] += line.count
        total = sum(made.values())
        assert set(made) <= {s["department"] for s in shares}
        for known in shares:
            share = 100 * made[known["department"]] / total
            assert share == pytest.approx(float(known[column]), abs=0.05), known["department"]


def test_channels_have_their_totals(lines: list[Line], facts: dict[str, Any]) -> None:
    """Phone within 6 %, chat within 20 % of each known total; the small ones stay below 1 %."""
    for known in facts["channel_totals"]:
        first, _, last = known.get("months", known.get("month", "")).partition("..")
        made: Counter[str] = Counter()
        for line in _of(lines, first, last or first):
            made[line.channel] += line.count
        assert made["Phone"] == pytest.approx(known["Phone"], rel=0.06)
        assert made["Chat"] == pytest.approx(known["Chat"], rel=0.20)
        small = sum(made.values()) - made["Phone"] - made["Chat"]
        assert small < 0.01 * sum(made.values())
    assert {x.channel for x in lines} == {"Phone", "Chat", "E-mail", "Social Media", "Mail"}


def test_rows_by_channel(lines: list[Line], facts: dict[str, Any]) -> None:
    known = facts["channel_rows_2024_07"]
    rows = Counter(x.channel for x in _of(lines, "2024-07", "2024-07"))
    for channel in ("Phone", "Chat", "E-mail"):
        assert rows[channel] == pytest.approx(known[channel], abs=6)
    sample = facts["profile_first_500_rows_of_a_2023_export"]["channel_rows"]
    rows = Counter(x.channel for x in _of(lines, "2023-01", "2023-12"))
    for channel in ("Phone", "Chat", "E-mail"):
        share = rows[channel] / rows.total()
        assert share == pytest.approx(sample[channel] / 500, abs=0.04)


def test_skew(lines: list[Line], facts: dict[str, Any]) -> None:
    """The median row of 2023 within 4 of 13, its mean between what chart and sample say."""
    counts = [x.count for x in _of(lines, "2023-01", "2023-12")]
    known = facts["profile_first_500_rows_of_a_2023_export"]["number_of_records"]
    assert min(counts) == known["min"] == 1
    assert median(counts) == pytest.approx(known["median"], abs=4)
    assert 85 < sum(counts) / len(counts) < known["mean"]


def test_level_breaks_and_maxima(lines: list[Line], facts: dict[str, Any]) -> None:
    """The mean of a row within 2 %, its maximum within 3 %, in every year of the chart."""
    chart = facts["yearly_from_portal_chart_approximate"]
    for year in range(2009, 2026):
        counts = [x.count for x in _of(lines, f"{year}-01", f"{year}-12")]
        mean = chart["average"][str(year)]
        assert sum(counts) / len(counts) == pytest.approx(mean, rel=0.02), year
        assert max(counts) == pytest.approx(chart["maximum"][str(year)], rel=0.03), year


def test_rows_of_departments_over_the_whole_history(
    lines: list[Line], facts: dict[str, Any]
) -> None:
    """Within 10 % of the portal's own list of August 2024, old names among them."""
    rows: Counter[str] = Counter()
    for line in _of(lines, "2009-02", "2024-07"):
        rows[line.department.partition(" - ")[0]] += 1
    for name, known in facts["department_facet_rows_2024_08_27"].items():
        if isinstance(known, int):
            assert rows[name] == pytest.approx(known, rel=0.10, abs=3), name


def test_departments_come_go_and_are_renamed(lines: list[Line]) -> None:
    months: dict[str, set[str]] = {}
    for line in lines:
        months.setdefault(line.department, set()).add(line.month)
    assert min(months["FIFA World Cup 2026"]) >= "2023-01"
    assert max(months["PDS - Landscape"]) == "2023-12"
    assert max(months["ENG - Solid Waste"]) < min(months["ENG - Sanitation Services"])
    assert max(months["Public Safety - Fire"]) < "2022-01"
    assert {"City Administration", "CSG - Licenses", "PRB - Administration"} <= set(months)


def test_every_month_is_there_and_keys_are_unique(lines: list[Line]) -> None:
    months = sorted({x.month for x in lines})
    numbers = [month_number(m) for m in months]
    assert (months[0], months[-1]) == ("2009-02", "2026-07")
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    keys = {(x.department, x.type, x.month, x.channel) for x in lines}
    assert len(keys) == len(lines)
    assert min(x.count for x in lines) == 1


def test_seasons(lines: list[Line]) -> None:
    tax = Counter[str]()
    for line in _of(lines, "2023-01", "2023-12"):
        if line.department == "FSC - Property Tax":
            tax[line.month] += line.count
    assert tax.most_common(1)[0][0] == "2023-07"
    assert tax["2023-02"] > max(tax["2023-01"], tax["2023-03"])


def test_the_next_extract_adds_a_month_and_restates_a_few_old_counts() -> None:
    old, new = _lines("2026-06"), _lines("2026-07")
    before = {(x.department, x.type, x.month, x.channel): x.count for x in old}
    after = {(x.department, x.type, x.month, x.channel): x.count for x in new}
    added = set(after) - set(before)
    assert {k[2] for k in added} == {"2026-07"}
    assert len(added) == pytest.approx(336, abs=25)
    assert not set(before) - set(after)
    changed = {k for k in before if before[k] != after[k]}
    assert 1 <= len(changed) <= 20
    assert all(after[k] > before[k] for k in changed)


def test_the_same_month_makes_the_same_bytes() -> None:
    last = month_number("2011-05")
    assert volume_table(last).csv() == volume_table(last).csv()


def test_it_begins_with_the_collection() -> None:
    assert {month_text(m) for m in generate_volume(month_number("2009-03")).months} == {
        "2009-02",
        "2009-03",
    }
