"""Sign-in by another service, against an issuer of our own: what must not get in does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from cityline.declarations.environment import Oidc
from cityline.errors import CitylineError, NotPermitted
from cityline.web.identity.oidc import Issuer
from cityline.web.identity.roles import Role
from cityline.web.tls import Listening
from tests.conftest import Ran
from tests.ports import free_port
from tests.web.conftest import opened_here, running

CLIENT = "cityline"


class Service:
    """A sign-in service: it hands out whatever token a test asks it to."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.stranger = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.asked: list[dict[str, list[str]]] = []
        self.token: Any = None
        self.keys_asked = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith("openid-configuration"):
                    self.say({
                        "issuer": service.issuer,
                        "authorization_endpoint": f"{service.issuer}/authorize",
                        "token_endpoint": f"{service.issuer}/token",
                        "jwks_uri": f"{service.issuer}/keys",
                    })  # fmt: skip
                else:
                    service.keys_asked += 1
                    self.say({"keys": [service.key.as_dict(private=False)]})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = parse_qs(body)
                service.asked.append(form)
                self.say({"id_token": service.token(form), "access_token": "x"})

            def say(self, data: dict[str, Any]) -> None:
                body = json.dumps(data).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self) -> Oidc:
        return Oidc(
            issuer=self.issuer,
            client_id=CLIENT,
            roles={"city-admins": "admin", "city-analysts": "analyst"},
        )

    def claims(self, said: str, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        told = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u1", "email": "ana@city.example",
            "iat": now, "exp": now + 300, "nonce": said, "groups": ["x", "city-analysts"],
        }  # fmt: skip
        return {k: v for k, v in (told | changed).items() if v is not None}


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


def begun(service: Service, issuer: Issuer) -> tuple[str, str]:
    """State and nonce of a sign-in that has begun."""
    address, state = issuer.begin("/sql/")
    query = parse_qs(urlsplit(address).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["state"] == [state]
    return state, query["nonce"][0]


def opened(service: Service) -> Issuer:
    return Issuer(service.settings(), SecretStr("s"), "https://city.example/sign-in/callback/")


def test_a_person_comes_in_with_the_role_their_group_has(service: Service) -> None:
    issuer = opened(service)
    state, nonce = begun(service, issuer)
    service.token = lambda _: jwt.encode(
        {"alg": "RS256", "kid": "k1"}, service.claims(nonce), service.key
    )
    name, role, target = issuer.finish(state, "code")
    assert name.startswith("ana@city.example@")
    assert (role, target) == (Role.ANALYST, "/sql/")
    [form] = service.asked
    assert form["client_secret"] == ["s"]
    assert len(form["code_verifier"][0]) >= 43
    with pytest.raises(NotPermitted):
        issuer.finish(state, "code")  # the same state again


def part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}."


def signed(service: Service, claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1", **header}, claims, service.key)


def with_public_key(service: Service, claims: dict[str, Any]) -> str:
    """The classic swap: the public key used as if it were a shared secret."""
    head, body = part({"alg": "HS256", "kid": "k1"}), part(claims)
    secret = service.key.as_pem(private=False)
    digest = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


NOW = int(time.time())
BAD: dict[str, Any] = {
    "no signature": lambda s, n: unsigned(s.claims(n)),
    "swapped algorithm": lambda s, n: with_public_key(s, s.claims(n)),
    "a stranger's key": lambda s, n: jwt.encode({"alg": "RS256", "kid": "k1"}, s.claims(n), s.stranger),
    "an unknown key": lambda s, n: signed(s, s.claims(n), kid="k9"),
    "a key's id that is a path": lambda s, n: signed(s, s.claims(n), kid="../../etc/passwd"),
    "another audience": lambda s, n: signed(s, s.claims(n, aud="other")),
    "several audiences": lambda s, n: signed(s, s.claims(n, aud=[CLIENT, "other"])),
    "another issuer": lambda s, n: signed(s, s.claims(n, iss="https://evil.example")),
    "expired": lambda s, n: signed(s, s.claims(n, exp=NOW - 600)),
    "never expires": lambda s, n: signed(s, s.claims(n, exp=None)),
    "not valid yet": lambda s, n: signed(s, s.claims(n, nbf=NOW + 3600)),
    "made in the future": lambda s, n: signed(s, s.claims(n, iat=NOW + 3600)),
    "another nonce": lambda s, n: signed(s, s.claims("other")),
    "no nonce": lambda s, n: signed(s, s.claims(n, nonce=None)),
    "nobody": lambda s, n: signed(s, s.claims(n, sub=None)),
    "no role": lambda s, n: signed(s, s.claims(n, groups=["gardeners"])),
    "changed afterwards": lambda s, n: signed(s, s.claims(n))[:-4] + "AAAA",
    "nonsense": lambda s, n: "a.b.c",
    "nothing": lambda s, n: None,
}  # fmt: skip


@pytest.mark.parametrize("attack", BAD)
def test_what_is_not_as_it_must_be_is_refused(service: Service, attack: str) -> None:
    issuer = opened(service)
    state, nonce = begun(service, issuer)
    token = BAD[attack](service, nonce)
    service.token = lambda _: token
    with pytest.raises(NotPermitted):
        issuer.finish(state, "code")


def test_strangers_keys_do_not_make_us_ask_for_ever(service: Service) -> None:
    issuer = opened(service)
    for n in range(5):
        state, nonce = begun(service, issuer)
        token = signed(service, service.claims(nonce), kid=f"k{n + 5}")
        service.token = lambda _, token=token: token
        with pytest.raises(CitylineError):
            issuer.finish(state, "code")
    assert service.keys_asked <= 2


def test_the_whole_way_through_the_browser(service: Service, ran: Ran, tmp_path: Path) -> None:
    port = free_port()
    at = Listening(port=port)
    address = f"http://127.0.0.1:{port}"
    issuer = Issuer(service.settings(), None, f"{address}/sign-in/callback/")
    here = replace(opened_here(ran, tmp_path, at), issuer=issuer)
    with running(here, at), httpx.Client(base_url=address) as client:
        page = client.get("/sign-in/").text
        assert "sign in with your organisation" in page
        away = client.get("/sign-in/elsewhere/", params={"next": "/sql/"})
        query = parse_qs(urlsplit(away.headers["location"]).query)
        nonce, state = query["nonce"][0], query["state"][0]
        service.token = lambda _: signed(service, service.claims(nonce))
        with httpx.Client(base_url=address) as other:
            stolen = other.get("/sign-in/callback/", params={"state": state, "code": "c"})
            assert stolen.status_code == 403, "another browser brings the answer back"
        back = client.get("/sign-in/callback/", params={"state": state, "code": "c"})
        assert (back.status_code, back.headers["location"]) == (303, "/sql/")
        assert client.get("/sql/").status_code == 200
        assert client.get("/ops/").status_code == 403
        name = next(p["name"] for p in here.accounts.people() if "@" in str(p["name"]))
        here.accounts.change(str(name), disabled=True)
        assert client.get("/sql/").status_code == 303
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(service.asked[-1]["code_verifier"][0].encode()).digest()
        ).rstrip(b"=")
        assert query["code_challenge"][0] == challenge.decode()
