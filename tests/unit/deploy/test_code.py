"""What the jobs run, named by its hash."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tools.wheels import pack

from cityline.declarations.folder import read_folder
from cityline.deploy.code import pieces, unpacked
from cityline.errors import StoreError, UsageError
from tests.conftest import ROOT, copy_vancouver


def wheels(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(name.encode())
    target = folder / "cityline-x86_64.gluewheels.zip"
    assert pack(folder, target) == len(names)
    return target


def test_the_same_is_called_the_same_and_another_otherwise(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    names = ("cityline-1-py3-none-any.whl", "x-2-py3-none-any.whl")
    one = wheels(tmp_path / "one", *names)
    first = {p.parameter: p.key for p in pieces(read_folder(city, "aws"), one)}
    assert first == {
        p.parameter: p.key
        for p in pieces(read_folder(city, "aws"), wheels(tmp_path / "two", *names))
    }
    assert set(first) == {"ScriptKey", "CityKey", "WheelsKey"}
    assert first["WheelsKey"].startswith("wheels/cityline-x86_64-")
    assert first["WheelsKey"].endswith(".gluewheels.zip")
    (city / "city.toml").write_text((city / "city.toml").read_text() + "# so\n")
    other = wheels(tmp_path / "three", *names, "y-1-py3-none-any.whl")
    after = {p.parameter: p.key for p in pieces(read_folder(city, "aws"), other)}
    assert {k for k in first if first[k] != after[k]} == {"CityKey", "WheelsKey"}


def test_a_city_comes_out_of_its_zip_as_it_went_in(tmp_path: Path) -> None:
    folder = read_folder(ROOT / "cities" / "vancouver", "aws")
    (piece,) = [p for p in pieces(folder, None) if p.parameter == "CityKey"]
    (tmp_path / "city.zip").write_bytes(piece.data)
    found = read_folder(unpacked(tmp_path / "city.zip", tmp_path / "city"), "aws")
    assert found.digest("") == folder.digest("")


def test_the_script_is_the_package_own(tmp_path: Path) -> None:
    (piece,) = [p for p in pieces(read_folder(ROOT / "cities" / "vancouver", "aws"), None)
                if p.parameter == "ScriptKey"]  # fmt: skip
    assert piece.data == (ROOT / "src" / "cityline" / "cli" / "job.py").read_bytes()


def test_what_is_no_zip_of_wheels_is_refused(tmp_path: Path) -> None:
    folder = read_folder(ROOT / "cities" / "vancouver", "aws")
    (tmp_path / "no.zip").write_bytes(b"no")
    others = wheels(tmp_path / "others", "x-1-py3-none-any.whl")
    for path, what in (
        (tmp_path / "none.zip", "no zip of wheels"),
        (tmp_path / "no.zip", "no zip of wheels"),
        (others, "no wheel of cityline"),
    ):
        with pytest.raises(UsageError, match=what) as caught:
            pieces(folder, path)
        assert "tools/wheels.py" in caught.value.hint


def test_a_zip_may_not_leave_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../out.txt", "x")
    with pytest.raises(StoreError, match="would leave"):
        unpacked(tmp_path / "bad.zip", tmp_path / "in")
    assert not (tmp_path / "out.txt").exists()
    (tmp_path / "no.zip").write_bytes(b"no")
    with pytest.raises(StoreError, match="no zip"):
        unpacked(tmp_path / "no.zip", tmp_path / "in")
