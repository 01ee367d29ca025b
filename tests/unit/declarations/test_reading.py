"""Declarations: every problem is told, with file, key and the nearest right word."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.declarations.folder import read_folder
from cityline.errors import DeclarationError
from cityline.flow.checking import check_city
from cityline.flow.plan import plan
from cityline.wiring import assemble
from tests.conftest import copy_vancouver


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, file
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_city_has_no_problem(tmp_path: Path) -> None:
    folder = read_folder(copy_vancouver(tmp_path / "city"))
    found = check_city(assemble(folder))
    assert found.model_tests >= 10
    assert found.rules >= 30
    assert len(folder.questions) >= 9


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    spoil(city, "city.toml", "time_zone", "timezone")
    spoil(city, "sources/inquiry-volume.toml", 'cadence = "monthly"', 'cadence = "monthy"')
    spoil(city, "sources/inquiry-volume.toml", "max_shrink", "max_shrnk")
    spoil(city, "questions/departments.sql", "[chart]\n", "[chart]\ncolour = 1\n")
    spoil(city, "models/volume.sql", "/*---", "/*")
    spoil(city, "recipes/inquiry-volume.toml", "[[steps]]", "[[steps]")
    spoil(city, "policies/quality/curated/calendar.dqdl", "IsPrimaryKey", "IsPrimaryKye")
    with pytest.raises(DeclarationError) as caught:
        read_folder(city)
    told = {(p.file, p.key): p.hint for p in caught.value.problems}
    assert told["city.toml", "timezone"] == "did you mean 'time_zone'?"
    assert told["sources/inquiry-volume.toml", "volume.max_shrnk"] == "did you mean 'max_shrink'?"
    assert ("sources/inquiry-volume.toml", "cadence") in told
    assert ("questions/departments.sql", "chart.colour") in told
    assert ("models/volume.sql", "") in told
    assert ("recipes/inquiry-volume.toml", "") in told
    assert (
        told["policies/quality/curated/calendar.dqdl", "line 2"] == "did you mean 'IsPrimaryKey'?"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("models/volume.sql", "reads = [\"landing.inquiry_volume\"]",
         "reads = [\"landing.inquiry_volum\"]", "did you mean 'landing.inquiry_volume'?"),
        ("questions/rising.sql", "curated.type_month\"]", "curated.type_monthh\"]",
         "did you mean 'curated.type_month'?"),
        ("models/channel-month.sql", "inquiries = 7", "inquiries = 8", "which is not among"),
        ("models/channel-month.sql", "sum(inquiries)", "sum(inquirie)", "Binder Error"),
        ("questions/rising.sql", "rose most from {{", "rose most from {% if", "not a template"),
        ("recipes/inquiry-volume.toml", "PARSE_COUNT", "PARSE_COUNTS", "did you mean 'PARSE_COUNT'?"),
        ("policies/quality/curated/calendar.dqdl", "IsPrimaryKey \"source\" \"month\"",
         "DetectAnomalies \"RowCount\"", "are not run here"),
        ("questions/departments.sql", "kind = \"year\"\nsource = \"inquiry-volume\"",
         "kind = \"year\"\nsource = \"inquiry\"", "did you mean 'inquiry-volume'?"),
    ],
)  # fmt: skip
def test_check_finds_what_reading_cannot(
    tmp_path: Path, file: str, old: str, new: str, told: str
) -> None:
    city = copy_vancouver(tmp_path / "city")
    spoil(city, file, old, new)
    with pytest.raises(DeclarationError) as caught:
        check_city(assemble(read_folder(city)))
    assert any(told in f"{p.what} {p.hint}" and p.file == file for p in caught.value.problems), (
        caught.value.problems
    )


def test_models_that_read_each_other_are_named(tmp_path: Path) -> None:
    city = copy_vancouver(tmp_path / "city")
    old = 'reads = ["curated.department_channel_month", "curated.calendar"]'
    spoil(city, "models/department-month.sql", old,
          'reads = ["curated.department_year", "curated.calendar"]')  # fmt: skip
    with pytest.raises(DeclarationError, match="a circle"):
        plan(read_folder(city))


def test_a_folder_that_is_no_city(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"no city\.toml"):
        read_folder(tmp_path)
