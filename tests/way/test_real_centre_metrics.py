"""The real contact centre file, byte for byte, through the whole way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.flow.run import run
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.conftest import VOLUME, copy_vancouver, exported
from tests.way.test_answers_independently import centre_years

NAME = "3-1-1-contact-centre-metrics"


def test_the_real_file_yields_what_pandas_yields(
    tmp_path: Path, shared_data: Path, portal: SamplePortal
) -> None:
    real = shared_data / "vancouver-contact-centre-metrics" / f"{NAME}.csv"
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(real, files / f"{NAME}.csv")
    (files / f"{NAME}.csv.json").write_text('{"data_processed": "2024-10-01T13:49:09+00:00"}')
    (files / f"{VOLUME}.csv").write_bytes(exported(portal, VOLUME))
    (files / f"{VOLUME}.csv.json").write_text('{"generated": true}')
    parts = open_city(copy_vancouver(tmp_path / "city"), files=files)
    done = Done(run(parts, lambda _: None).receipts)

    frame = pd.read_csv(real, sep=";", encoding="utf-8-sig")
    landed = done.version("landing/contact-centre-metrics")
    assert landed.rows == len(frame) == 5585
    assert done.version("quarantine/contact-centre-metrics").rows == 0

    sql = "SELECT * FROM curated.centre_month ORDER BY month"
    months = pd.DataFrame(parts.engine.query(sql, done.tables()).to_pylist())
    frame["month"] = frame.Date.str[:7]
    frame["within"] = frame.ServiceLevel * frame.CallsOffered
    frame["waited"] = frame.AverageSpeedofAnswer * frame.CallsHandled
    mine = frame.groupby("month").sum(numeric_only=True)
    assert len(months) == len(mine) == 184
    for row in months.itertuples():
        own = mine.loc[f"{row.month:%Y-%m}"]
        assert (row.offered, row.handled, row.abandoned) == (
            own.CallsOffered, own.CallsHandled, own.CallsAbandoned,
        )  # fmt: skip
        assert row.service_level == pytest.approx(own.within / own.CallsOffered)
        assert row.abandonment == pytest.approx(own.CallsAbandoned / own.CallsOffered)
    complete = dict(zip(months.month.astype(str), months.month_complete, strict=True))
    assert not complete["2009-06-01"], "the centre opened on the 15th"
    assert complete["2024-09-01"]

    answer = load(parts, "service-level", done)
    years = centre_years(frame)
    assert [r["year"] for r in answer.records()] == list(range(2010, 2024)), "2024 has nine months"
    for row in answer.records():
        assert row["service_level"] == pytest.approx(years.service_level[row["year"]])
        assert row["speed_of_answer"] == pytest.approx(years.speed[row["year"]])
    assert not answer.generated, "the real file is the City's; only the volume is generated"
