"""Two bundles, never one: what is internal is in no public page, file or feed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.cli.program import run as cityline
from cityline.errors import UsageError
from cityline.flow.serving import Service
from cityline.stages.publish.release import verify_release
from tests.conftest import Ran, copy_vancouver, run_city


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """A city whose question about channels is internal."""
    folder = copy_vancouver(tmp_path_factory.mktemp("bundles") / "vancouver")
    path = folder / "questions" / "channels.sql"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("order = 5\n", 'order = 5\naudience = "internal"\n'), "utf-8")
    return run_city(folder, portal)


def test_the_public_bundle_holds_nothing_internal(
    kept: Ran, portal: SamplePortal, tmp_path: Path
) -> None:
    city = ["--city", str(kept.folder), "--portal", portal.base_url, "-q"]
    public, internal = tmp_path / "public", tmp_path / "internal"
    assert cityline(["publish", "--out", str(public), *city]) == 0
    assert cityline(["publish", "--access", "internal", "--out", str(internal), *city]) == 0
    assert verify_release(public) == []
    assert verify_release(internal) == []
    assert (internal / "questions" / "channels" / "index.html").is_file()
    assert not (public / "questions" / "channels").exists()
    for path in public.rglob("*"):
        if path.suffix in (".html", ".json", ".atom", ".csv"):
            text = path.read_text(encoding="utf-8")
            assert "Through which channels do inquiries come" not in text, path
    assert cityline(["publish", "--access", "internal", *city]) == 2, "it needs a folder of its own"


def test_a_server_shows_it_to_people_who_are_signed_in(kept: Ran) -> None:
    service = Service(kept.parts)
    with pytest.raises(UsageError, match="no question"):
        service.page("questions/channels/", {}, "en", "public")
    with pytest.raises(UsageError, match="no question"):
        service.file("channels.csv", {}, "en", "public")
    page = service.page("questions/channels/", {}, "en", "internal").data.decode()
    assert "Through which channels do inquiries come" in page


def test_a_city_may_publish_to_nobody(tmp_path: Path, portal: SamplePortal) -> None:
    folder = copy_vancouver(tmp_path / "vancouver")
    path = folder / "city.toml"
    path.write_text('publish = "internal"\n' + path.read_text(encoding="utf-8"), encoding="utf-8")
    ran = run_city(folder, portal)
    city = ["--city", str(folder), "--portal", portal.base_url, "-q"]
    assert cityline(["publish", "--out", str(tmp_path / "x"), *city]) == 2
    assert not (tmp_path / "x").exists()
    assert not Service(ran.parts).public
    assert cityline(["publish", "--access", "internal", "--out", str(tmp_path / "y"), *city]) == 0
