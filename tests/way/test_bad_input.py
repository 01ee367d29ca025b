"""Bad input: a clear typed error or quarantined rows with reasons; the old state stays."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cityline.adapters.portals.sample import Fault, SamplePortal
from cityline.errors import (
    CitylineError,
    LockHeld,
    QualityError,
    SourceChanged,
    SourceDamaged,
    StoreError,
    StoreFull,
)
from cityline.flow.run import run
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.conftest import CENTRE, TODAY, VOLUME, Ran, copy_vancouver, exported, run_city

HEAD = b"\xef\xbb\xbfDepartment;Type;Year Month;Channel;Number of Records;BI_ID\r\n"
ROW = b"ENG - Sanitation Services;Collection Schedule Inquiry;2024-07;Phone;33;1\r\n"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ran, SamplePortal]]:
    with SamplePortal(today=TODAY) as portal:
        folder = copy_vancouver(tmp_path_factory.mktemp("bad") / "city")
        settings = folder / "environments" / "local.toml"
        settings.write_text(
            settings.read_text()
            .replace("deadline = 120.0", "deadline = 5.0")
            .replace("attempts = 5", "attempts = 2")
        )
        yield run_city(folder, portal), portal


def whole(portal: SamplePortal) -> bytes:
    return exported(portal, VOLUME)


BIG = os.urandom(25_000_000).hex().encode()
"""A cell of 50 MB that does not compress well, or the client would call it a bomb first."""

BODIES: list[tuple[str, Callable[[bytes], bytes], type[CitylineError], str]] = [
    ("empty file", lambda _: b"", SourceDamaged, "empty"),
    ("header only", lambda _: HEAD, SourceDamaged, "0 rows"),
    ("web page", lambda _: b"<!DOCTYPE html><html></html>", SourceDamaged, "web page"),
    ("error object", lambda _: b'{"error_code": "X", "message": "no"}', SourceDamaged, "JSON"),
    ("cut inside a record", lambda b: b[: len(b) // 2], SourceDamaged, "not complete"),
    ("last records missing", lambda b: b"\r\n".join(b.split(b"\r\n")[:-900]) + b"\r\n",
     SourceDamaged, "portal counts"),
    ("wrong delimiter", lambda b: b.replace(b";", b","), SourceDamaged, "delimiter is ','"),
    ("renamed column", lambda b: b.replace(b"Channel", b"Contact Method", 1), SourceChanged,
     "no column 'Channel'"),
    ("missing column", lambda b: b"\r\n".join(x.rpartition(b";")[0] for x in b.split(b"\r\n")),
     SourceChanged, "no column 'BI_ID'"),
    ("utf-16", lambda b: b.decode("utf-8-sig").encode("utf-16"), SourceDamaged, "utf-16"),
    ("latin-1", lambda b: b.replace(b"FSC - Property Tax", "FSC - Impôt foncier".encode("latin-1")),
     SourceDamaged, "not utf-8"),
    ("a cell of 50 MB", lambda b: HEAD + BIG + b";T;2024-07;Phone;1;1\r\n" + b,
     SourceDamaged, "longer than"),
    ("an open quote", lambda b: b.replace(b"\r\nFSC", b'\r\n"FSC', 1), SourceDamaged,
     "quoted cell"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "kind", "told"), BODIES, ids=[b[0] for b in BODIES])
def test_a_file_that_is_not_the_table_is_refused_whole(
    city: tuple[Ran, SamplePortal],
    name: str,
    spoil: Callable[[bytes], bytes],
    kind: type[CitylineError],
    told: str,
) -> None:
    ran, portal = city
    before = (ran.site.resolve(), ran.parts.ledger.current())
    # another day's extract, so that the portal's own word does not make the pull unnecessary
    portal.today = TODAY.replace(month=9)
    fault = Fault("replace", path="inquiry-volume/exports", body=spoil(whole(portal)))
    portal.faults = [fault]
    try:
        with pytest.raises(kind) as caught:
            run(ran.parts, lambda _: None)
    finally:
        portal.faults, portal.today = [], TODAY
    assert told in f"{caught.value.what} {caught.value.hint}", name
    assert caught.value.where
    assert (ran.site.resolve(), ran.parts.ledger.current()) == before
    assert not list((ran.parts.home / "incoming").rglob("*.csv"))
    last = ran.parts.ledger.receipts(limit=1)[0]
    assert last.details["code"] == caught.value.code


def one_file(tmp_path: Path, body: bytes, portal: SamplePortal) -> Path:
    """A folder of files with this body as the volume."""
    files = tmp_path / "files"
    files.mkdir(exist_ok=True)
    (files / f"{VOLUME}.csv").write_bytes(body)
    (files / f"{CENTRE}.csv").write_bytes(exported(portal, CENTRE))
    return files


def prepared(
    tmp_path: Path, body: bytes, portal: SamplePortal
) -> tuple[Done, Callable[[str], list[dict[str, object]]]]:
    """Run up to prepare; the receipts and a way to query."""
    parts = open_city(copy_vancouver(tmp_path / "city"), files=one_file(tmp_path, body, portal))
    done = Done(run(parts, lambda _: None, until="prepare").receipts)

    def ask(sql: str) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = parts.engine.query(sql, done.tables()).to_pylist()
        return rows

    return done, ask


CELLS = [
    ("2024-07", "-5", "inquiries: negative"),
    ("2024-07", "33.0", "inquiries: not a whole number"),
    ("2024-07", "many", "inquiries: not a number"),
    ("2024-07", "", "inquiries: missing"),
    ("2024-07", "99999999999999999999", "inquiries: too large"),
    ("2099-01", "5", "month: in the future"),
    ("1999-01", "5", "month: before collection began"),
    ("July", "5", "month: not a month"),
    ("2024-02-30", "5", "month: not a month"),
    ("", "5", "month: missing"),
]


def test_bad_cells_are_quarantined_with_their_reason_and_raw_text(
    tmp_path: Path, portal: SamplePortal
) -> None:
    bad = b"".join(
        f"A - B;Type {i};{month};Phone;{count};{i}\r\n".encode()
        for i, (month, count, _) in enumerate(CELLS, 2)
    )
    blank = b" \xc2\xa0;T;2024-07;Phone;1;90\r\n"
    ragged = b"ENG;only three;2024-07\r\n"
    done, ask = prepared(tmp_path, HEAD + ROW + bad + blank + ragged, portal)
    receipt = done.receipts["prepare/inquiry-volume"]
    assert receipt.rows_in == 1 + len(CELLS) + 2
    assert receipt.rows_out == 1
    rows = ask("SELECT * FROM quarantine.inquiry_volume ORDER BY source_row")
    reasons = {r["source_row"]: r["reason"] for r in rows}
    for at, (month, count, reason) in enumerate(CELLS, 2):
        assert reasons[at] == reason, (month, count)
    assert reasons[len(CELLS) + 2] == "department: missing"
    assert reasons[len(CELLS) + 3] == "the record has the wrong number of cells"
    assert '"number_of_records":"33.0"' in str(rows[1]["raw"])
    assert rows[-1]["raw"] == "ENG;only three;2024-07"
    totals = receipt.details["totals"]
    assert totals["before"] == totals["kept"] + totals["quarantined"]


def test_months_and_headers_and_line_ends_in_many_spellings(
    tmp_path: Path, portal: SamplePortal
) -> None:
    months = ["2023-09", "2023-9", "2023-09-01", "2023-09-01 00:00:00", "Sep-23", "202309"]
    head = b"\xef\xbb\xbf;department;TYPE;year.month;Channel;number_of_records;bi id\n"
    body = "".join(
        f"{i};ENG - X ;Type\u00a0{i};{m};{'phone' if i else ' Phone '};1,00{i};{i}\n"
        for i, m in enumerate(months)
    )
    _, ask = prepared(tmp_path, head + body.encode(), portal)
    rows = ask("SELECT * FROM landing.inquiry_volume ORDER BY source_row")
    assert {str(r["month"]) for r in rows} == {"2023-09-01"}
    assert [r["inquiries"] for r in rows] == [1000 + i for i in range(len(months))]
    assert {r["channel"] for r in rows} == {"Phone"}
    assert {r["department"] for r in rows} == {"ENG - X"}
    assert rows[0]["inquiry_type"] == "Type 0"


def test_duplicate_keys_equal_and_unequal(tmp_path: Path, portal: SamplePortal) -> None:
    lines = ["AB;TT;2024-07;Phone;5;1", "AB;TT;2024-07;Phone;5;2", "AB;TT;2024-07;Chat;5;3",
             "AB;TT;2024-07;Chat;6;4", "AB;TT;2024-06;Chat;6;5"]  # fmt: skip
    body = HEAD + "".join(f"{x}\r\n" for x in lines).encode()
    done, ask = prepared(tmp_path, body, portal)
    kept = ask("SELECT source_row FROM landing.inquiry_volume ORDER BY 1")
    assert [r["source_row"] for r in kept] == [1, 5]
    reasons = done.details("prepare/inquiry-volume")["reasons"]
    assert reasons == {
        "the same department, inquiry_type, month, channel as another row, "
        "with another inquiries": 2,
        "the same department, inquiry_type, month, channel and inquiries as an earlier row": 1,
    }


def test_a_blocking_rule_stops_promotion_and_a_warning_does_not(
    tmp_path: Path, portal: SamplePortal
) -> None:
    ran = run_city(copy_vancouver(tmp_path / "city"), portal)
    rules = ran.folder / "policies" / "quality" / "landing" / "inquiry-volume.dqdl"
    good = rules.read_text()
    rules.write_text(good.replace("RowCount > 0,", "RowCount > 10000000,"))
    before = ran.site.resolve()
    with pytest.raises(QualityError, match="RowCount is 651"):
        run_city(ran.folder, portal)
    assert ran.site.resolve() == before
    rules.write_text(
        good.replace("RowCount > 0,", 'RowCount > 10000000 labels = ["severity"="warn"],')
    )
    again = run_city(ran.folder, portal)
    verdicts = again.done.details("prepare/inquiry-volume")["verdicts"]
    assert [v["outcome"] for v in verdicts].count("warned") == 1


def test_a_dataset_that_shrank_is_refused_until_somebody_says_why(tmp_path: Path) -> None:
    folder = copy_vancouver(tmp_path / "city")
    with SamplePortal(today=TODAY) as portal:
        run_city(folder, portal)
    with SamplePortal(today=TODAY.replace(year=2024)) as older:
        with pytest.raises(SourceChanged, match="shrank"):
            run_city(folder, older)
        parts = open_city(folder, portal=older.base_url, accept="a smaller extract was announced")
        finished = run(parts, lambda _: None)
    facts = Done(finished.receipts).details("ingest/inquiry-volume")
    assert facts["accepted"] == "a smaller extract was announced"


def test_a_second_run_learns_who_holds_the_lock(tmp_path: Path, portal: SamplePortal) -> None:
    ran = run_city(copy_vancouver(tmp_path / "city"), portal)
    with (ran.parts.home / "lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate()
        file.write('{"run": "r-other", "pid": 4242, "since": "2026-01-01T00:00:00+00:00"}')
        file.flush()
        with pytest.raises(LockHeld, match=r"r-other, process 4242, for \d+ s"):
            run(ran.parts, lambda _: None)
    assert run(ran.parts, lambda _: None).changed is False


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not allow mounting")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_keeps_the_old_state_and_space_lets_the_run_finish(
    small_disk: Path, tmp_path: Path
) -> None:
    folder = copy_vancouver(tmp_path / "city")
    with SamplePortal(today=TODAY) as portal:
        for room in (1, 3, 5, 7):
            filler = small_disk / "filler"
            filler.write_bytes(b"\0" * (12 - room) * 1_000_000)
            parts = open_city(folder, portal=portal.base_url, home=small_disk / "home")
            with pytest.raises((StoreFull, StoreError)) as caught:
                run(parts, lambda _: None)
            assert "space" in caught.value.what or "full" in caught.value.what, room
            filler.unlink()
            shutil.rmtree(small_disk / "home")
        parts = open_city(folder, portal=portal.base_url, home=small_disk / "home")
        filler.write_bytes(b"\0" * 5_000_000)
        with pytest.raises(StoreError):
            run(parts, lambda _: None)
        filler.unlink()
        subprocess.run(["mount", "-o", "remount,size=40m", str(small_disk)], check=True)
        finished = run(
            open_city(folder, portal=portal.base_url, home=small_disk / "home"), lambda _: None
        )
        assert finished.release is not None


def test_a_read_only_home_is_told_before_any_change(
    small_disk: Path, tmp_path: Path, portal: SamplePortal
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    parts = open_city(
        copy_vancouver(tmp_path / "city"), portal=portal.base_url, home=small_disk / "home"
    )
    with pytest.raises(StoreError, match="Read-only file system"):
        run(parts, lambda _: None)


KILL = """
import os, signal, sys
from pathlib import Path
from cityline.flow import run as conductor
from cityline.flow import promotion
from cityline.flow.steps.every import STAGES, Stage
from cityline.wiring import open_city

