"""Every answer against a second computation with pandas, from the portal's bytes, not our SQL."""

from __future__ import annotations

import io
import re
from typing import Any

import pandas as pd
import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import UsageError
from cityline.flow.steps.answer import compute, load
from cityline.lake.answer import Answer
from tests.conftest import CENTRE, VOLUME, Ran, exported


@pytest.fixture(scope="module")
def volume(portal: SamplePortal) -> pd.DataFrame:
    body = exported(portal, VOLUME)
    frame = pd.read_csv(io.BytesIO(body), sep=";", encoding="utf-8-sig")
    frame.columns = ["published", "type", "month", "channel", "n", "row"]
    frame["year"] = frame["month"].str[:4].astype(int)
    names = {
        "ENG - Solid Waste": "ENG - Sanitation Services",
        "ENG - Streets": "ENG - Streets Operations",
        "ENG - Water & Sewer": "ENG - Waterworks Operations",
        "PRB - Planning and Operations": "PR - Park Operations",
        "PRB - Administration": "PR - Corporate Services",
        "Public Safety - Fire": "VFRS - Operations - Emergency Services",
        "City Manager's Office": "CMO - City Manager's Office",
        "CSG - Licenses": "DBL - Licence Office",
    }
    frame["department"] = frame["published"].replace(names)
    return frame


def answered(ran: Ran, name: str) -> tuple[Answer, pd.DataFrame]:
    answer = load(ran.parts, name, ran.done)
    return answer, pd.DataFrame(answer.records())


def test_departments(ran: Ran, volume: pd.DataFrame) -> None:
    answer, table = answered(ran, "departments")
    mine = volume[volume.year == 2025].groupby("department").n.sum()
    assert dict(zip(table.department, table.inquiries, strict=True)) == mine.to_dict()
    assert table.share.sum() == pytest.approx(1.0)
    assert f"{mine.max():,}" in answer.sentence
    assert mine.idxmax() in answer.sentence
    assert answer.period is not None
    assert (answer.period.label, answer.period.complete) == ("2025", True)


def test_monthly_trend(ran: Ran, volume: pd.DataFrame) -> None:
    _, table = answered(ran, "monthly-trend")
    mine = volume.groupby("month").n.sum()
    assert dict(zip(table.month.str[:7], table.inquiries, strict=True)) == mine.to_dict()
    assert list(table.month[table.provisional]) == ["2009-02-01"]
    change = table.set_index(table.month.str[:7]).change
    assert change["2024-07"] == pytest.approx(mine["2024-07"] / mine["2023-07"] - 1)
    assert pd.isna(change["2010-02"]), "February 2009 is incomplete, so nothing is compared with it"


def test_by_year(ran: Ran, volume: pd.DataFrame) -> None:
    _, table = answered(ran, "by-year")
    years = volume[volume.year.between(2016, 2025)]
    largest = years.groupby("department").n.sum().nlargest(10).index
    assert set(table.department) == {*largest, "All other departments"}
    for year, rows in table.groupby("year"):
        total = years[years.year == year].n.sum()
        assert rows.share.sum() == pytest.approx(1.0)
        assert rows.inquiries.sum() == total
    top = years[(years.year == 2020) & (years.department == largest[0])].n.sum()
    found = table[(table.year == 2020) & (table.department == largest[0])].inquiries.item()
    assert found == top


def test_compare_years(ran: Ran, volume: pd.DataFrame) -> None:
    answer, table = answered(ran, "compare-years")
    mine = volume[volume.year.isin([2023, 2024])].pivot_table(
        index="department", columns="year", values="n", aggfunc="sum", fill_value=0
    )
    table = table.set_index("department")
    assert table.inquiries_before.to_dict() == mine[2023].to_dict()
    assert table.inquiries.to_dict() == mine[2024].to_dict()
    assert table.contribution.sum() == pytest.approx(1.0)
    small = mine[mine[2023] < 30].index
    assert len(small) > 0
    assert table.loc[small].change.isna().all()
    risen = (mine[2024] - mine[2023]).idxmax()
    assert f"{risen} rose most" in answer.sentence


def test_an_incomplete_year_is_compared_by_the_same_months(ran: Ran, volume: pd.DataFrame) -> None:
    answer = compute(ran.parts, "compare-years", ran.done, {"year": 2026, "compare": 2025})
    assert answer.period is not None
    assert answer.comparison is not None
    assert answer.period.label == "January–July 2026"
    assert answer.comparison.label == "January–July 2025"
    mine = volume[volume.month.between("2025-01", "2025-07")].n.sum()
    assert sum(r["inquiries_before"] for r in answer.records()) == mine
    assert answer.sentence.startswith("January–July 2026 had")


def test_channels(ran: Ran, volume: pd.DataFrame) -> None:
    _, table = answered(ran, "channels")
    mine = volume.groupby(["year", "channel"]).n.sum()
    shares = mine / mine.groupby("year").transform("sum")
    for row in table.itertuples():
        assert row.share == pytest.approx(shares[row.year, row.channel])
    phone = table[(table.year == 2025) & (table.channel == "Phone")]
    expected = (shares[2025, "Phone"] - shares[2024, "Phone"]) * 100
    assert phone["shift"].item() == pytest.approx(expected)


