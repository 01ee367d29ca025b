"""What every portal promises, over each of them: the live API's client, and files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import pytest

from cityline.adapters.portals.files import FilesPortal
from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.portals.sample.tables import CENTRE, VOLUME, centre_table, volume_table
from cityline.errors import CitylineError, SourceDamaged, SourceError, SourceRefused, StoreError
from cityline.ports.portal import Portal

TODAY = date(2010, 3, 15)
LAST = 2010 * 12 + 1
BYTES = {VOLUME: volume_table(LAST).csv(), CENTRE: centre_table(LAST).csv()}


@contextmanager
def _over_http(_: Path) -> Iterator[Portal]:
    with SamplePortal(today=TODAY) as sample:
        timing = Timing(deadline=20, attempts=2, pause=0.01)
        yield OpendatasoftPortal(Settings(sample.base_url, timing))


@contextmanager
def _over_a_folder(folder: Path) -> Iterator[Portal]:
    place = folder / "given"
    place.mkdir()
    for name, content in BYTES.items():
        (place / f"{name}.csv").write_bytes(content)
        note = {"generated": True, "data_processed": "2010-03-12T13:50:39+00:00"}
        (place / f"{name}.csv.json").write_text(json.dumps(note), encoding="utf-8")
    yield FilesPortal(place)


@pytest.fixture(params=[_over_http, _over_a_folder], ids=["opendatasoft", "files"])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Portal]:
    with request.param(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("dataset", [VOLUME, CENTRE])
def test_an_export_is_the_whole_table_byte_for_byte(
    portal: Portal, tmp_path: Path, dataset: str
) -> None:
    into = tmp_path / "incoming.csv"
    got = portal.export(dataset, into, 50_000_000)
    assert into.read_bytes() == BYTES[dataset]
    assert (got.path, got.bytes) == (into, len(BYTES[dataset]))
    assert got.sha256 == hashlib.sha256(BYTES[dataset]).hexdigest()
    assert got.content_type.startswith("text/csv")
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["incoming.csv"]


def test_a_description_says_when_it_was_made_and_that_it_is_generated(portal: Portal) -> None:
    found = portal.describe(VOLUME)
    assert found.id == VOLUME
    assert found.generated
    assert datetime.fromisoformat(found.data_processed).utcoffset() is not None
    assert datetime.fromisoformat(found.modified).utcoffset() is not None
    assert found.address
    assert found.records_count in (None, BYTES[VOLUME].count(b"\r\n") - 1)


def test_a_search_finds_and_counts(portal: Portal) -> None:
    total, found = portal.search("inquiry", 10)
    assert (total, [d.id for d in found]) == (1, [VOLUME])
    total, found = portal.search("3-1-1", 1)
    assert (total, len(found)) == (2, 1)
    assert portal.search("zoning", 10) == (0, [])


def test_an_unknown_dataset_is_refused_by_name(portal: Portal, tmp_path: Path) -> None:
    for ask in (
        lambda: portal.describe("no-such-dataset"),
        lambda: portal.export("no-such-dataset", tmp_path / "x.csv", 10_000),
    ):
        with pytest.raises(SourceRefused, match="no-such-dataset"):
            ask()
    assert not (tmp_path / "x.csv").exists()


def test_too_large_a_table_leaves_nothing(portal: Portal, tmp_path: Path) -> None:
    into = tmp_path / "incoming.csv"
    into.write_bytes(b"the last good one")
    with pytest.raises(SourceDamaged, match="larger than 1,000 bytes") as caught:
        portal.export(VOLUME, into, 1000)
    assert "max_bytes" in caught.value.hint
    assert into.read_bytes() == b"the last good one"
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["incoming.csv"]


def test_a_folder_that_is_not_there_is_an_error_of_the_store(
    portal: Portal, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        portal.export(VOLUME, tmp_path / "nowhere" / "x.csv", 50_000_000)


def test_errors_have_three_parts(portal: Portal) -> None:
    with pytest.raises(SourceError) as caught:
        portal.describe("no-such-dataset")
    error: CitylineError = caught.value
    assert error.what
    assert error.where
    assert error.hint
