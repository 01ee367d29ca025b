"""The ledger in one SQLite file, and the lock that lets one run work at a time.

The lock is the operating system's own (`flock`): a killed run leaves none behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cityline.adapters.formats.folders import store_errors
from cityline.errors import LockHeld, StoreError, StoreFull
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release

_SCHEMA = """
CREATE TABLE IF NOT EXISTS receipts (
  id INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL, outcome TEXT NOT NULL,
  body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS receipts_by_step ON receipts (step, outcome, id);
CREATE INDEX IF NOT EXISTS receipts_by_run ON receipts (run, id);
CREATE TABLE IF NOT EXISTS releases (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, run TEXT NOT NULL, promoted_at TEXT NOT NULL,
  summary TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS release_receipts (
  release INTEGER NOT NULL REFERENCES releases, receipt INTEGER NOT NULL REFERENCES receipts,
  PRIMARY KEY (release, receipt)) WITHOUT ROWID;
"""


class SqliteLedger:
    """Implements `ports.ledger.Ledger` in `<home>/ledger.db`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._open: sqlite3.Connection | None = None
        self._lock = threading.RLock()

    @contextmanager
    def hold(self, run: str) -> Iterator[None]:
        """Be the only run at work, or raise LockHeld naming the holder and its age."""
        path = self.home / "lock"
        with store_errors(str(path)):
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _claim(descriptor, path)
            holder = {"run": run, "pid": os.getpid(), "since": datetime.now(UTC).isoformat()}
            with store_errors(str(path)):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(holder).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def holder(self) -> str:
        """The run at work now. Looked up without touching the lock, which a run beginning at that
        moment must find free."""
        try:
            told = _holder((self.home / "lock").read_bytes())
            os.kill(int(told["pid"]), 0)
        except (OSError, KeyError, ValueError):
            return ""
        return str(told.get("run", ""))

    def record(self, receipt: Receipt) -> None:
        """Append a receipt."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO receipts (run, step, outcome, body) VALUES (?, ?, ?, ?)",
                (receipt.run, receipt.step, receipt.outcome, json.dumps(receipt.to_json())),
            )

    def last(self, step: str) -> Receipt | None:
        """The newest receipt of a step that was done."""
        query = "SELECT body FROM receipts WHERE step = ? AND outcome = ? ORDER BY id DESC LIMIT 1"
        with self._transaction() as db:
            row = db.execute(query, (step, Outcome.DONE)).fetchone()
        return Receipt.from_json(json.loads(row[0])) if row else None

    def receipts(self, *, run: str = "", step: str = "", limit: int = 1000) -> list[Receipt]:
        """Receipts, newest first."""
        query = (
            "SELECT body FROM receipts WHERE (?1 = '' OR run = ?1) AND (?2 = '' OR step = ?2) "
            "ORDER BY id DESC LIMIT ?3"
        )
        with self._transaction() as db:
            rows = db.execute(query, (run, step, limit)).fetchall()
        return [Receipt.from_json(json.loads(body)) for (body,) in rows]

    def promote(self, release: Release, summary: Mapping[str, Any]) -> None:
        """Make a release what readers see: one transaction, so never a mixture."""
        with self._transaction() as db:
            cursor = db.execute(
                "INSERT INTO releases (id, run, promoted_at, summary) VALUES (?, ?, ?, ?)",
                (release.id, release.run, release.promoted_at, json.dumps(dict(summary))),
            )
            db.executemany(
                "INSERT INTO release_receipts SELECT ?, max(id) FROM receipts "
                "WHERE step = ? AND outcome = 'done'",
                [(cursor.lastrowid, step) for step in release.receipts],
            )

    def current(self) -> Release | None:
        """The newest release."""
        found = self.releases(1)
        return found[0] if found else None

    def releases(self, limit: int = 1000) -> list[Release]:
        """Past releases, newest first."""
        head = (
            "SELECT number, id, run, promoted_at, summary FROM releases "
            "ORDER BY number DESC LIMIT ?"
        )
        body = "SELECT body FROM receipts JOIN release_receipts ON receipt = id WHERE release = ?"
        with self._transaction() as db:
            heads = db.execute(head, (limit,)).fetchall()
            bodies = {h[0]: db.execute(body, (h[0],)).fetchall() for h in heads}
        return [
            Release(name, run, at, _by_step(bodies[number]), json.loads(summary))
            for number, name, run, at, summary in heads
        ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        path = self.home / "ledger.db"
        try:
            with self._lock, self._connect(path) as db:
                yield db
        except sqlite3.Error as error:
            kind = StoreFull if "full" in str(error) else StoreError
            hint = "cityline doctor checks the home folder"
            raise kind(f"the ledger cannot be used: {error}", where=str(path), hint=hint) from error

    def _connect(self, path: Path) -> sqlite3.Connection:
        if self._open is None:
            with store_errors(str(path)):
                self.home.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=10, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.executescript(_SCHEMA)
            self._open = db
        return self._open


def _by_step(bodies: list[tuple[str]]) -> dict[str, Receipt]:
    receipts = [Receipt.from_json(json.loads(body)) for (body,) in bodies]
    return {r.step: r for r in receipts}


def _claim(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _holder(os.pread(descriptor, 4096, 0))
        since = datetime.fromisoformat(holder.get("since", datetime.now(UTC).isoformat()))
        age = (datetime.now(UTC) - since).total_seconds()
        what = (
            f"another run is at work: {holder.get('run', 'unknown')}, "
            f"process {holder.get('pid', '?')}, for {age:.0f} s"
        )
        raise LockHeld(what, where=str(path), hint="wait for it to end, then run again") from error


def _holder(written: bytes) -> dict[str, Any]:
    """Who wrote the lock; nothing when it is just being written."""
    try:
        told = json.loads(written)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
