"""Files and folders as a portal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cityline.adapters.portals.files import FilesPortal
from cityline.errors import SourceDamaged, SourceRefused


def _made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_single_file_serves_any_dataset(tmp_path: Path) -> None:
    file = _made(tmp_path, "export (3).csv") / "export (3).csv"
    got = FilesPortal(file).export("volume", tmp_path / "out", 100)
    assert (tmp_path / "out").read_bytes() == b"export (3).csv"
    assert got.url == "export (3).csv"


def test_in_a_folder_the_exact_name_wins(tmp_path: Path) -> None:
    portal = FilesPortal(_made(tmp_path, "volume.csv", "volume-2023.csv", "other.csv"))
    portal.export("volume", tmp_path / "out", 100)
    assert (tmp_path / "out").read_bytes() == b"volume.csv"


def test_in_a_folder_one_similar_name_will_do(tmp_path: Path) -> None:
    portal = FilesPortal(_made(tmp_path, "volume (1).csv", "other.csv"))
    portal.export("volume", tmp_path / "out", 100)
    assert (tmp_path / "out").read_bytes() == b"volume (1).csv"


def test_two_similar_names_are_listed(tmp_path: Path) -> None:
    portal = FilesPortal(_made(tmp_path, "volume (1).csv", "volume (2).csv", "other.csv"))
    with pytest.raises(SourceRefused, match="2 files for volume") as caught:
        portal.describe("volume")
    assert caught.value.hint == "found there: volume (1).csv, volume (2).csv"


@pytest.mark.parametrize(("names", "listed"), [((), "no CSV"), (("a.csv", "b.txt"), "a.csv")])
def test_nothing_fitting(tmp_path: Path, names: tuple[str, ...], listed: str) -> None:
    with pytest.raises(SourceRefused, match=r"it needs volume\.csv") as caught:
        FilesPortal(_made(tmp_path, *names)).describe("volume")
    assert listed in caught.value.hint


def test_no_such_path(tmp_path: Path) -> None:
    with pytest.raises(SourceRefused, match="no such file or folder"):
        FilesPortal(tmp_path / "nowhere").describe("volume")
    assert FilesPortal(tmp_path / "nowhere").search("", 5) == (0, [])


def test_the_files_own_time_tells_when_it_changed(tmp_path: Path) -> None:
    file = _made(tmp_path, "volume.csv") / "volume.csv"
    os.utime(file, ns=(0, 1_700_000_000_250_000_000))
    first = FilesPortal(file).describe("volume")
    assert first.data_processed == "2023-11-14T22:13:20.250000+00:00"
    os.utime(file, ns=(0, 1_700_000_000_750_000_000))
    assert FilesPortal(file).describe("volume").data_processed != first.data_processed
    assert not first.generated
    assert first.records_count is None


def test_the_note_beside_a_file(tmp_path: Path) -> None:
    folder = _made(tmp_path, "volume.csv")
    (folder / "volume.csv.json").write_text('{"generated": true, "data_processed": "x"}')
    found = FilesPortal(folder).describe("volume")
    assert found.generated
    assert found.data_processed == "x"
    assert found.metadata["generated"] is True


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_a_note_that_is_none(tmp_path: Path, text: str) -> None:
    folder = _made(tmp_path, "volume.csv")
    (folder / "volume.csv.json").write_text(text)
    with pytest.raises(SourceDamaged, match="JSON"):
        FilesPortal(folder).describe("volume")
