"""Large files for measuring: unique keys, counted dirt, and the same bytes for the same seed."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from cityline.adapters.portals.sample.bulk import KINDS, write_volume


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_clean_rows_have_unique_keys_and_the_portals_layout(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    wrote = write_volume(path, 300_000, months=3, dirty=0.0)
    header, *rows = _rows(path)
    assert header == ["Department", "Type", "Year Month", "Channel", "Number of Records", "BI_ID"]
    assert len(rows) == wrote.rows == wrote.kept == 300_000
    assert len({tuple(r[:4]) for r in rows}) == len(rows)
    assert Counter(r[2] for r in rows) == dict.fromkeys(("2026-07", "2026-06", "2026-05"), 100_000)
    assert [int(r[5]) for r in rows] == list(range(1, len(rows) + 1))
    assert sum(int(r[4]) for r in rows) == wrote.measure
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfDepartment;")
    assert data.endswith(b"\r\n")
    assert len(data) == wrote.bytes
    assert data.count(b"\n") == data.count(b"\r\n") == 300_001


def _count(cell: str) -> int | None:
    return int(cell) if cell.isdigit() else None


def test_dirt_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    wrote = write_volume(path, 60_000, dirty=0.2)
    _, *rows = _rows(path)
    assert set(wrote.kinds) == set(KINDS)
    assert wrote.kinds.total() == 60_000
    assert wrote.kinds["clean"] / 60_000 == pytest.approx(0.8, abs=0.03)
    assert {len(r) for r in rows} == {6}
    nulls = [r for r in rows if r[0].strip() in ("", "NA", "N/A", "NULL")]
    assert len(nulls) == wrote.kinds["null word"]
    bad = [r for r in rows if _count(r[4]) is None]
    assert len(bad) == wrote.kinds["bad count"]
    future = [r for r in rows if r[2][:4] in ("2027", "2030", "2031", "2099")]
    assert len(future) == wrote.kinds["future month"]
    cased = [r for r in rows if r[3] in ("PHONE", "phone", "E-MAIL", "e-mail", "CHAT", "chat")]
    assert cased
    again = sum(1 for a, b in pairwise(rows) if a[:5] == b[:5])
    assert again == wrote.kinds["duplicate row"]
    lost = sum(wrote.kinds[k] for k in KINDS[4:])
    assert wrote.kept == 60_000 - lost


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_volume(tmp_path / name, 5_000, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()
