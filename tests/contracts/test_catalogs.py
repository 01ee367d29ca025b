"""One suite for every catalogue of tables: a file of this machine, and AWS's Glue."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.errors import CatalogError
from cityline.lake.address import Address, Zone
from cityline.ports.catalog import Catalog
from cityline.ports.store import Store
from tests.contracts.places import Place

X = Address(Zone.CURATED, "x-y")


@pytest.fixture
def engine(place: Place, tmp_path: Path) -> DuckEngine:
    return DuckEngine(place.open_store(), work=tmp_path / "work")


def committed(place: Place, engine: DuckEngine, sql: str, at: str, address: Address = X) -> None:
    place.open_catalog().commit(address, engine.write(sql, {}, address.key("data", at)))


def test_a_commit_replaces_rows_and_keeps_the_past(place: Place, engine: DuckEngine) -> None:
    catalog, store = place.open_catalog(), place.open_store()
    versions = []
    for i, columns in enumerate(("a, a % 2 AS p", "a, a % 2 AS p, 1 AS b", "a, a % 2 AS p")):
        sql = f"SELECT {columns} FROM range({i}, 5) t(a)"
        written = engine.write(sql, {}, X.key("data", str(i)), partition_by=("p",), order_by=("a",))
        marks = {"cityline.run": f"r-{i}"}
        versions.append(catalog.commit(X, written, partition_by=("p",), properties=marks))
    other = place.open_catalog()
    assert [(s.rows, s.run) for s in other.snapshots(X)] == [(3, "r-2"), (4, "r-1"), (5, "r-0")]
    assert [s.id for s in other.snapshots(X)] == [v.id for v in reversed(versions)]
    for version in versions:
        assert other.version(X, version.id) == version
        asked = engine.query("SELECT count(*) AS n FROM it", {"it": version}).to_pylist()
        assert asked == [{"n": version.rows}]
    assert other.version(X) == versions[-1]
    orphan = engine.write("SELECT 1 AS a", {}, X.key("data", "orphan"))
    gone = catalog.expire(X, 1, frozenset({versions[0].id}))
    assert set(gone) == {f.key for f in (*versions[1].files, *orphan.files)}
    assert [s.id for s in other.snapshots(X)] == [versions[2].id, versions[0].id]
    for key in gone:
        store.remove(key)
    assert place.open_catalog().version(X, versions[0].id) == versions[0]


def test_a_table_without_rows_is_a_table(place: Place, engine: DuckEngine) -> None:
    committed(place, engine, "SELECT 1 AS a WHERE false", "0")
    assert place.open_catalog().version(X).rows == 0


def test_what_is_not_there_is_said(place: Place, engine: DuckEngine) -> None:
    catalog = place.open_catalog()
    assert catalog.snapshots(X) == []
    with pytest.raises(CatalogError, match="no such table"):
        catalog.version(X)
    committed(place, engine, "SELECT 1 AS a", "0")
    with pytest.raises(CatalogError, match="no such snapshot"):
        catalog.version(X, "12345")


def test_zones_with_tables_of_one_name_do_not_meet(place: Place, engine: DuckEngine) -> None:
    zones = (Zone.LANDING, Zone.QUARANTINE, Zone.CURATED)
    for rows, zone in enumerate(zones, 1):
        address = Address(zone, "same-name")
        committed(place, engine, f"SELECT a FROM range({rows}) t(a)", "0", address)
    catalog = place.open_catalog()
    assert [catalog.version(Address(z, "same-name")).rows for z in zones] == [1, 2, 3]


def test_of_two_writers_one_is_told_and_nothing_is_lost(
    place: Place, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(place, engine, "SELECT 1 AS a", "0")
    slow, quick = place.open_catalog(), place.open_catalog()
    written = [engine.write(f"SELECT {n} AS a", {}, X.key("data", str(n))) for n in (2, 3)]
    _between(slow, monkeypatch, lambda: quick.commit(X, written[0]))
    with pytest.raises(CatalogError, match="another writer changed the table") as caught:
        slow.commit(X, written[1])
    assert caught.value.hint == "run again"
    version = place.open_catalog().version(X)
    found = engine.query("SELECT a FROM it", {"it": version}).to_pylist()
    assert found == [{"a": 2}], "what the first wrote stands"


def _between(catalog: Catalog, patch: pytest.MonkeyPatch, act: object) -> None:
    """Let another writer in after this one has read the table, and before it commits."""
    from pyiceberg.table import Table, Transaction  # noqa: PLC0415 - heavy

    commit = Transaction.commit_transaction
    done: list[bool] = []

    def meanwhile(self: Transaction) -> Table:
        if not done:
            done.append(True)
            act()  # type: ignore[operator]
        return commit(self)

    patch.setattr(Transaction, "commit_transaction", meanwhile)


def test_files_of_another_lake_are_not_taken(place: Place, engine: DuckEngine) -> None:
    committed(place, engine, "SELECT 1 AS a", "0")
    store: Store = place.open_store()
    at = store.locate(X.key("data"))
    assert store.key(at) == X.key("data")
    with pytest.raises(Exception, match="another lake") as caught:
        store.key(at.replace("curated", "cured", 1) if place.side == "aws" else "/elsewhere/x")
    assert "a home of its own" in str(caught.value)