def test_rising(ran: Ran, volume: pd.DataFrame) -> None:
    _, table = answered(ran, "rising")
    mine = volume.pivot_table(index="type", columns="year", values="n", aggfunc="sum", fill_value=0)
    mine = mine[(mine[2025] >= 30) | (mine[2024] >= 30)]
    change = mine[2025] - mine[2024]
    assert table.difference.max() == change.max()
    assert table.difference.min() == change.min()
    assert set(table[table.difference > 0].difference) == set(change[change > 0].nlargest(10))


def test_seasonality(ran: Ran, volume: pd.DataFrame) -> None:
    _, table = answered(ran, "seasonality")
    years = volume[volume.year.between(2010, 2025)]
    months = years.groupby(["year", years.month.str[5:].astype(int).rename("m")]).n.sum()
    ratio = months / months.groupby("year").transform("mean")
    mine = ratio.groupby("m").mean()
    for row in table.itertuples():
        assert row.seasonal_index == pytest.approx(mine[row.month_of_year])
    assert table.seasonal_index.mean() == pytest.approx(1.0)


def test_concentration(ran: Ran, volume: pd.DataFrame) -> None:
    answer, table = answered(ran, "concentration")
    mine = volume[volume.year == 2025].groupby("type").n.sum().sort_values(ascending=False)
    needed = int((mine.cumsum() / mine.sum() < 0.8).sum()) + 1
    assert len(table) == needed
    assert f"{needed} of {len(mine)} types" in answer.sentence


def centre_years(frame: pd.DataFrame) -> pd.DataFrame:
    """Weighted ratios by year, the plain way."""
    frame = frame.assign(
        year=frame.Date.str[:4].astype(int),
        within=frame.ServiceLevel * frame.CallsOffered,
        waited=frame.AverageSpeedofAnswer * frame.CallsHandled,
    )
    sums = frame.groupby("year")[
        ["CallsOffered", "CallsHandled", "CallsAbandoned", "within", "waited"]
    ].sum()
    return sums.assign(
        service_level=sums.within / sums.CallsOffered,
        abandonment=sums.CallsAbandoned / sums.CallsOffered,
        speed=sums.waited / sums.CallsHandled,
    )


def test_service_level(ran: Ran, portal: SamplePortal) -> None:
    body = exported(portal, CENTRE)
    mine = centre_years(pd.read_csv(io.BytesIO(body), sep=";", encoding="utf-8-sig"))
    _, table = answered(ran, "service-level")
    assert list(table.year) == list(range(2010, 2026))
    for row in table.itertuples():
        assert row.offered == mine.CallsOffered[row.year]
        assert row.service_level == pytest.approx(mine.service_level[row.year])
        assert row.abandonment == pytest.approx(mine.abandonment[row.year])
        assert row.speed_of_answer == pytest.approx(mine.speed[row.year])


def test_filters_hold_everywhere(ran: Ran, volume: pd.DataFrame) -> None:
    chosen: dict[str, Any] = {"channel": "Chat", "year": 2024}
    answer = compute(ran.parts, "departments", ran.done, chosen)
    mine = volume[(volume.channel == "Chat") & (volume.year == 2024)].n.sum()
    assert sum(r["inquiries"] for r in answer.records()) == mine
    trend = compute(ran.parts, "monthly-trend", ran.done, {"department": "FSC - Property Tax"})
    assert sum(r["inquiries"] for r in trend.records()) == (
        volume[volume.department == "FSC - Property Tax"].n.sum()
    )


def test_unknown_values_are_refused_with_the_nearest(ran: Ran) -> None:
    with pytest.raises(UsageError, match="Chatt") as caught:
        compute(ran.parts, "departments", ran.done, {"channel": "Chatt"})
    assert "'Chat'" in caught.value.hint
    with pytest.raises(UsageError, match="no data for 1999"):
        compute(ran.parts, "departments", ran.done, {"year": 1999})
    with pytest.raises(UsageError, match="no parameter"):
        compute(ran.parts, "departments", ran.done, {"yaer": 2024})


def test_a_year_without_a_complete_month_is_refused_not_guessed(ran: Ran) -> None:
    same = compute(ran.parts, "compare-years", ran.done, {"year": 2024, "compare": 2024})
    assert same.refused
    assert same.rows == ()
    disjoint = compute(ran.parts, "compare-years", ran.done, {"year": 2026, "compare": 2009})
    assert disjoint.period is not None
    assert disjoint.period.label == "March–July 2026", "February 2009 is incomplete, January absent"


def test_every_number_of_every_sentence_stands_in_its_table(ran: Ran) -> None:
    """Sentences may only say what the table yields."""
    for name in ("departments", "channels", "rising", "concentration", "service-level"):
        answer = load(ran.parts, name, ran.done)
        counts = {f"{v:,}" for row in answer.rows for v in row if isinstance(v, int)}
        for number in re.findall(r"\d{1,3}(?:,\d{3})+", answer.sentence):
            assert number in counts, (name, number)
