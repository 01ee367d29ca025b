"""A file appears whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityline.adapters.portals.receiving import receive
from cityline.errors import SourceDamaged, StoreError, StoreFull


def test_bytes_and_hash(tmp_path: Path) -> None:
    got = receive([b"ab", b"", b"c"], tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"abc"
    assert (got.bytes, got.sha256) == (3, hashlib.sha256(b"abc").hexdigest())


def test_an_error_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"new"
        raise SourceDamaged("cut")

    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(SourceDamaged):
        receive(blocks(), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_full_disk(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "x.part").symlink_to(full)
    with pytest.raises(StoreFull, match="No space left") as caught:
        receive([b"x" * 100_000], tmp_path / "x")
    assert "free some space" in caught.value.hint
    assert not list(tmp_path.iterdir())


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        receive([b"x"], tmp_path / "no" / "x")


def test_a_folder_stands_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        receive([b"x"], tmp_path / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