folder, portal, at, when = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if at == "promote":
    promotion.finish = die if when == "after" else promotion.finish
    conductor.promote = die if when == "before" else conductor.promote
else:
    stage = STAGES[at]
    def perform(*given):
        if when == "before":
            die()
        made = stage.perform(*given)
        die()
    STAGES[at] = Stage(stage.inputs, perform, stage.asks)
conductor.run(open_city(Path(folder), portal=portal), lambda _: None)
"""


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ran, SamplePortal, Path]]:
    """A city that was run once, with its portal, and a copy of all its files."""
    base = tmp_path_factory.mktemp("killed")
    with SamplePortal(today=TODAY) as portal:
        made = run_city(copy_vancouver(base / "city"), portal)
        yield made, portal, shutil.copytree(made.folder, base / "kept", symlinks=True)


@pytest.fixture
def first(once: tuple[Ran, SamplePortal, Path]) -> Ran:
    """The same city at the same place, as it stood after its first run."""
    made, portal, kept = once
    shutil.rmtree(made.folder)
    shutil.copytree(kept, made.folder, symlinks=True)
    portal.today = TODAY
    return Ran(made.folder, open_city(made.folder, portal=portal.base_url), made.finished)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "at", ["ingest", "prepare", "structure", "analyse", "visualise", "publish", "promote"]
)
def test_a_run_killed_at_any_step_leaves_the_last_good_state_and_the_next_finishes(
    first: Ran, once: tuple[Ran, SamplePortal, Path], at: str, when: str
) -> None:
    portal, folder = once[1], first.folder
    before = load(first.parts, "departments", first.done)
    seen = first.site.resolve()
    portal.today = TODAY.replace(month=9)
    argv = [sys.executable, "-c", KILL, str(folder), portal.base_url, at, when]
    killed = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    current = first.parts.ledger.current()
    assert current is not None
    standing = Done(current.receipts.values())
    if (at, when) != ("promote", "after"):
        assert first.site.resolve() == seen
        assert load(first.parts, "departments", standing).rows == before.rows
    tables = standing.tables()
    sql = "SELECT sum(inquiries) AS n FROM curated.{}"
    sums = {
        int(first.parts.engine.query(sql.format(t), tables).to_pylist()[0]["n"])
        for t in ("volume", "department_month", "type_month")
    }
    assert len(sums) == 1, "readers see one state, never a mixture"
    last = run_city(folder, portal)
    assert load(last.parts, "monthly-trend", last.done).records()[-1]["month"] == "2026-08-01"
    assert last.site.resolve().name == last.done.version("site/site").id
    for name, version in last.done.tables().items():
        live = {f.key for f in version.files}
        assert live <= set(last.parts.store.keys(version.address.key("data"))), name
