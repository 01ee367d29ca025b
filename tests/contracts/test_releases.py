"""A release that one machine puts up and another brings, over each kind of store: whole and as it was
published, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.errors import StoreError
from cityline.stages.publish.release import (
    UP,
    bring,
    put_up,
    switch,
    verify_put_up,
    verify_release,
    write_release,
)
from tests.contracts.places import Place

PAGES = {"index.html": b"one", "static/a.css": b"a", "questions/x/index.html": b"x"}


def published(place: Place, root: Path, pages: dict[str, bytes]) -> str:
    """A machine of its own publishes: it writes a release and puts it up."""
    identity, _ = write_release(root, pages.items())
    switch(root, identity)
    put_up(root / "current", place.open_store())
    return identity


def test_another_machine_brings_what_was_put_up_and_then_the_next(
    place: Place, tmp_path: Path
) -> None:
    """The second one changes a file in place: what was read before is not taken for it."""
    store, here = place.open_store(), tmp_path / "here"
    first = published(place, tmp_path / "there", PAGES)
    bring(here, store, first)
    switch(here, first)
    second = published(place, tmp_path / "there", {**PAGES, "index.html": b"two"})
    assert (here / "current" / "index.html").read_bytes() == b"one"
    bring(here, store, second)
    switch(here, second)
    assert (here / "current" / "index.html").read_bytes() == b"two"
    assert verify_release(here / "current") == []
    assert verify_put_up(store, second) == []


def test_what_is_half_put_up_is_not_brought(place: Place, tmp_path: Path) -> None:
    store, here = place.open_store(), tmp_path / "here"
    identity = published(place, tmp_path / "there", PAGES)
    bring(here, store, identity)
    switch(here, identity)
    with pytest.raises(StoreError, match="not put up, or not wholly") as caught:
        bring(here, store, "promoted-since")
    assert "wait a minute" in caught.value.hint
    place.open_store().write(f"{UP}/index.html", b"of the next release")
    with pytest.raises(StoreError, match="not wholly"):
        bring(tmp_path / "other", store, identity)
    assert not (tmp_path / "other" / "current").exists()
    assert verify_release(here / "current") == []
    assert verify_put_up(store, identity) == ["index.html: altered"]
