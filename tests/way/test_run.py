"""The way end to end over real HTTP: what a user relies on."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import SourceUnreachable
from cityline.flow.checking import compiled
from cityline.flow.run import run
from cityline.flow.shapes import shapes
from cityline.flow.steps.answer import compute, load
from cityline.lake.receipt import Outcome
from cityline.stages.publish.release import verify_release
from cityline.wiring import open_city
from tests.conftest import TODAY, VOLUME, Ran, copy_vancouver, exported, run_city


def test_every_step_leaves_a_receipt_and_readers_see_the_release(ran: Ran) -> None:
    steps = [r.step for r in ran.finished.receipts]
    assert steps[0].startswith("ingest/")
    assert steps[-1] == "publish/site"
    assert all(r.outcome is Outcome.DONE for r in ran.finished.receipts)
    current = ran.parts.ledger.current()
    assert current is not None
    assert current.id == ran.finished.release.id if ran.finished.release else False
    assert set(current.receipts) == set(steps)


def test_raw_is_what_was_received_byte_for_byte(ran: Ran, portal: SamplePortal) -> None:
    raw = ran.done.version("raw/inquiry-volume")
    sent = exported(portal, VOLUME)
    assert ran.parts.store.read(raw.files[0].key) == sent
    beside = raw.files[0].key.replace("data.csv", "headers.json")
    assert json.loads(ran.parts.store.read(beside))["x-cityline-sample"] == "generated"


def test_totals_reconcile_from_the_portal_to_the_answers(ran: Ran, portal: SamplePortal) -> None:
    sent = exported(portal, VOLUME).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sent), delimiter=";"))
    total = sum(int(r["Number of Records"]) for r in rows)
    by_department = Counter[str]()
    for r in rows:
        if r["Year Month"].startswith("2025"):
            by_department[r["Department"]] += int(r["Number of Records"])
    for table in ("volume", "department_channel_month", "department_month", "type_month"):
        sql = f"SELECT sum(inquiries) AS n FROM curated.{table}"
        found = ran.parts.engine.query(sql, ran.done.tables()).to_pylist()[0]["n"]
        assert int(found) == total, table
    answer = load(ran.parts, "departments", ran.done)
    assert {r["department"]: r["inquiries"] for r in answer.records()} == dict(by_department)


def test_a_second_run_does_nothing_and_says_so(ran: Ran) -> None:
    again = run(ran.parts, lambda _: None)
    assert not again.changed
    assert {r.outcome for r in again.receipts} == {Outcome.UNCHANGED}
    assert again.release is not None
    assert ran.finished.release is not None
    assert again.release.id == ran.finished.release.id


def test_changing_one_question_runs_only_what_depends_on_it(
    tmp_path: Path, portal: SamplePortal
) -> None:
    first = run_city(copy_vancouver(tmp_path / "city"), portal)
    question = first.folder / "questions" / "concentration.sql"
    question.write_text(
        question.read_text().replace("cumulative_share - share < 0.8", "place <= 5")
    )
    second = run_city(first.folder, portal)
    done = [r.step for r in second.finished.receipts if r.outcome is Outcome.DONE]
    assert done == ["analyse/concentration", "visualise/concentration", "publish/site"]


def test_a_portal_that_is_down_is_an_error_and_the_answers_stay(
    tmp_path: Path, portal: SamplePortal
) -> None:
    first = run_city(copy_vancouver(tmp_path / "city"), portal)
    before = first.site.resolve()
    settings = first.folder / "environments" / "local.toml"
    settings.write_text(settings.read_text().replace("deadline = 120.0", "deadline = 1.0"))
    parts = open_city(first.folder, portal="http://127.0.0.1:9/api/explore/v2.1")
    with pytest.raises(SourceUnreachable):
        run(parts, lambda _: None)
    assert first.site.resolve() == before
    current = parts.ledger.current()
    assert current is not None
    assert first.finished.release is not None
    assert current.id == first.finished.release.id


def test_the_next_extract_restates_old_months_and_adds_one(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    with SamplePortal(today=TODAY) as now:
        first = run_city(folder, now)
    with SamplePortal(today=date(2026, 9, 17)) as later:
        second = run_city(folder, later)
    old = load(first.parts, "monthly-trend", first.done).records()
    new = load(second.parts, "monthly-trend", second.done).records()
    assert len(new) == len(old) + 1
    assert new[-1]["month"] == "2026-08-01"
    restated = [
        a["month"] for a, b in zip(old, new, strict=False) if a["inquiries"] != b["inquiries"]
    ]
    assert restated
    assert min(restated) >= "2025-01-01"


def test_an_old_snapshot_can_still_be_read(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    with SamplePortal(today=TODAY) as now:
        first = run_city(folder, now)
    with SamplePortal(today=date(2026, 9, 17)) as later:
        second = run_city(folder, later)
    address = first.done.version("curated/volume").address
    past = second.parts.catalog.snapshots(address)
    assert [s.id for s in past] == [
        second.done.version(address).id,
        first.done.version(address).id,
    ]
    old = second.parts.catalog.version(address, past[1].id)
    assert old.rows == first.done.version(address).rows


def test_published_answers_are_computed_again_the_same(ran: Ran) -> None:
    for name in ran.parts.folder.questions:
        kept, again = load(ran.parts, name, ran.done), compute(ran.parts, name, ran.done, {})
        assert (kept.rows, kept.sentence) == (again.rows, again.sentence), name
    assert verify_release(ran.site) == []


def test_verify_names_altered_missing_and_extra_files(tmp_path: Path, portal: SamplePortal) -> None:
    site = run_city(copy_vancouver(tmp_path / "city"), portal).site.resolve()
    (site / "index.html").write_text("forged")
    (site / "files" / "rising.csv").unlink()
    (site / "extra.html").write_text("planted")
    assert verify_release(site) == [
        "files/rising.csv: missing",
        "extra.html: not part of the release",
        "index.html: altered",
    ]


def test_a_source_can_come_from_a_folder(tmp_path: Path, portal: SamplePortal) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for dataset in (VOLUME, "3-1-1-contact-centre-metrics"):
        body = exported(portal, dataset)
        (files / f"{dataset}.csv").write_bytes(body)
        (files / f"{dataset}.csv.json").write_text(
            '{"generated": true, "data_processed": "2026-08-12T13:50:39+00:00"}'
        )
    parts = open_city(copy_vancouver(tmp_path / "city"), files=files)
    finished = run(parts, lambda _: None)
    assert all(r.generated for r in finished.receipts)
    assert run(parts, lambda _: None).changed is False


def test_tables_are_known_before_a_run_as_they_are_after_it(ran: Ran) -> None:
    plans, none = compiled(ran.parts.folder)
    assert none == []
    known = shapes(ran.parts.folder, plans, ran.parts.trial)
    assert known.problems == []
    tables = ran.done.tables()
    assert {"landing.inquiry_volume", "curated.calendar", "curated.type_month"} <= set(tables)
    for name, version in tables.items():
        if name.partition(".")[0] in ("landing", "curated"):
            made = ran.parts.engine.query(f"SELECT * FROM {name} LIMIT 0", {name: version})
            assert made.schema.remove_metadata() == known.tables[name].schema, name
