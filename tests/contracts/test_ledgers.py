"""One suite for every ledger: a file of this machine, and objects in a bucket."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from cityline.errors import LockHeld
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.lake.version import DataFile, Version
from cityline.ports.ledger import Release
from tests.contracts.places import Place

X = Address(Zone.RAW, "x-y")


def receipt(step: str, run: str = "r-1", outcome: Outcome = Outcome.DONE) -> Receipt:
    """A step's receipt with everything in it."""
    version = Version(X, "abc", 3, (DataFile(X.key("abc", "data.csv"), 3, 17),))
    return Receipt(
        run, step, outcome, "f", "2026-01-01T00:00:00+00:00", 0.1234, {"raw/x": "1"}, (version,),
        5, 3, generated=True, details={"é": [1, None, {"a": 0.5}], "error": "…"},
    )  # fmt: skip


def test_a_receipt_comes_back_as_it_was(place: Place) -> None:
    told = receipt("structure/department-month")
    place.open_ledger().record(told)
    ledger = place.open_ledger()
    assert ledger.last("structure/department-month") == told
    assert ledger.receipts() == [told]


def test_receipts_are_newest_first_and_found_by_run_and_step(place: Place) -> None:
    ledger = place.open_ledger()
    assert ledger.receipts() == []
    assert ledger.last("ingest/x") is None
    ledger.record(receipt("ingest/x"))
    ledger.record(receipt("prepare/x", outcome=Outcome.FAILED))
    ledger.record(receipt("ingest/x", run="r-2"))
    ledger.record(receipt("ingest/x-y", run="r-2"))
    assert [r.run for r in ledger.receipts()] == ["r-2", "r-2", "r-1", "r-1"]
    assert [r.run for r in ledger.receipts(step="ingest/x")] == ["r-2", "r-1"]
    assert [r.step for r in ledger.receipts(run="r-1")] == ["prepare/x", "ingest/x"]
    assert [r.step for r in ledger.receipts(limit=1)] == ["ingest/x-y"]
    assert ledger.receipts(run="r-2", step="prepare/x") == []
    last = ledger.last("ingest/x")
    assert last is not None
    assert last.run == "r-2"
    assert ledger.last("prepare/x") is None, "a failed step has no outcome to stand on"


def test_a_release_is_what_readers_see_and_the_past_is_kept(place: Place) -> None:
    ledger = place.open_ledger()
    assert ledger.current() is None
    assert ledger.releases() == []
    first, second = receipt("ingest/x"), receipt("ingest/x", "r-2")
    ledger.record(first)
    ledger.promote(Release("one", "r-1", "2026-01-01", {"ingest/x": first}), {"steps": 1})
    ledger.record(second)
    ledger.promote(Release("two", "r-2", "2026-01-02", {"ingest/x": second}), {"steps": 1})
    other = place.open_ledger()
    current = other.current()
    assert current is not None
    assert (current.id, current.run, current.promoted_at) == ("two", "r-2", "2026-01-02")
    assert current.receipts == {"ingest/x": second}
    assert current.summary == {"steps": 1}
    assert [r.id for r in other.releases()] == ["two", "one"]
    assert [r.id for r in other.releases(1)] == ["two"]
    assert other.releases()[1].receipts == {"ingest/x": first}


def test_a_step_that_stood_is_told_by_when_it_was_done(place: Place) -> None:
    ledger = place.open_ledger()
    done = receipt("ingest/x")
    ledger.record(done)
    stood = replace(done, outcome=Outcome.UNCHANGED, seconds=0.0)
    ledger.promote(Release("one", "r-2", "2026-01-01", {"ingest/x": stood}), {})
    current = ledger.current()
    assert current is not None
    assert current.receipts == {"ingest/x": done}


def test_only_one_run_is_at_work(place: Place) -> None:
    one, other = place.open_ledger(), place.open_ledger()
    assert one.holder() == ""
    with one.hold("r-1"):
        assert other.holder() == "r-1"
        with pytest.raises(LockHeld, match="r-1") as caught, other.hold("r-2"):
            pytest.fail("two runs at work")
        assert caught.value.hint
        assert other.holder() == "r-1", "asking changes nothing"
    if place.side == "aws":  # a file's lock outlives its holder's name by design
        assert other.holder() == ""
    with other.hold("r-2"):
        assert one.holder() == "r-2"


def test_a_run_that_fails_lets_go(place: Place) -> None:
    with pytest.raises(ZeroDivisionError), place.open_ledger().hold("r-1"):
        _ = 1 / 0
    with place.open_ledger().hold("r-2"):
        pass


def test_of_many_that_begin_at_once_one_works(place: Place) -> None:
    ledgers = [place.open_ledger() for _ in range(6)]
    begin, end = threading.Barrier(len(ledgers)), threading.Event()
    worked: list[str] = []
    refused: list[str] = []

    def work(number: int) -> None:
        begin.wait()
        try:
            with ledgers[number].hold(f"r-{number}"):
                worked.append(f"r-{number}")
                end.wait(30)
        except LockHeld:
            refused.append(f"r-{number}")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(ledgers))]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 30
    while len(refused) < len(ledgers) - 1 and time.monotonic() < until:
        time.sleep(0.05)
    end.set()
    for thread in threads:
        thread.join()
    assert len(worked) == 1
    assert len(refused) == len(ledgers) - 1
