"""A figure that changed after it was published is said, everywhere; and an old state stays what it
was."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import feedparser
import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import UsageError
from cityline.flow.rebuilding import rebuild
from cityline.flow.run import run
from cityline.flow.serving import Service
from cityline.flow.steps.outcome import Done
from cityline.guards import govern
from cityline.lake.address import Address
from cityline.lake.version import Version
from cityline.wiring import assemble, open_city
from tests.conftest import TODAY, Ran, copy_vancouver, run_city

KEY = {"key": ["department", "month"], "by": ["month", "department"], "measure": "n"}


def version(engine: DuckEngine, name: str, rows: str) -> Version:
    sql = f"SELECT * FROM (VALUES {rows}) AS t(department, month, n)"
    written = engine.write(sql, {}, f"landing/{name}/data")
    return Version(Address.parse(f"landing/{name}"), name, written.rows, written.files)


def test_two_extracts_are_compared_figure_by_figure(engine: DuckEngine) -> None:
    before = version(
        engine,
        "a",
        "('ENG', DATE '2023-07-01', 4102), ('FSC', DATE '2023-07-01', 10), "
        "('FSC', DATE '2023-08-01', 5), (NULL, DATE '2023-08-01', 1)",
    )
    after = version(
        engine,
        "b",
        "('ENG', DATE '2023-07-01', 4377), ('FSC', DATE '2023-07-01', 10), "
        "('PR', DATE '2023-08-01', 2), (NULL, DATE '2023-08-01', 1), ('ENG', DATE '2023-09-01', 7)",
    )
    found = govern.compare(engine, before, after, **KEY)  # type: ignore[arg-type]
    assert (found.added, found.removed, found.restated, found.same) == (2, 1, 1, 2)
    assert (found.total_before, found.total_after) == (4118, 4397)
    assert found.new == (("2023-09-01", 7),)
    assert [(c.by, c.before, c.after) for c in found.changes] == [
        (("2023-07-01", "ENG"), 4102, 4377),
        (("2023-08-01", "FSC"), 5, None),
        (("2023-08-01", "PR"), None, 2),
    ]
    assert govern.Restatements.from_json(json.loads(json.dumps(found.to_json()))) == found
    explained = sum((c.after or 0) - (c.before or 0) for c in found.changes)
    assert found.total_before + explained + 7 == found.total_after, "every change is accounted for"


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran]:
    """A city run from two extracts a month apart."""
    folder = copy_vancouver(tmp_path_factory.mktemp("twice") / "vancouver")
    with SamplePortal(today=TODAY) as portal:
        first = run_city(folder, portal)
    with SamplePortal(today=date(2026, 9, 17)) as portal:
        second = run_city(folder, portal)
    return first, second


def test_readers_are_told_which_figures_changed(twice: tuple[Ran, Ran]) -> None:
    _, second = twice
    details = second.done.details("prepare/inquiry-volume")
    restated = details["restatements"]
    assert details["cause"] == "source"
    assert [p for p, _ in restated["new"]] == ["2026-08-01"]
    assert restated["changes"], "the sample portal restates a few figures in each extract"
    change = restated["changes"][0]
    line = f"{change['by'][1]}: {change['before']:,} → {change['after']:,} on "
    page = (second.site / "method" / "changes" / "index.html").read_text(encoding="utf-8")
    assert line in page
    assert "August 2026 added:" in page
    assert "The City&#39;s extract is a new one" in page or "City&#39;s extract is a new" in page
    feed = feedparser.parse((second.site / "feed.atom").read_bytes())
    assert any(line in e.content[0].value for e in feed.entries)
    tables = second.done.tables()
    sql = "SELECT sum(inquiries) AS n FROM landing.inquiry_volume WHERE month = $m AND department_current = $d"
    [row] = second.parts.engine.query(
        sql, tables, {"m": date.fromisoformat(change["by"][0]), "d": change["by"][1]}
    ).to_pylist()
    assert int(row["n"]) == change["after"]


def test_an_answer_can_be_asked_as_of_an_earlier_snapshot(twice: tuple[Ran, Ran]) -> None:
    first, second = twice
    service = Service(second.parts)
    (_, _), (old, _) = service.states()
    page = service.page("questions/monthly-trend/", {"snapshot": old}, "en", "public").data.decode()
    kept = json.loads(
        (first.site.parent / "releases" / _site(first) / "files/monthly-trend.json").read_text()
    )
    assert kept["sentence"] in page
    now = service.page(
        "questions/monthly-trend/", {"channel": "Phone"}, "en", "public"
    ).data.decode()
    assert "in August 2026" in now
    assert "in July 2026" in page
    file = service.file("monthly-trend.json", {"snapshot": old}, "en", "public")
    assert json.loads(file.data)["rows"] == kept["rows"]
    with pytest.raises(UsageError, match="no snapshot"):
        service.page("questions/monthly-trend/", {"snapshot": "f" * 16}, "en", "public")


def _site(ran: Ran) -> str:
    return ran.done.version("site/site").id


def test_a_release_is_built_again_byte_for_byte(twice: tuple[Ran, Ran], tmp_path: Path) -> None:
    first, second = twice
    for ran, name in ((first, "first"), (second, "second")):
        release = ran.finished.release
        assert release
        again = rebuild(
            second.parts,
            release.id,
            tmp_path / name,
            lambda folder: assemble(folder, home=second.parts.home),
        )
        assert again.different == ()
        assert again.same_code
        assert again.files > 100
    with pytest.raises(UsageError, match="no release"):
        rebuild(second.parts, "zzz", tmp_path / "x", assemble)
    with pytest.raises(UsageError, match="not empty"):
        rebuild(second.parts, _release(first), tmp_path / "first", assemble)


def _release(ran: Ran) -> str:
    assert ran.finished.release
    return ran.finished.release.id


def test_a_rebuild_notices_a_byte_that_is_not_as_it_was(
    twice: tuple[Ran, Ran], tmp_path: Path
) -> None:
    """The comparison is able to fail: other declarations, another site."""
    _, second = twice
    key = second.parts.ledger.current()
    assert key
    path = Path(second.parts.store.locate(key.summary["declarations"]))
    kept = path.read_bytes()
    try:
        path.write_bytes(kept.replace(b"Which departments receive", b"Which departments got"))
        again = rebuild(
            second.parts, key.id, tmp_path / "x", lambda f: assemble(f, home=second.parts.home)
        )
        assert "questions/departments/index.html" in again.different
    finally:
        path.write_bytes(kept)


@pytest.mark.slow
def test_a_change_of_our_own_cleaning_is_said_to_be_ours(
    twice: tuple[Ran, Ran], tmp_path: Path
) -> None:
    folder = copy_vancouver(tmp_path / "vancouver")
    with SamplePortal(today=TODAY) as portal:
        run_city(folder, portal)
        corrections = folder / "corrections" / "inquiry-volume.toml"
        text = corrections.read_text(encoding="utf-8")
        corrections.write_text(
            text.replace("ENG - Sanitation Services", "ENG - Sanitation"), "utf-8"
        )
        parts = open_city(folder, portal=portal.base_url)
        done = Done(run(parts, lambda _: None).receipts)
    details = done.details("prepare/inquiry-volume")
    assert details["cause"] == "method"
    assert details["restatements"]["total_before"] == details["restatements"]["total_after"]
