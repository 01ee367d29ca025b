"""The store, the ledger, the catalogue and the figures keep what their ports promise."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from cityline.adapters.formats.figures import VegaFigures
from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.ledger import SqliteLedger
from cityline.adapters.local.store import FolderStore
from cityline.errors import EngineError
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release

X = Address(Zone.CURATED, "x-y")


def receipt(step: str, run: str = "r-1", outcome: Outcome = Outcome.DONE) -> Receipt:
    return Receipt(run, step, outcome, "f", "2026-01-01T00:00:00+00:00", 0.1)


def test_a_file_of_another_file_system_is_adopted_whole(tmp_path: Path) -> None:
    elsewhere = Path("/dev/shm")  # noqa: S108 - another file system on every Linux
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system here")
    store = FolderStore(tmp_path / "lake")
    file = elsewhere / f"cityline-{tmp_path.name}-{os.getpid()}"
    file.write_bytes(b"moved")
    store.adopt(file, "a/b")
    assert store.read("a/b") == b"moved"
    assert not file.exists()
    assert [p.name for p in (tmp_path / "lake" / "a").iterdir()] == ["b"]


def test_a_ledger_keeps_receipts_in_order_and_promotes_at_once(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path)
    assert ledger.current() is None
    ledger.record(receipt("ingest/x"))
    ledger.record(receipt("prepare/x", outcome=Outcome.FAILED))
    ledger.record(receipt("ingest/x", run="r-2"))
    assert [r.run for r in ledger.receipts(step="ingest/x")] == ["r-2", "r-1"]
    last = ledger.last("ingest/x")
    assert last is not None
    assert last.run == "r-2"
    assert ledger.last("prepare/x") is None, "a failed step has no outcome to stand on"
    release = Release("id", "r-2", "2026-01-01", {"ingest/x": receipt("ingest/x", "r-2")})
    ledger.promote(release, {})
    current = SqliteLedger(tmp_path).current()
    assert current is not None
    assert current.receipts["ingest/x"].run == "r-2"


def test_a_catalogue_replaces_rows_and_keeps_the_past(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "lake")
    engine, catalog = DuckEngine(store), IcebergCatalog(tmp_path, store)
    versions = []
    for i, columns in enumerate(("a", "a, 1 AS b", "a")):
        table = pa.table({"a": list(range(i, 3))})
        written = engine.write(f"SELECT {columns} FROM t", {"t": table}, X.key("data", str(i)))
        versions.append(catalog.commit(X, written, properties={"cityline.run": f"r-{i}"}))
    assert [s.rows for s in catalog.snapshots(X)] == [1, 2, 3]
    assert [s.run for s in catalog.snapshots(X)] == ["r-2", "r-1", "r-0"]
    for version in versions:
        assert catalog.version(X, version.id) == version
    sql = "SELECT count(*) AS n FROM curated.x_y"
    assert engine.query(sql, {"curated.x_y": versions[0]}).to_pylist() == [{"n": 3}]
    orphan = engine.write("SELECT 1 AS a", {}, X.key("data", "orphan"))
    gone = catalog.expire(X, 1, frozenset({versions[0].id}))
    assert set(gone) == {versions[1].files[0].key, orphan.files[0].key}
    assert [s.id for s in catalog.snapshots(X)] == [versions[2].id, versions[0].id]


def test_an_engine_answers_many_at_once(engine: DuckEngine) -> None:
    table = pa.table({"n": list(range(1000))})
    found: list[int] = []

    def ask() -> None:
        for _ in range(20):
            rows = engine.query("SELECT sum(n) AS s FROM t WHERE n < $k", {"t": table}, {"k": 10})
            found.append(int(rows.to_pylist()[0]["s"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [45] * 80


def test_an_engine_names_the_statement_it_cannot_run(engine: DuckEngine) -> None:
    with pytest.raises(EngineError, match="no_such") as caught:
        engine.query("SELECT no_such FROM (SELECT 1 AS a)", {})
    assert caught.value.where.startswith("SELECT no_such")


def test_text_is_measured_with_the_font_the_pages_show() -> None:
    def width(font: str) -> float:
        spec = {
            "data": {"values": [{"a": "ENG - Traffic and Electrical Operations", "b": 1}]},
            "mark": "bar",
            "width": 50,
            "encoding": {
                "y": {"field": "a", "axis": {"labelLimit": 0, "labelFont": font, "title": None}},
                "x": {"field": "b", "type": "quantitative"},
            },
        }
        found = re.search(r'width="([\d.]+)"', VegaFigures().draw([spec])[0])
        assert found
        return float(found[1])

    assert width("Inter") != width("No Such Font")


def test_a_chart_that_cannot_be_drawn_is_an_error() -> None:
    with pytest.raises(EngineError, match="cannot be drawn"):
        VegaFigures().draw([{"mark": "no-such-mark"}])


def test_many_pictures_are_drawn_side_by_side_and_kept(tmp_path: Path) -> None:
    def spec(n: int) -> dict[str, object]:
        return {"data": {"values": [{"a": n}]}, "mark": "bar", "title": f"number {n}",
                "encoding": {"x": {"field": "a", "type": "quantitative"}}}  # fmt: skip

    specs = [spec(n) for n in range(14)]
    alone = [VegaFigures().draw([s])[0] for s in specs]
    kept = VegaFigures(tmp_path)
    assert kept.draw(specs) == alone
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    (drawn,) = [p for p in files if "number 3<" in p.read_text(encoding="utf-8")]
    drawn.write_text("<svg>kept</svg>", encoding="utf-8")
    assert kept.draw([spec(3)]) == ["<svg>kept</svg>"]
    bad = [{"mark": "no-such-mark", "title": str(n)} for n in range(14)]
    with pytest.raises(EngineError, match="cannot be drawn"):
        kept.draw(bad)


def test_a_pdf_of_the_same_picture_is_the_same_file() -> None:
    text = '<text y="20" font-family="Inter" font-weight="600">a</text><text y="40">b</text>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60">{text}</svg>'
    assert len({VegaFigures().pdf(svg) for _ in range(12)}) == 1
