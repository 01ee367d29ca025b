"""The engine and the figures keep what their ports promise."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from cityline.adapters.formats.figures import VegaFigures
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.errors import EngineError


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
