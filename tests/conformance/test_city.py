"""A whole city on Spark: the same tables, the same receipts; and a session that dies."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.spark.engine import SparkEngine
from cityline.dialect import emit
from cityline.errors import SessionLost
from cityline.flow.parts import Parts
from cityline.flow.run import run
from cityline.flow.steps.outcome import Done
from cityline.ports.engine import Engine
from cityline.wiring import open_city
from tests.buckets import same_tables
from tests.conformance.test_typed import LONG, WHILE, many
from tests.conftest import ROOT, Ran

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]


def opened(home: Path, portal: SamplePortal, engine: Engine) -> Parts:
    parts = open_city(ROOT / "cities" / "vancouver", home=home, portal=portal.base_url)
    catalog = IcebergCatalog(home, FolderStore(home / "lake"), shared=True)
    return replace(parts, engine=engine, catalog=catalog)


def structured(parts: Parts) -> Done:
    return Done(run(parts, lambda *_: None, until="structure").receipts)


def test_a_city_on_spark_has_the_same_tables_and_receipts(
    ran: Ran, spark: Engine, portal: SamplePortal, tmp_path: Path
) -> None:
    spark.session().stop()  # type: ignore[attr-defined] # the session knows one catalogue
    from tests.conformance.servers import spark_engine  # noqa: PLC0415 - an extra

    own = spark_engine(tmp_path)
    try:
        parts = opened(tmp_path, portal, own)
        done = structured(parts)
        same_tables((parts, done), (ran.parts, ran.done))
        assert told_otherwise(ran, done) == []
        _dies_and_is_run_again(parts, own, done)
    finally:
        own.session().stop()


def told_otherwise(ran: Ran, done: Done) -> list[tuple[str, str]]:
    """The steps whose totals, reasons or verdicts are not those of DuckDB's run, each with which."""
    found = []
    for step, receipt in done.receipts.items():
        here, there = receipt.details, ran.done.receipts[step].details
        found += [(step, k) for k in ("totals", "reasons") if here.get(k) != there.get(k)]
        if _verdicts(here) != _verdicts(there):
            found.append((step, "verdicts"))
    return found


def _verdicts(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(v["rule"], v["outcome"]) for v in details.get("verdicts", ())]


def _dies_and_is_run_again(parts: Parts, engine: SparkEngine, done: Done) -> None:
    """A session stopped under a query, or after its tables were bound: an error by its kind, the old
    tables stay, a new one completes."""
    version = done.tables()["curated.calendar"]
    before = [s.id for s in parts.catalog.snapshots(version.address)]
    stopping = threading.Timer(4, engine.session().stop)
    stopping.start()
    with pytest.raises(SessionLost, match="nothing was promoted"):
        engine.write(LONG, many(WHILE), version.address.key("data", "dead"))
    stopping.join()
    assert engine.query("SELECT 1 AS one", {}).to_pylist() == [{"one": 1}]
    with pytest.MonkeyPatch.context() as patched:

        def stopped_first(*given: Any, **asked: Any) -> str:
            engine.session().stop()
            return emit(*given, **asked)

        patched.setattr("cityline.adapters.spark.engine.emit", stopped_first)
        with pytest.raises(SessionLost, match="nothing was promoted"):
            engine.query("SELECT count(*) AS n FROM it", {"it": version})
    assert [s.id for s in parts.catalog.snapshots(version.address)] == before
    again = engine.query("SELECT count(*) AS n FROM it", {"it": version}).to_pylist()
    assert again == [{"n": version.rows}]
