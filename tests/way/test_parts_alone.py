"""The parts of the way run by themselves, each as a machine of its own would: together they are the
whole way, and none builds on a mixture."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import StepError
from cityline.flow.plan import plan
from cityline.flow.run import ALONE, Finished, run
from cityline.flow.steps.outcome import Done
from cityline.lake.receipt import Outcome, Receipt
from cityline.wiring import open_city
from tests.buckets import same_tables
from tests.conftest import copy_vancouver, run_city


def part(folder: Path, portal: SamplePortal, only: str, name: str = "") -> Finished:
    """One part, with the city opened anew."""
    parts = open_city(folder, portal=portal.base_url)
    return run(parts, lambda _: None, only=only, name=name)


def test_the_parts_in_order_are_the_whole_way(tmp_path: Path, portal: SamplePortal) -> None:
    folder = copy_vancouver(tmp_path / "city")
    told: list[Receipt] = []
    for only in ALONE:
        finished = part(folder, portal, only, "r-one")
        assert finished.run == "r-one"
        assert (finished.release is not None) is (only == "publish")
        told += finished.receipts
    parts = open_city(folder, portal=portal.base_url)
    assert [r.step for r in told] == list(plan(parts.folder))
    assert {(r.run, r.outcome) for r in told} == {("r-one", Outcome.DONE)}
    whole = run_city(copy_vancouver(tmp_path / "whole"), portal)
    same_tables((parts, Done(told)), (whole.parts, whole.done))
    assert (parts.site / "current" / "index.html").is_file()
    again = part(folder, portal, "structure")
    assert not again.changed
    assert not run(parts, lambda _: None).changed, "a whole run finds all of it done"


def test_a_part_never_builds_on_a_mixture(tmp_path: Path, portal: SamplePortal) -> None:
    folder = copy_vancouver(tmp_path / "city")
    with pytest.raises(StepError, match="has not been done yet") as caught:
        part(folder, portal, "prepare")
    assert caught.value.where.startswith("ingest/")
    part(folder, portal, "ingest")
    part(folder, portal, "prepare")
    recipe = next((folder / "recipes").glob("*.toml"))
    recipe.write_text(recipe.read_text(encoding="utf-8") + "# another reason\n", encoding="utf-8")
    with pytest.raises(StepError, match="older than what it depends on") as caught:
        part(folder, portal, "structure")
    assert caught.value.where == f"prepare/{recipe.stem}"
    assert "ingest, prepare, structure, publish" in caught.value.hint
    part(folder, portal, "prepare")
    part(folder, portal, "structure")
