"""Drafts of sources: always sound TOML, always a draft, whatever a portal says."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.portals.sample.tables import CENTRE, VOLUME
from cityline.declarations.reading import parse
from cityline.declarations.source import Source
from cityline.ports.portal import Dataset, PortalField
from cityline.stages.discover import describe, draft_source, plain_text, search


def _source(dataset: Dataset) -> Source:
    data: dict[str, Any] = tomllib.loads(draft_source(dataset))
    return parse(Source, data | {"name": "draft"}, "draft.toml")


def _dataset(fields: tuple[PortalField, ...], text: str = "", title: str = "t") -> Dataset:
    return Dataset("d", title, text, "", fields, 1, "", "", "https://p.example/catalog/datasets/d")


def test_search_describe_and_draft_the_sample_volume() -> None:
    with SamplePortal(today=date(2010, 3, 15)) as sample:
        portal = OpendatasoftPortal(Settings(sample.base_url))
        total, rows = search(portal, "volume", 5)
        described = describe(portal, VOLUME)
        source = _source(portal.describe(VOLUME))
        text = draft_source(portal.describe(VOLUME))
        centre = _source(portal.describe(CENTRE))
        assert source.portal == sample.base_url
    assert (total, rows[0].id, rows[0].generated) == (1, VOLUME, True)
    assert described.text.startswith("Generated sample data, not the City's figures.")
    assert source.status == "draft"
    assert "GENERATED" in text
    assert source.cadence == "monthly"
    assert source.grain == ("department", "type", "year_month", "channel")
    assert source.measure == "number_of_records"
    assert [f.type for f in source.fields] == [
        "text", "text", "month", "text", "integer", "integer",
    ]  # fmt: skip
    assert source.fields[5].row_number
    assert source.attribution.endswith("Open Government Licence – Vancouver.")
    assert (centre.grain, centre.measure) == (("date",), None)
    assert [f.type for f in centre.fields][:2] == ["date", "integer"]


_TEXT = st.text(max_size=40)


@given(
    title=_TEXT,
    text=_TEXT,
    fields=st.lists(
        st.builds(
            PortalField,
            name=st.text(min_size=1, max_size=12),
            label=_TEXT,
            type=st.sampled_from(["text", "int", "double", "date", "datetime", "geo_shape", "?"]),
            description=_TEXT,
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda f: f.name,
    ),
)
def test_any_catalogue_makes_a_sound_draft(
    title: str, text: str, fields: list[PortalField]
) -> None:
    source = _source(_dataset(tuple(fields), text, title))
    assert source.status == "draft"
    assert source.title == (title or "d")
    assert [f.label for f in source.fields] == [f.label for f in fields]


@pytest.mark.parametrize(
    ("text", "cadence"),
    [
        ("The extract is updated <b>monthly</b>.", "monthly"),
        ("The dataset refreshes&nbsp;daily on weekdays.", "daily"),
        ("updated weekly", "weekly"),
        ("Published annually", "yearly"),
        ("static", "irregular"),
    ],
)
def test_the_cadence_is_guessed_from_the_portals_words(text: str, cadence: str) -> None:
    assert _source(_dataset((PortalField("a", "A", "text"),), text)).cadence == cadence


def test_html_becomes_one_line() -> None:
    assert plain_text("<div><p>A &amp; B</p>\n<br>  c</div>") == "A & B c"


def test_names_are_made_safe_and_distinct() -> None:
    names = ("Year.Month", "year month", "2020", "é", "geom")
    fields = tuple(PortalField(n, n, "text") for n in names)
    made = [f.name for f in _source(_dataset(fields)).fields]
    assert made == ["year_month", "year_month_2", "column_2020", "column", "geom"]
