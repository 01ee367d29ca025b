"""What attackers try: sessions, forms from elsewhere, paths, redirects, floods, slow and large
requests, leaking errors, TLS."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cityline.errors import UsageError
from cityline.web import tls
from cityline.web.app import redirecting
from cityline.web.identity.accounts import Accounts, Lifetime
from cityline.web.identity.limits import Buckets, Rate
from cityline.web.identity.roles import Role
from cityline.web.signing import local
from tests.conftest import Ran
from tests.ports import free_port
from tests.web.conftest import PASSWORD, Served, opened_here, running, sign_in


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(tmp_path: Path, clock: Clock) -> Accounts:
    made = Accounts(tmp_path / "access.db", Lifetime(1800, 43_200), clock)
    made.add("ana", Role.ANALYST, PASSWORD)
    return made


def test_the_file_of_accounts_is_for_its_owner_and_holds_no_secret(
    accounts: Accounts, tmp_path: Path
) -> None:
    session = accounts.sign_in("ana", PASSWORD)
    assert session
    _, token = accounts.grant("ana", Role.VIEWER, 1)
    path = tmp_path / "access.db"
    assert path.stat().st_mode & 0o777 == 0o600
    body = path.read_bytes()
    for secret in (PASSWORD, session, token):
        assert secret.encode() not in body
    assert b"$argon2id$" in body


@pytest.mark.parametrize("password", ["short", "elevenchars", "x" * 1025])
def test_weak_passwords_are_refused(accounts: Accounts, password: str) -> None:
    with pytest.raises(UsageError, match="password"):
        accounts.add("bea", Role.VIEWER, password)
    with pytest.raises(UsageError, match="password"):
        accounts.change("ana", password=password)
    with pytest.raises(UsageError, match="password"):
        accounts.change("ana", password="ana-and-more-letters")  # noqa: S106 - refused


def test_a_session_ends_when_idle_too_old_signed_out_changed_or_disabled(
    accounts: Accounts, clock: Clock
) -> None:
    def fresh() -> str:
        session = accounts.sign_in("ana", PASSWORD)
        assert session
        assert accounts.session(session)
        return session

    idle = fresh()
    clock.now += 1801
    assert accounts.session(idle) is None
    old = fresh()
    for _ in range(30):
        clock.now += 1500
        accounts.session(old)
    assert accounts.session(old) is None, "used all the time, but too old"
    out = fresh()
    accounts.sign_out(out)
    assert accounts.session(out) is None
    changed = fresh()
    accounts.change("ana", role=Role.VIEWER)
    assert accounts.session(changed) is None
    disabled = fresh()
    _, token = accounts.grant("ana", Role.VIEWER, 1)
    assert accounts.bearer(token)
    accounts.change("ana", disabled=True)
    assert accounts.session(disabled) is None
    assert accounts.bearer(token) is None
    assert accounts.sign_in("ana", PASSWORD) is None


def test_tokens_end_and_never_carry_more_than_their_person(
    accounts: Accounts, clock: Clock
) -> None:
    identity, token = accounts.grant("ana", Role.ANALYST, 2)
    person = accounts.bearer(token)
    assert person
    assert person.role is Role.ANALYST
    accounts.change("ana", role=Role.VIEWER)
    assert accounts.bearer(token) is None, "the person has less by now"
    accounts.change("ana", role=Role.ANALYST)
    accounts.revoke(identity)
    assert accounts.bearer(token) is None
    _, short = accounts.grant("ana", Role.VIEWER, 1)
    clock.now += 86_401
    assert accounts.bearer(short) is None
    with pytest.raises(UsageError, match="cannot grant"):
        accounts.grant("ana", Role.ADMIN, 1)
    for wrong in ("", "cl_", token[:-1], token + "x", "' OR '1'='1"):
        assert accounts.bearer(wrong) is None


def test_an_unknown_name_takes_as_long_as_a_wrong_password(accounts: Accounts) -> None:
    """In time of the processor, by turns: others have the machine as well."""
    times: dict[str, list[float]] = {"nobody": [], "ana": []}
    for name in ["nobody", "ana"] * 5:
        began = time.process_time()
        assert accounts.sign_in(name, "wrong-password-here") is None
        times[name].append(time.process_time() - began)
    assert statistics.median(times["nobody"]) > statistics.median(times["ana"]) / 3


def test_no_session_can_be_planted(served: Served) -> None:
    client = served.client()
    client.cookies.set("cityline", "planted")
    answer = sign_in(client, "the-viewer")
    assert answer.status_code == 303
    assert client.cookies.get("cityline", domain="127.0.0.1") != "planted"
    assert served.here.accounts.session("planted") is None
    first = client.cookies.get("cityline", domain="127.0.0.1")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("cityline="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    again = served.client(cookies={"cityline": first or ""})
    sign_in(again, "the-viewer")
    assert served.here.accounts.session(first or "") is None, "signing in ends the one before"


def test_signing_out_is_at_once(served: Served) -> None:
    client = served.signed_in(Role.STEWARD)
    session = client.cookies["cityline"]
    assert client.get("/ops/").status_code == 200
    assert client.post("/sign-out/", data={"form": "wrong"}).status_code == 403
    client.post("/sign-out/", data={"form": served.form(client)})
    stolen = served.client(cookies={"cityline": session})
    assert stolen.get("/ops/").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1.evil.example"},
    ],
)
def test_forms_from_other_sites_are_refused(served: Served, headers: dict[str, str]) -> None:
    client = served.signed_in(Role.ANALYST)
    asked = {"form": served.form(client), "sql": "SELECT 1"}
    assert client.post("/sql/", data=asked, headers=headers).status_code == 403
    assert client.post("/sql/", data=asked).status_code == 200
    assert client.post("/sql/", data={"sql": "SELECT 1"}).status_code == 403, "no secret of ours"
    crossed = client.get("/", headers=headers)
    assert "access-control-allow-origin" not in crossed.headers
    assert client.options("/", headers=headers).status_code == 405


PATHS = [
    "/../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd",
    "/%252e%252e%252fetc%252fpasswd", "/..\\..\\etc\\passwd", "/..%5c..%5cetc%5cpasswd",
    "/static/../../../../etc/passwd", "/static/..%2f..%2f..%2fledger.db", "/files/../../ledger.db",
    "/files/%2e%2e/%2e%2e/access.db", "/.git/config", "/.git/", "/.env", "/ledger.db",
    "/access.db", "/static/", "/files/", "/files", "/releases/", "/current", "/manifest.json~",
    "/index.html.bak", "/index.html%00.csv", "/%00", "/fr/../../ledger.db", "/static/..;/x",
    "/....//....//etc/passwd", "//etc/passwd", "/file:///etc/passwd", "/ops/static/../here.py",
    "/ops/static/vendor/htmx.js", "/ops/static/%2e%2e%2fapp.py", "/static/site.css",
    "/questions/../../../ledger.db", "/data/snapshots/../../../ledger.db", "/lake/",
    "/files/departments.exe?year=2023", "/files/..%2f..%2fx.csv?year=2023",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leaves_the_release(served: Served, path: str) -> None:
    """Asked as written: a client that tidies paths would hide the attack."""
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        line = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        raw.sendall(line.encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    status = int(answer.split()[1])
    assert status in (303, 307, 400, 404), answer[:200]
    if status == 307:
        assert b"location: /static/" not in answer
    for leak in (b"root:", b"SQLite", b"[core]", b"Index of", b"import "):
        assert leak not in answer


TARGETS = ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
           "/%2f%2fevil.example", "/%5cevil.example", "%2f%2fevil.example", "/%252f%252fevil",
           "javascript:alert(1)", "/\tevil", "/\r\nLocation: x", " /x", "", "///evil",
           "/\x00"]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_no_redirect_leaves_the_site(served: Served, target: str) -> None:
    found = local(target)
    assert found.startswith("/")
    assert not found.startswith(("//", "/\\"))
    if "evil" in target and not target.startswith("/%252f"):
        assert found == "/"
    client = served.client()
    page = client.get("/sign-in/", params={"next": target})
    token = page.text.partition('name="token" value="')[2].partition('"')[0]
    data = {"name": "the-viewer", "password": PASSWORD, "token": token, "next": target}
    location = client.post("/sign-in/", data=data).headers["location"]
    assert httpx.URL(f"{served.address}/x").join(location).host == "127.0.0.1"


def test_local_paths_are_kept() -> None:
    for path in ("/", "/ops/", "/questions/departments/?year=2023&channel=Phone", "/a%20b"):
        assert local(path) == path


def test_an_error_says_nothing_of_the_inside(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("planted /srv/secret SELECT x\r\nFAKE LINE \x1b[31m")

    monkeypatch.setattr(type(served.here.service), "page", broken)
    with caplog.at_level(logging.ERROR, logger="cityline.web"):
        answer = served.client().get("/questions/departments/?year=2023")
        deadline = time.monotonic() + 5
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.05)
    assert answer.status_code == 500
    for leak in ("planted", "secret", "SELECT", "Traceback", "RuntimeError", "duckdb", ".py"):
        assert leak not in answer.text
    identity = answer.headers["x-request-id"]
    assert identity in answer.text
    [record] = caplog.records
    assert identity in record.getMessage()
    assert "planted" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert "\x1b" not in record.getMessage()
    monkeypatch.undo()
    assert served.client().get("/questions/departments/?year=2023").status_code == 200


def test_guessing_is_slowed_and_locks_nobody_else_out(ran: Ran, tmp_path: Path) -> None:
    here = opened_here(ran, tmp_path)
    at = tls.Listening(port=free_port(), behind_proxy=True)
    here = replace(
        here, behind_proxy=True, sign_ins=Buckets(Rate(10, 10 / 3600))
    )  # none comes back meanwhile
    with running(here, at) as address:

        def attempt(client: str, password: str) -> int:
            headers = {"x-forwarded-for": client}
            with httpx.Client(base_url=address, headers=headers, timeout=30) as one:
                return sign_in(one, "the-viewer", password).status_code

        told = [attempt("10.0.0.1", f"guess number {n}") for n in range(30)]
        assert told.count(401) == 10
        assert told.count(429) == 20
        assert attempt("10.0.0.2", PASSWORD) == 303, "the person, from elsewhere"


def test_a_flood_is_refused_and_others_are_served(ran: Ran, tmp_path: Path) -> None:
    here = opened_here(ran, tmp_path)
    at = tls.Listening(port=free_port(), behind_proxy=True)
    here = replace(
        here, behind_proxy=True, requests=Buckets(Rate(300, 1 / 3600))
    )  # none comes back meanwhile
    with running(here, at) as address:
        with httpx.Client(base_url=address, headers={"x-forwarded-for": "10.9.9.9"}) as one:
            told = [one.get("/ops/static/ops.css").status_code for _ in range(400)]
        assert told == [200] * 300 + [429] * 100
        calm = httpx.get(f"{address}/", headers={"x-forwarded-for": "10.9.9.8"})
        assert calm.status_code == 200


def test_large_bodies_headers_and_queries_are_refused(served: Served) -> None:
    client = served.client()
    host, port = served.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        lines = (
            f"POST /sign-in/ HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 100000000\r\n\r\n"
        )
        raw.sendall(lines.encode())
        assert raw.recv(200).startswith(b"HTTP/1.1 413"), "refused before it is sent"

    def endless() -> object:
        for _ in range(40):
            yield b"x" * 65_536

    answered = 0
    try:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        sent = client.post("/sign-in/", content=endless(), headers=kind)  # type: ignore[arg-type]
        answered = sent.status_code
    except httpx.TransportError:
        answered = 413  # it hung up while we were still sending
    assert answered in (400, 413), "a field that is too long, or a body"
    many = "&".join(f"a{n}=1" for n in range(10_000))
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(f"GET /?{many} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert raw.recv(200).split()[1] in (b"400", b"414", b"431")
    assert client.get("/?" + "&".join(f"a{n}=1" for n in range(300))).status_code == 414
    assert client.get("/", headers={"x-a": "b" * 20_000}).status_code in (400, 431)
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    assert client.get("/").status_code == 200


def test_slow_clients_hold_nobody_up(served: Served) -> None:
    host, port = served.address.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port)), timeout=30) for _ in range(200)]
    try:
        for one in slow:
            one.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        clients = [served.client() for _ in range(20)]
        with ThreadPoolExecutor(4) as pool:
            began = time.monotonic()
            told = list(pool.map(lambda client: client.get("/").status_code, clients))
        assert told == [200] * 20
        assert time.monotonic() - began < 8
        slow[0].settimeout(14)
        assert slow[0].recv(100) == b"", "it is hung up on after a while"
    finally:
        for one in slow:
            one.close()


def test_tls_by_certificate_with_a_redirect_from_plain_http(ran: Ran, tmp_path: Path) -> None:
    certificate, key = tls.self_signed(tmp_path / "tls", "127.0.0.1")
    assert key.stat().st_mode & 0o077 == 0
    assert tls.self_signed(tmp_path / "tls", "127.0.0.1") == (certificate, key)
    at = tls.Listening(port=free_port(), certificate=certificate, key=key)
    here = opened_here(ran, tmp_path, at)
    trust = ssl.create_default_context(cafile=str(certificate))
    with running(here, at) as address, httpx.Client(base_url=address, verify=trust) as client:
        answer = client.get("/")
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        assert sign_in(client, "the-viewer").status_code == 303
        assert "__Host-cityline" in client.cookies
        assert client.get("/account/").status_code == 200
    transport = httpx.ASGITransport(redirecting(8443))
    plain = httpx.AsyncClient(transport=transport, base_url="http://city.example")

    async def ask() -> httpx.Response:
        async with plain:
            return await plain.get("/questions/")

    found = asyncio.run(ask())
    assert (found.status_code, found.headers["location"]) == (
        308,
        "https://city.example:8443/questions/",
    )


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="could be heard"):
        tls.Listening("0.0.0.0").check()  # noqa: S104 - that is what is refused
    tls.Listening("0.0.0.0", behind_proxy=True).check()  # noqa: S104
    (tmp_path / "x.pem").write_text("no certificate", encoding="utf-8")
    with pytest.raises(UsageError, match="certificate cannot be used"):
        tls.Listening(certificate=tmp_path / "x.pem", key=tmp_path / "x.pem").check()


def test_only_listed_networks_may_ask(ran: Ran, tmp_path: Path) -> None:
    here = opened_here(ran, tmp_path)
    settings = here.settings.model_copy(update={"networks": ("10.1.0.0/16",)})
    at = tls.Listening(port=free_port(), behind_proxy=True)
    with running(replace(here, settings=settings, behind_proxy=True), at) as address:
        inside = httpx.get(f"{address}/", headers={"x-forwarded-for": "10.1.2.3"})
        outside = httpx.get(f"{address}/", headers={"x-forwarded-for": "10.2.2.3"})
    assert (inside.status_code, outside.status_code) == (200, 403)
