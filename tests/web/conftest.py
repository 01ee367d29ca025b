"""A browser, and a server of the city with one person of each role."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from cityline.web.app import build
from cityline.web.here import Here
from cityline.web.identity.limits import Buckets, Rate
from cityline.web.identity.roles import Role
from cityline.web.opening import open_here
from cityline.web.tls import Listening, server
from tests.conftest import Ran
from tests.ports import free_port

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PASSWORD = "correct horse battery"  # noqa: S105 - of people who exist only here


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class Served:
    """A running server."""

    address: str
    here: Here
    opened: list[httpx.Client] = field(default_factory=list)

    def client(self, **options: Any) -> httpx.Client:
        """A browser without cookies; it is closed when the test ends."""
        self.opened.append(httpx.Client(base_url=self.address, timeout=30, **options))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def signed_in(self, role: Role) -> httpx.Client:
        """A browser's cookies after signing in as the person of a role."""
        client = self.client()
        sign_in(client, f"the-{role}")
        return client

    def form(self, client: httpx.Client) -> str:
        """The secret that this session's forms carry."""
        session = client.cookies.get(self.here.cookie)
        person = self.here.accounts.session(session or "")
        assert person is not None
        return person.form


def sign_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    page = client.get("/sign-in/")
    token = page.text.partition('name="token" value="')[2].partition('"')[0]
    data = {"name": name, "password": password, "token": token, "next": "/account/"}
    return client.post("/sign-in/", data=data)


@contextmanager
def running(here: Here, at: Listening) -> Iterator[str]:
    """A server in a thread, until the context ends."""
    one = server(build(here), at)
    thread = threading.Thread(target=one.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not one.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield f"{'https' if at.certificate else 'http'}://127.0.0.1:{at.port}"
    one.should_exit = True
    thread.join(10)


def opened_here(ran: Ran, folder: Path, at: Listening | None = None) -> Here:
    """What a server finds, with accounts and events of its own."""
    here = open_here(ran.parts, at or Listening(port=free_port()))
    here = replace(here, accounts=type(here.accounts)(folder / "access.db"))
    here = replace(here, events=type(here.events)(folder / "access.jsonl"))
    for role in Role:
        here.accounts.add(f"the-{role}", role, PASSWORD)
    return here


@pytest.fixture
def served(whole_served: Served) -> Iterator[Served]:
    """The server; what a test opened there is closed after it."""
    yield whole_served
    whole_served.close()


@pytest.fixture(scope="session")
def whole_served(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over plain HTTP on this machine, for tests that leave no trace for others."""
    at = Listening(port=free_port())
    here = opened_here(ran, tmp_path_factory.mktemp("served"), at)
    # the tests ask far more often than people do
    freely = Rate(100_000, 10_000)
    here = replace(
        here, requests=Buckets(freely), sign_ins=Buckets(freely), queries=Buckets(freely)
    )
    with running(here, at) as address:
        yield Served(address, here)
