"""What the program itself asks is portable too: Spark may prepare a run, Trino may answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.portals.sample import SamplePortal
from cityline.dialect import emit
from cityline.dialect.emission import Target
from cityline.flow.parts import Parts
from cityline.flow.run import run
from cityline.flow.steps.outcome import Done
from cityline.ports.engine import Tables
from cityline.wiring import open_city
from tests.conftest import TODAY, copy_vancouver


class Spoken(DuckEngine):
    """Answers as DuckDB does, after saying each query in the SQL of others."""

    targets: tuple[Target, ...] = ()
    asked = 0

    def query(
        self, sql: str, tables: Tables, parameters: Mapping[str, Any] | None = None
    ) -> pa.Table:
        ask = super().query
        schemas = {
            name: {
                row["column_name"]: row["column_type"]
                for row in ask(f"DESCRIBE SELECT * FROM {name}", {name: table}).to_pylist()
            }
            for name, table in tables.items()
        }
        names = {name: name.replace(".", "__") for name in tables}
        for target in self.targets:
            emit(sql, target, schemas, parameters=parameters, names=names)
        self.asked += 1
        return ask(sql, tables, parameters)


def spoken(parts: Parts, *targets: Target) -> Spoken:
    engine = Spoken(parts.store, work=parts.home / "incoming")
    engine.targets = targets
    return engine


def test_every_query_of_a_run_and_of_a_restatement_is_portable(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    for day in (TODAY, date(2026, 9, 17)):
        with SamplePortal(today=day) as portal:
            parts = open_city(folder, portal=portal.base_url)
            engine, asking = spoken(parts, "spark"), spoken(parts, "spark", "trino")
            done = Done(run(replace(parts, engine=engine, asking=asking), lambda _: None).receipts)
        assert engine.asked > 10
        assert asking.asked > 10
    details = done.details("prepare/inquiry-volume")
    assert "not_compared" not in details
    assert details["restatements"]["restated"] > 0
