"""Sign-in by another service: OpenID Connect's code flow with PKCE, state and nonce.

Signatures and claims are checked by joserfc; an algorithm that is not in the list is refused before
any key is looked at.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from pydantic import SecretStr

from cityline.declarations.environment import Oidc
from cityline.errors import NotPermitted, SourceUnreachable
from cityline.web.identity.roles import Role

_ALGORITHMS = ["RS256", "PS256", "ES256"]
_PATIENCE = 600
"""Seconds a person has to come back from the other service."""
_KEPT = 1000
_REFRESH = 30
"""Seconds between looking for new keys; strangers' key ids must not make us ask for ever."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that has begun: what must come back with it, and where to go then."""

    nonce: str
    verifier: str
    next: str
    began: float


class Issuer:
    """The service that vouches for people. `redirect` is our own callback's address."""

    def __init__(
        self,
        settings: Oidc,
        secret: SecretStr | None,
        redirect: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._redirect = redirect
        self._now = now
        self._lock = threading.RLock()
        self._pending: OrderedDict[str, Pending] = OrderedDict()
        self._facts: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asked = 0.0

    def begin(self, next_path: str) -> tuple[str, str]:
        """Where to send the person, and the state that this browser must bring back.

        Raises SourceUnreachable when the service does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect,
            "scope": self._settings.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = f"{self._discovered()['authorization_endpoint']}?{urlencode(asked)}"
        with self._lock:
            self._pending[state] = Pending(nonce, verifier, next_path, self._now())
            while len(self._pending) > _KEPT:
                self._pending.popitem(last=False)
        return address, state

    def finish(self, state: str, code: str) -> tuple[str, Role, str]:
        """The person's name, role and where they were going. A state works once.

        Raises NotPermitted for anything that is not as it must be.
        """
        with self._lock:
            pending = self._pending.pop(state, None)
        if pending is None or self._now() - pending.began > _PATIENCE:
            raise NotPermitted("this sign-in is unknown or too old", hint="sign in again")
        claims = self._verified(self._exchanged(code, pending.verifier), pending.nonce)
        return self._named(claims), self._role(claims), pending.next

    def _exchanged(self, code: str, verifier: str) -> str:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect,
            "client_id": self._settings.client_id,
            "code_verifier": verifier,
        }
        if self._secret is not None:
            asked["client_secret"] = self._secret.get_secret_value()
        told = self._asking("POST", self._discovered()["token_endpoint"], data=asked)
        token = told.get("id_token")
        if not isinstance(token, str):
            raise NotPermitted("the service sent no identity", hint="sign in again")
        return token

    def _verified(self, token: str, nonce: str) -> Mapping[str, Any]:
        """The claims of a token that is signed by the issuer, for us, now, and for this sign-in."""
        registry = JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=30,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            decoded = self._decoded(token)
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            kind = type(error).__name__
            raise NotPermitted(
                f"the identity is not valid ({kind})", hint="sign in again"
            ) from error
        several = isinstance(decoded.claims["aud"], list) and len(decoded.claims["aud"]) > 1
        if several and decoded.claims.get("azp") != self._settings.client_id:
            raise NotPermitted("the identity is for somebody else", hint="sign in again")
        return decoded.claims

    def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._known_keys(), algorithms=_ALGORITHMS)
        except ValueError:  # a key we do not have yet: look once, but not for every stranger
            if self._now() - self._asked < _REFRESH:
                raise
            with self._lock:
                self._keys = None
            return jwt.decode(token, self._known_keys(), algorithms=_ALGORITHMS)

    def _named(self, claims: Mapping[str, Any]) -> str:
        name = str(claims.get(self._settings.name_claim) or claims["sub"])
        return f"{name[:200]}@{self._settings.issuer.removeprefix('https://')}"

    def _role(self, claims: Mapping[str, Any]) -> Role:
        """The first declared role among what the service says of the person."""
        said = claims.get(self._settings.role_claim, ())
        groups = [said] if isinstance(said, str) else list(said)
        for group, role in self._settings.roles.items():
            if group in groups:
                return Role(role)
        raise NotPermitted("this account has no role here", hint="ask an admin")

    def _discovered(self) -> Mapping[str, Any]:
        with self._lock:
            if self._facts is None:
                base = self._settings.issuer.rstrip("/")
                facts = self._asking("GET", f"{base}/.well-known/openid-configuration")
                if facts.get("issuer") != self._settings.issuer:
                    raise NotPermitted("the service says it is another one", where=base)
                self._facts = facts
            return self._facts

    def _known_keys(self) -> KeySet:
        with self._lock:
            if self._keys is None:
                self._asked = self._now()
                told = self._asking("GET", self._discovered()["jwks_uri"])
                self._keys = KeySet.import_key_set({"keys": told.get("keys", [])})
            return self._keys

    def _asking(self, method: str, address: str, **options: Any) -> dict[str, Any]:
        try:
            answer = httpx.request(method, address, timeout=10, follow_redirects=False, **options)
            answer.raise_for_status()
            told = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            what = "the sign-in service does not answer as it should"
            where = self._settings.issuer
            raise SourceUnreachable(what, where=where, hint="try again in a moment") from error
        if not isinstance(told, dict):
            raise NotPermitted("the service's answer is not an object", where=address)
        return told
