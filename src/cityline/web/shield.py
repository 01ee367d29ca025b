"""Around every answer: limits before it, headers and a quiet error page after it."""

from __future__ import annotations

import asyncio
import html
import logging
import secrets
import traceback
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cityline.web.here import Here

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; object-src 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "x-frame-options": "DENY",
}
_YEAR = "max-age=31536000; includeSubDomains"
_BODY = 1_000_000
_QUERY = 8_000
_PARAMETERS = 200
_HEADER_BYTES = 16_000
_PATIENCE = 15.0
"""Seconds a request's body may take to arrive."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_log = logging.getLogger("cityline.web")


class TooMuch(Exception):
    """A body that is larger or slower than it may be."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Shield:
    """ASGI middleware. What it refuses never reaches a route; what goes wrong inside is told to the
    log with an id, and to the reader by that id alone."""

    def __init__(self, app: ASGIApp, here: Here) -> None:
        self._app = app
        self._here = here
        self._networks = [ip_network(n) for n in here.settings.networks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = secrets.token_hex(8)
        scope["state"] = {**scope.get("state", {}), "request": identity}
        headers = Headers(scope=scope)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._dress(MutableHeaders(scope=message), identity)
            await send(message)

        refused = self._refused(scope, headers)
        if refused:
            status, told, more = refused
            await _plain(sending, status, told, identity, more)
            return
        try:
            await self._app(scope, _limited(receive), sending)
        except Exception as error:  # noqa: BLE001 - the last resort: told to the log, not the reader
            _log.error("request %s failed: %s", identity, _encoded(error))
            if not begun:
                await _plain(sending, 500, "Something went wrong here.", identity, {})

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str, dict[str, str]] | None:
        host = headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name not in self._here.settings.hosts:
            return 421, "This server does not answer to that name.", {}
        if sum(len(k) + len(v) for k, v in headers.raw) > _HEADER_BYTES:
            return 431, "The headers are too large.", {}
        query = scope.get("query_string", b"")
        if len(query) > _QUERY or query.count(b"&") >= _PARAMETERS:
            return 414, "The address is too long.", {}
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _BODY:
            return 413, "That is more than may be sent.", {"connection": "close"}
        where = scope["client"][0] if scope.get("client") else "unknown"
        if self._networks and not _inside(where, self._networks):
            return 403, "This network may not ask.", {}
        wait = self._here.requests.take(where)
        if wait:
            return 429, "Too many requests.", {"retry-after": str(int(wait) + 1)}
        if scope["method"] not in _SAFE and self._foreign(headers):
            self._here.events.write(
                "forgery", "", scope["path"], "refused", scope["state"]["request"], client=where
            )
            return 403, "This request comes from another site.", {}
        if not self._here.service.published:
            return 503, "Nothing is published here yet.", {"retry-after": "30"}
        return None

    def _foreign(self, headers: Headers) -> bool:
        """Whether a browser says that another site sent a form. A program says neither."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site not in (None, "same-origin", "none"):
            return True
        scheme = "https" if self._here.secure else "http"
        return origin is not None and origin != f"{scheme}://{headers.get('host', '')}"

    def _dress(self, headers: MutableHeaders, identity: str) -> None:
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if self._here.secure:
            headers["strict-transport-security"] = _YEAR
        headers.setdefault("cache-control", "no-store")
        headers["x-request-id"] = identity
        if "server" in headers:
            del headers["server"]


def _inside(where: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(where)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _limited(receive: Receive) -> Receive:
    """A body of at most a megabyte that arrives in reasonable time."""
    size = 0

    async def receiving() -> Message:
        nonlocal size
        try:
            message = await asyncio.wait_for(receive(), _PATIENCE)
        except TimeoutError as error:
            raise TooMuch(408) from error
        size += len(message.get("body", b""))
        if size > _BODY:
            raise TooMuch(413)
        return message

    return receiving


def page_of(status: int, told: str, identity: str) -> str:
    """The page of a refusal: the request's id, and nothing of the inside."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{status}</title>'
        f"<h1>{html.escape(told)}</h1><p>Request {identity}</p></html>"
    )


async def _plain(send: Send, status: int, told: str, identity: str, more: dict[str, str]) -> None:
    """A page that needs nothing: no template, no style, no city."""
    body = page_of(status, told, identity).encode()
    headers = {"content-type": "text/html; charset=utf-8", "content-length": str(len(body)), **more}
    raw = [(k.encode(), v.encode()) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _encoded(error: BaseException) -> str:
    """A stack on one line, so that no text of a request can begin a line of its own."""
    told = "".join(traceback.format_exception(error))
    return told.encode("unicode_escape").decode("ascii")
