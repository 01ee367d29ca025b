"""People, their passwords, sessions and tokens, in one SQLite file only its owner may read.

Passwords are kept as Argon2id, sessions and tokens as SHA-256 of random 256 bits: whoever reads the
file can sign in as nobody. A password change, a role change or a disabled account ends every
session at once.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cityline.errors import StoreError, UsageError
from cityline.web.identity.roles import Role, allows

_LEAST = 12
_MOST = 1024
_SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, secret TEXT NOT NULL, disabled INTEGER NOT NULL,
  created REAL NOT NULL, last_seen REAL);
CREATE TABLE IF NOT EXISTS tokens (
  id TEXT PRIMARY KEY, hash TEXT UNIQUE NOT NULL, person TEXT NOT NULL, role TEXT NOT NULL,
  created REAL NOT NULL, expires REAL NOT NULL, last_used REAL, revoked INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
  hash TEXT PRIMARY KEY, person TEXT NOT NULL, form TEXT NOT NULL, created REAL NOT NULL,
  seen REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. `form` is the secret that this session's forms carry; empty for a token."""

    name: str
    role: Role
    form: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lasts without use, and at most, in seconds."""

    idle: float = 30 * 60
    most: float = 12 * 3600


class Accounts:
    """Implements sign-in for one machine. `now` tells the time in seconds; tests move it."""

    def __init__(
        self,
        path: Path,
        lifetime: Lifetime | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._lifetime = lifetime or Lifetime()
        self._now = now
        self._lock = threading.RLock()
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._open: sqlite3.Connection | None = None

    def add(self, name: str, role: Role, password: str = "") -> None:
        """A new person; without a password only sign-in elsewhere lets them in.

        Raises UsageError for a name that exists or a password that is too short.
        """
        secret = self._hashed(name, password) if password else ""
        with self._db() as db:
            if db.execute("SELECT 1 FROM people WHERE name = ?", (name,)).fetchone():
                raise UsageError(f"{name!r} exists already", hint="cityline users list")
            db.execute(
                "INSERT INTO people VALUES (?, ?, ?, 0, ?, NULL)",
                (name, role.value, secret, self._now()),
            )

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
    ) -> None:
        """Change a person, and end their sessions. Raises UsageError for an unknown one."""
        with self._db() as db:
            self._must_exist(db, name)
            if role is not None:
                db.execute("UPDATE people SET role = ? WHERE name = ?", (role.value, name))
            if password is not None:
                secret = self._hashed(name, password)
                db.execute("UPDATE people SET secret = ? WHERE name = ?", (secret, name))
            if disabled is not None:
                db.execute("UPDATE people SET disabled = ? WHERE name = ?", (disabled, name))
            db.execute("DELETE FROM sessions WHERE person = ?", (name,))

    def remove(self, name: str) -> None:
        """Forget a person, their sessions and tokens. Raises UsageError for an unknown one."""
        with self._db() as db:
            self._must_exist(db, name)
            for table, column in (("people", "name"), ("tokens", "person"), ("sessions", "person")):
                db.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))

    def people(self) -> list[dict[str, Any]]:
        """Everybody, without secrets."""
        told = "SELECT name, role, disabled, created, last_seen FROM people ORDER BY name"
        with self._db() as db:
            return [dict(r) for r in db.execute(told)]

    def sign_in(self, name: str, password: str) -> str | None:
        """A new session's id, or None. An unknown name takes as long as a wrong password."""
        with self._db() as db:
            row = db.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
        known = row["secret"] if row and row["secret"] else self._nobody
        fits = self._fits(known, password)
        if not fits or row is None or not row["secret"] or row["disabled"]:
            return None
        return self.begin(name)

    def begin(self, name: str) -> str:
        """A new session for somebody whose identity is known; always a new id."""
        session = secrets.token_urlsafe(32)
        now = self._now()
        with self._db() as db:
            db.execute("DELETE FROM sessions WHERE created < ?", (now - self._lifetime.most,))
            db.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
                (_hash(session), name, secrets.token_urlsafe(32), now, now),
            )
            db.execute("UPDATE people SET last_seen = ? WHERE name = ?", (now, name))
        return session

    def welcome(self, name: str, role: Role) -> str:
        """A session for somebody another service vouches for; their role follows what it says.

        Raises UsageError when the account is disabled here.
        """
        with self._db() as db:
            row = db.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()
            if row is None:
                db.execute(
                    "INSERT INTO people VALUES (?, ?, '', 0, ?, NULL)",
                    (name, role.value, self._now()),
                )
            elif row["disabled"]:
                raise UsageError("the account is disabled", hint="ask an admin")
            elif row["role"] != role.value:
                self.change(name, role=role)
        return self.begin(name)

    def session(self, session: str) -> Person | None:
        """Who a session belongs to, if it still lasts."""
        now = self._now()
        told = (
            "SELECT s.*, p.role, p.disabled FROM sessions s JOIN people p ON p.name = s.person "
            "WHERE s.hash = ?"
        )
        with self._db() as db:
            row = db.execute(told, (_hash(session),)).fetchone()
            if row is None:
                return None
            over = now - row["seen"] > self._lifetime.idle
            over = over or now - row["created"] > self._lifetime.most
            if over or row["disabled"]:
                db.execute("DELETE FROM sessions WHERE hash = ?", (row["hash"],))
                return None
            db.execute("UPDATE sessions SET seen = ? WHERE hash = ?", (now, row["hash"]))
        return Person(row["person"], Role(row["role"]), row["form"])

    def sign_out(self, session: str) -> None:
        """End a session."""
        with self._db() as db:
            db.execute("DELETE FROM sessions WHERE hash = ?", (_hash(session),))

    def grant(self, name: str, role: Role, days: float) -> tuple[str, str]:
        """A token's id and its secret, told once. Raises UsageError for more than they have."""
        secret = f"cl_{secrets.token_urlsafe(32)}"
        identity = secrets.token_hex(4)
        now = self._now()
        with self._db() as db:
            have = Role(self._must_exist(db, name)["role"])
            if not allows(have, role):
                raise UsageError(f"{name} is {have} and cannot grant {role}", hint="a lower role")
            db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, NULL, 0)",
                (identity, _hash(secret), name, role.value, now, now + days * 86400),
            )
        return identity, secret

    def tokens(self, name: str = "") -> list[dict[str, Any]]:
        """Tokens without their secrets, of one person or of all."""
        told = (
            "SELECT id, person, role, created, expires, last_used, revoked FROM tokens "
            "WHERE ?1 = '' OR person = ?1 ORDER BY created"
        )
        with self._db() as db:
            return [dict(r) for r in db.execute(told, (name,))]

    def revoke(self, identity: str) -> None:
        """End a token. Raises UsageError for an unknown one."""
        with self._db() as db:
            done = db.execute("UPDATE tokens SET revoked = 1 WHERE id = ?", (identity,))
            if not done.rowcount:
                raise UsageError(f"no token {identity!r}", hint="cityline tokens list")

    def bearer(self, secret: str) -> Person | None:
        """Who a token speaks for, if it is valid; never with more than the person has by now."""
        now = self._now()
        told = (
            "SELECT t.*, p.role AS has, p.disabled FROM tokens t "
            "JOIN people p ON p.name = t.person "
            "WHERE t.hash = ? AND NOT t.revoked AND t.expires > ?"
        )
        with self._db() as db:
            row = db.execute(told, (_hash(secret), now)).fetchone()
            if row is None or row["disabled"] or not allows(Role(row["has"]), Role(row["role"])):
                return None
            db.execute("UPDATE tokens SET last_used = ? WHERE id = ?", (now, row["id"]))
        return Person(row["person"], Role(row["role"]), token=row["id"])

    def _hashed(self, name: str, password: str) -> str:
        if not _LEAST <= len(password) <= _MOST or name.lower() in password.lower():
            hint = f"at least {_LEAST} characters, without the name in it; any characters will do"
            raise UsageError("this password cannot be used", hint=hint)
        return self._hasher.hash(password)

    def _fits(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password[:_MOST])
        except (VerificationError, InvalidHashError):
            return False

    def _must_exist(self, db: sqlite3.Connection, name: str) -> sqlite3.Row:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM people WHERE name = ?", (name,)
        ).fetchone()
        if row is None:
            raise UsageError(f"there is nobody called {name!r}", hint="cityline users list")
        return row

    @contextmanager
    def _db(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                if self._open is None:
                    self._open = self._connect()
                with self._open as db:
                    yield db
        except (sqlite3.Error, OSError) as error:
            hint = "check that its folder may be written"
            raise StoreError(
                f"the accounts cannot be used: {error}", where=self._path.name, hint=hint
            ) from error

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        db = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
        db.row_factory = sqlite3.Row
        db.executescript(_SCHEMA)
        return db


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
