"""One suite for every store: the folder, a bucket of a real server, and AWS's bucket for each zone
in the emulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from cityline.adapters.aws.store import S3Store
from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.declarations.environment import Lake
from cityline.errors import StoreError
from cityline.lake.address import Address, Zone
from cityline.ports.store import Store
from tests.aws.emulator import Emulator
from tests.buckets import lake
from tests.contracts.places import REGION, as_owner
from tests.s3server import Server

X = Address(Zone.CURATED, "x-y")


@pytest.fixture(
    params=[
        "folder",
        *(pytest.param(k, marks=pytest.mark.engines) for k in ("bucket", "prefix")),
        pytest.param("zones", marks=pytest.mark.aws),
    ]
)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """Each kind of store, empty."""
    if request.param == "folder":
        yield FolderStore(tmp_path / "lake")
        return
    if request.param == "zones":
        emulator: Emulator = request.getfixturevalue("aws")
        yield zones(emulator, tmp_path, monkeypatch)
        return
    server: Server = request.getfixturevalue("s3")
    bucket = server.bucket(f"store-{uuid4().hex[:8]}")
    prefix = "" if request.param == "bucket" else "/city/lake"
    yield S3Store(lake(server, bucket, prefix), tmp_path / "cache")


def zones(emulator: Emulator, folder: Path, patch: pytest.MonkeyPatch) -> S3Store:
    """A lake of three buckets: what begins with `a` or `ab` has its own."""
    as_owner(emulator, patch)
    names = [f"{kind}-{uuid4().hex[:8]}" for kind in ("lake", "a", "ab")]
    for name in names:
        where = {"LocationConstraint": REGION}
        emulator.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    declared = Lake(address=f"s3://{names[0]}", region=REGION, deadline=20)
    return S3Store(declared, folder / "cache", {"a": names[1], "ab": names[2]})


def test_a_zone_lies_in_its_own_bucket_and_is_found_there(
    aws: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = zones(aws, tmp_path, monkeypatch)
    for key in ("a/x", "ab/x", "b/x"):
        store.write(key, b"1")
    places = [store.locate(key) for key in ("a/x", "ab/x", "b/x")]
    assert len({p.split("/")[2] for p in places}) == 3
    assert [store.key(p) for p in places] == ["a/x", "ab/x", "b/x"]
    assert store.keys("") == ["a/x", "ab/x", "b/x"]
    with pytest.raises(StoreError, match="another lake"):
        store.key(places[0].replace("/a/", "/ab/"))
    store.remove("a")
    assert store.keys("") == ["ab/x", "b/x"]


def test_bytes_come_back_as_they_went(store: Store, tmp_path: Path) -> None:
    store.write("a/b.txt", b"one")
    store.write("a/b.txt", b"two")
    store.write("a/year=2025/empty", b"")
    (tmp_path / "in").write_bytes(b"three")
    store.adopt(tmp_path / "in", "a/c é+%20.txt")
    assert not (tmp_path / "in").exists(), "moved, not copied"
    for key, data in (("a/b.txt", b"two"), ("a/c é+%20.txt", b"three"), ("a/year=2025/empty", b"")):
        assert store.read(key) == data
        assert store.fetch(key).read_bytes() == data


def test_keys_are_sorted_and_below_their_prefix_alone(store: Store) -> None:
    for key in ("a/2", "a/1/x", "ab/1", "b"):
        store.write(key, key.encode())
    assert store.keys("a") == store.keys("a/") == ["a/1/x", "a/2"]
    assert store.keys("") == ["a/1/x", "a/2", "ab/1", "b"]
    assert store.keys("a/2") == []
    assert store.keys("nothing") == []


def test_removing_takes_a_key_or_all_below_and_nothing_is_no_error(store: Store) -> None:
    for key in ("a/2", "a/1/x", "ab/1"):
        store.write(key, b"1")
    store.remove("a/2")
    assert store.keys("") == ["a/1/x", "ab/1"]
    store.remove("a")
    store.remove("a")
    assert store.keys("") == ["ab/1"]
    for gone in ("a/2", "a/1/x", "nothing"):
        with pytest.raises(StoreError, match="No such file"):
            store.read(gone)


def test_a_key_may_not_leave_the_store(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"")
    for bad in ("../x", "a/../../x", "/etc/passwd"):
        for act in (store.read, store.fetch, store.keys, store.remove, store.locate):
            with pytest.raises(StoreError, match="may not leave"):
                act(bad)
        with pytest.raises(StoreError, match="may not leave"):
            store.write(bad, b"")
        with pytest.raises(StoreError, match="may not leave"):
            store.adopt(tmp_path / "x", bad)


def test_a_catalogue_and_an_engine_work_over_it(store: Store, tmp_path: Path) -> None:
    engine = DuckEngine(store, work=tmp_path / "work")
    catalog = IcebergCatalog(tmp_path, store)
    versions = []
    for i, columns in enumerate(("a, a % 2 AS p", "a, a % 2 AS p, 1 AS b", "a, a % 2 AS p")):
        sql = f"SELECT {columns} FROM range({i}, 5) t(a)"
        written = engine.write(sql, {}, X.key("data", str(i)), partition_by=("p",), order_by=("a",))
        assert store.keys(X.key("data", str(i))) == [f.key for f in written.files]
        versions.append(catalog.commit(X, written, partition_by=("p",)))
    assert [s.rows for s in catalog.snapshots(X)] == [3, 4, 5]
    again = IcebergCatalog(tmp_path, store)
    for version in versions:
        assert again.version(X, version.id) == version
        sql = "SELECT count(*) AS n FROM curated.x_y"
        asked = DuckEngine(store).query(sql, {"curated.x_y": version}).to_pylist()
        assert asked == [{"n": version.rows}]
    gone = catalog.expire(X, 1, frozenset())
    assert set(gone) == {f.key for v in versions[:2] for f in v.files}
    for key in gone:
        store.remove(key)
    assert again.version(X).rows == 3
    assert not list((tmp_path / "work").iterdir())
