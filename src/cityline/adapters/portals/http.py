"""HTTP as portals need it: one total deadline, retries, capped bodies, and every error mapped.

Another attempt is made for what may pass (no connection, 5xx, a plain 429, a body that was cut)
and never for what is final. Connections are not reused, so that the deadline knows each of them.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import httpx

from cityline import __version__
from cityline.adapters.portals.attempts import Again, Timing, patiently
from cityline.adapters.portals.bodies import ACCEPTED, decoded
from cityline.adapters.portals.deadline import Deadline
from cityline.adapters.portals.receiving import receive
from cityline.adapters.portals.redirects import keeps_key, next_address
from cityline.adapters.portals.refusals import excerpt, refusal
from cityline.errors import SourceDamaged, SourceRefused, SourceUnreachable
from cityline.ports.portal import Download

__all__ = ["HttpClient", "Timing"]

_T = TypeVar("_T")
_JSON_CAP = 64_000_000
_ERROR_CAP = 1_000_000
_BEGINNING = 512
_REDIRECTS = 5
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_HINT = "check the address and the network; the last good state stays"


class HttpClient:
    """GET with retries under one deadline. `secrets` are headers for the portal itself; they are
    never told, and never sent to another place."""

    def __init__(
        self,
        base_url: str,
        timing: Timing,
        secrets: Mapping[str, str],
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._timing = timing
        self._secrets = dict(secrets)
        self._allowed = frozenset(allowed_hosts)
        self._start = _address(base_url)
        self._client = httpx.Client(
            headers={"User-Agent": f"cityline/{__version__}", "Accept-Encoding": ACCEPTED},
            http2=False,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=self._start.host not in _LOOPBACK,  # no proxy stands before this machine
        )

    def json(self, url: str, parameters: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
        """A JSON answer and its headers."""

        def once(response: httpx.Response, body: Iterable[bytes]) -> tuple[Any, Mapping[str, str]]:
            data = b"".join(body)
            try:
                return json.loads(data), dict(response.headers)
            except (ValueError, RecursionError) as error:
                what = f"the portal sent no JSON but: {excerpt(data)}"
                raise SourceDamaged(what, where=place(url), hint="try again later") from error

        return self._get(url, parameters, _JSON_CAP, once)

    def download(
        self,
        url: str,
        parameters: Mapping[str, str],
        into: Path,
        max_bytes: int,
        check: Callable[[str, bytes], None],
    ) -> Download:
        """Stream a body to a file that appears complete or not at all.

        `check` sees the content type and the first bytes before anything is written, and raises.
        """

        def once(response: httpx.Response, body: Iterable[bytes]) -> Download:
            kind = response.headers.get("content-type", "")
            blocks = iter(body)
            first = _beginning(blocks)
            check(kind, first)
            received = receive(chain([first], blocks), into)
            return Download(
                path=into,
                url=str(response.request.url),
                bytes=received.bytes,
                sha256=received.sha256,
                content_type=kind,
                headers=dict(response.headers),
            )

        return self._get(url, parameters, max_bytes, once)

    def _get(
        self,
        url: str,
        parameters: Mapping[str, str],
        max_bytes: int,
        use: Callable[[httpx.Response, Iterable[bytes]], _T],
    ) -> _T:
        """Open, check the status, hand the body to `use`; again as long as that makes sense."""
        deadline = Deadline(self._timing.deadline)
        address = _address(url).copy_merge_params(parameters)
        where = place(url)

        def once() -> _T:
            with _mapped(where, deadline), self._opened(address, deadline, where) as response:
                if response.status_code != httpx.codes.OK:
                    body = b"".join(decoded(response, _ERROR_CAP, deadline, where))
                    status = response.status_code
                    raise refusal(status, response.headers, body, deadline, where)
                blocks = decoded(response, max_bytes, deadline, where)
                return use(response, _in_time(blocks, deadline, where))

        return patiently(once, self._timing, deadline)

    @contextmanager
    def _opened(
        self, address: httpx.URL, deadline: Deadline, where: str
    ) -> Iterator[httpx.Response]:
        """A response, after the redirects that are allowed."""
        with deadline.cutting() as trace:
            for _ in range(_REDIRECTS + 1):
                response = self._send(address, deadline, trace)
                try:
                    if not response.is_redirect:
                        yield response
                        return
                    location = response.headers["location"]
                    address = next_address(address, location, self._allowed, where)
                finally:
                    response.close()
        raise SourceRefused("the portal redirects in a circle", where=where, hint=_HINT)

    def _send(self, address: httpx.URL, deadline: Deadline, trace: Any) -> httpx.Response:
        left = max(deadline.left(), 0.001)
        timing = self._timing
        request = self._client.build_request(
            "GET",
            address,
            headers=self._secrets if keeps_key(self._start, address) else None,
            timeout=httpx.Timeout(min(timing.read, left), connect=min(timing.connect, left)),
            extensions={"trace": trace},
        )
        return self._client.send(request, stream=True)


def place(url: str) -> str:
    """The address without query and user: what to look at, and nothing secret."""
    address = _address(url)
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{address.host}{port}{address.path}"


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise SourceRefused(f"not an address: {url[:200]}", hint="https://host/path") from error
    if address.scheme not in ("http", "https") or not address.host:
        hint = "an address begins with https://"
        raise SourceRefused(f"not an address of a portal: {url[:200]}", hint=hint)
    if address.userinfo:
        hint = "a key goes into CITYLINE_PORTAL_KEY"
        raise SourceRefused("an address may not hold a name or password", hint=hint)
    return address


def _beginning(blocks: Iterator[bytes]) -> bytes:
    """Enough of a body to see what it is."""
    first = b""
    while len(first) < _BEGINNING and (block := next(blocks, b"")):
        first += block
    return first


def _in_time(blocks: Iterable[bytes], deadline: Deadline, where: str) -> Iterator[bytes]:
    """The blocks, while there is time: a body that merely stops at the deadline is not whole."""
    yield from blocks
    if deadline.passed():
        raise _late(where)


def _late(where: str) -> SourceUnreachable:
    what = "the portal did not finish within the total deadline"
    hint = "try again later, or raise http.deadline in the environment"
    return SourceUnreachable(what, where=where, hint=hint)


@contextmanager
def _mapped(where: str, deadline: Deadline) -> Iterator[None]:
    """Turn httpx's errors into ours, and say which may pass."""
    try:
        yield
    except (httpx.TransportError, httpx.StreamError) as error:
        if deadline.passed():
            raise _late(where) from error
        raise _translated(error, where) from error


def _translated(error: Exception, where: str) -> Exception:
    if _bad_certificate(error):
        what = f"the portal's certificate is not valid: {error}"
        hint = "nothing was sent; check the address, the clock and the network's proxy"
        return SourceUnreachable(what, where=where, hint=hint)
    if isinstance(error, httpx.TimeoutException):
        return Again(
            SourceUnreachable("the portal did not answer in time", where=where, hint=_HINT)
        )
    if isinstance(error, (httpx.RemoteProtocolError, httpx.ReadError)):
        what = "the portal's answer was cut short"
        return Again(SourceDamaged(what, where=where, hint="try again later"))
    if isinstance(error, httpx.UnsupportedProtocol):
        return SourceRefused(f"not an address: {error}", where=where)
    return Again(
        SourceUnreachable(f"the portal cannot be reached: {error}", where=where, hint=_HINT)
    )


def _bad_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
