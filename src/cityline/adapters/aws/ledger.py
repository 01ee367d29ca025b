"""The ledger in a bucket, so that jobs on different machines share one truth.

Receipts and releases are objects that never change. What changes is one object each, and is written
under a condition: what readers see (`current`), and who is at work (`lock`). So of two writers one
wins and the other is told.

The lock is a lease: whoever holds it renews it, and a run that died lets go of it by itself when
its lease is over. Ages are told by the bucket's clock alone.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from cityline.adapters.aws.objects import Found, Lost, Objects
from cityline.adapters.aws.store import S3Store
from cityline.errors import LockHeld, StoreError, StoreUnreachable
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release

PLACE = Address(Zone.LAKE, "ledger")
_NEARLY = 0.8
"""The part of a lease after which who is not heard of gives up."""
_AGES = 10**20
"""Names count down from here, so that a bucket lists the newest first."""


class S3Ledger:
    """Implements `ports.ledger.Ledger` in a store's bucket, below `lake/ledger`. `lease` is how
    long a holder that is not heard of keeps the lock, in seconds."""

    def __init__(self, store: S3Store, lease: float = 600.0) -> None:
        self._store = store
        self._objects = Objects(store.buckets)
        self._lease = lease
        self._lost = threading.Event()

    # -- who is at work -------------------------------------------------------------------------

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        """Be the only run at work, or raise LockHeld naming the holder and its age."""
        self._lost.clear()
        tag = self._claim(run)
        done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(run, tag, done), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def holder(self) -> str:
        """The run at work now; nobody whose lease is over."""
        found = self._objects.get(PLACE.key("lock.json"))
        told = _told(found)
        return str(told.get("run", "")) if found and self._stands(told, found) else ""

    def _claim(self, run: str) -> str:
        key = PLACE.key("lock.json")
        found = self._objects.get(key)
        told = _told(found)
        if found is not None and self._stands(told, found):
            raise self._held(told, found)
        try:
            return self._objects.put(key, self._words(run), match=found.tag if found else "")
        except Lost as error:
            found = self._objects.get(key)
            if found is None:
                raise LockHeld("another run began at the same moment", where=key) from error
            raise self._held(_told(found), found) from error

    def _renew(self, run: str, tag: str, done: threading.Event) -> None:
        """Tell now and then that the run is alive, and let go at its end. A bucket that is away is
        asked again, in the same words in case it heard them, until the lease is all but over."""
        key = PLACE.key("lock.json")
        words, heard, unsure = self._words(run), time.monotonic(), False
        try:
            while not done.wait(self._lease / (20 if unsure else 3)):
                asked = time.monotonic()
                try:
                    tag = self._objects.put(key, words, match=tag)
                except StoreUnreachable:
                    if time.monotonic() - heard > self._lease * _NEARLY:
                        raise
                    unsure = True
                else:
                    words, heard, unsure = self._words(run), asked, False
            if unsure:  # said again, they tell the tag that the lock has now
                tag = self._objects.put(key, words, match=tag)
            self._objects.put(key, b"{}", match=tag)
        except StoreError:  # another has it, or it was not heard of for too long
            self._lost.set()

    def _words(self, run: str) -> bytes:
        told = {
            "run": run,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "lease": self._lease,
            "mark": secrets.token_hex(8),
        }
        return json.dumps(told).encode()

    def _stands(self, told: Mapping[str, Any], found: Found) -> bool:
        return bool(told.get("run")) and found.age < float(told.get("lease", self._lease))

    def _held(self, told: Mapping[str, Any], found: Found) -> LockHeld:
        left = max(0.0, float(told.get("lease", self._lease)) - found.age)
        what = (
            f"another run is at work: {told.get('run', 'unknown')}, process {told.get('pid', '?')} "
            f"on {told.get('host', '?')}, heard of {found.age:.0f} s ago"
        )
        hint = f"wait for it to end; if it died, its lease is over in {left:.0f} s"
        return LockHeld(what, where=self._store.locate(PLACE.key("lock.json")), hint=hint)

    def _mine(self) -> None:
        """Raises LockHeld when the lease was lost in the middle of a run."""
        if self._lost.is_set():
            what = "this run lost its lock: it was not heard of for too long"
            raise LockHeld(
                what, where=PLACE.key("lock.json"), hint="nothing was promoted; run again"
            )

    # -- what happened --------------------------------------------------------------------------

    def record(self, receipt: Receipt) -> None:
        """Keep a receipt; its name tells what is looked for: run, step and outcome."""
        self._mine()
        data = json.dumps(receipt.to_json()).encode()
        self._objects.put(PLACE.key("receipts", _name(receipt)), data, match="")
        if receipt.outcome is Outcome.DONE:
            self._objects.put(_last(receipt.step), data)

    def last(self, step: str) -> Receipt | None:
        """The newest receipt of a step that was done."""
        found = self._objects.get(_last(step))
        return Receipt.from_json(json.loads(found.data)) if found else None

    def receipts(self, *, run: str = "", step: str = "", limit: int = 1000) -> list[Receipt]:
        """Receipts, newest first."""
        step = step.replace("/", "+")

        def wanted(key: str) -> bool:
            _, of, what, *_ = key.rpartition("/")[2].split("~")
            return run in ("", of) and step in ("", what)

        keys = self._objects.names(PLACE.key("receipts"), wanted, limit)
        return [Receipt.from_json(json.loads(data)) for data in self._many(keys)]

    def _many(self, keys: list[str]) -> list[bytes]:
        """The bytes of many objects, each brought here once for good."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - rarely asked

        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(self._store.read, keys))

    # -- what readers see -----------------------------------------------------------------------

    def promote(self, release: Release, summary: Mapping[str, Any]) -> None:
        """Make a release what readers see: one conditional write, so never a mixture.

        Raises LockHeld when another run promoted meanwhile.
        """
        self._mine()
        key = PLACE.key("current.json")
        found = self._objects.get(key)
        before: list[str] = _told(found).get("releases", [])
        name = PLACE.key("releases", f"{_countdown()}~{release.id}.json")
        self._objects.put(name, json.dumps(self._written(release, summary)).encode(), match="")
        after = json.dumps({"releases": [name, *before]}).encode()
        try:
            self._objects.put(key, after, match=found.tag if found else "")
        except Lost as error:
            what = "another run promoted a release meanwhile; this one changed nothing"
            raise LockHeld(what, where=self._store.locate(key), hint="run again") from error

    def _written(self, release: Release, summary: Mapping[str, Any]) -> dict[str, Any]:
        """A step that stood as it was is told by the receipt of when it was done."""
        done = {
            step: (r if r.outcome is Outcome.DONE else self.last(step) or r).to_json()
            for step, r in release.receipts.items()
        }
        return {
            "id": release.id,
            "run": release.run,
            "promoted_at": release.promoted_at,
            "summary": dict(summary),
            "receipts": list(done.values()),
        }

    def current(self) -> Release | None:
        """The newest release."""
        found = self.releases(1)
        return found[0] if found else None

    def releases(self, limit: int = 1000) -> list[Release]:
        """Past releases, newest first."""
        told = _told(self._objects.get(PLACE.key("current.json")))
        keys: list[str] = told.get("releases", [])[:limit]
        return [_release(json.loads(data)) for data in self._many(keys)]


def _release(told: Mapping[str, Any]) -> Release:
    receipts = [Receipt.from_json(r) for r in told["receipts"]]
    by_step = {r.step: r for r in receipts}
    return Release(told["id"], told["run"], told["promoted_at"], by_step, told["summary"])


def _told(found: Found | None) -> dict[str, Any]:
    told = json.loads(found.data) if found else {}
    return told if isinstance(told, dict) else {}


def _countdown() -> str:
    return f"{_AGES - time.time_ns():020d}"


def _name(receipt: Receipt) -> str:
    step = receipt.step.replace("/", "+")
    return (
        f"{_countdown()}~{receipt.run}~{step}~{receipt.outcome.value}~{secrets.token_hex(2)}.json"
    )


def _last(step: str) -> str:
    return PLACE.key("steps", f"{step}.json")
