"""A run whose engine has no memory left: the step's failure is kept, readers see the old state, and
the next run completes and leaves no file of the failed one behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import EngineError
from cityline.flow.run import run
from cityline.lake.address import Address
from cityline.lake.receipt import Outcome
from cityline.wiring import open_city
from tests.conftest import copy_vancouver

MODEL = Address.parse("curated/channel-month")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_out_of_memory_is_in_the_ledger_and_the_next_run_completes(
    portal: SamplePortal, tmp_path: Path
) -> None:
    folder = copy_vancouver(tmp_path / "city")
    first = run(open_city(folder, portal=portal.base_url), lambda _: None)
    path = folder / "models" / "channel-month.sql"
    path.write_text(path.read_text("utf-8") + "\n-- another text, the same rows\n", "utf-8")
    parts = open_city(folder, portal=portal.base_url)
    before = [s.id for s in parts.catalog.snapshots(MODEL)]
    small = DuckEngine(FolderStore(parts.home / "lake"), memory_limit="1MB")
    with pytest.raises(EngineError, match="ran out of memory") as caught:
        run(replace(parts, engine=small), lambda _: None)
    assert "memory_limit" in caught.value.hint
    failed = parts.ledger.receipts(limit=1)[0]
    assert (failed.step, failed.outcome) == ("structure/channel-month", Outcome.FAILED)
    assert failed.details["code"] == "ENGINE_ERROR"
    assert [s.id for s in parts.catalog.snapshots(MODEL)] == before
    assert first.release
    current = parts.ledger.current()
    assert current
    assert current.id == first.release.id
    again = run(open_city(folder, portal=portal.base_url), lambda _: None)
    assert again.changed
    kept = [s.id for s in parts.catalog.snapshots(MODEL)]
    live = {f.key for s in kept for f in parts.catalog.version(MODEL, s).files}
    assert set(parts.store.keys(MODEL.key("data"))) == live
