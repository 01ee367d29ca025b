"""HTTP as portals need it: one total deadline, bounded jittered retries, and every error mapped.

A retry happens for what may pass (no connection, 5xx, a plain 429, a body that was cut) and never
for what is final. The deadline is for everything together, slow bodies included.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from cityline import __version__
from cityline.errors import (
    CitylineError,
    SourceDamaged,
    SourceQuota,
    SourceRefused,
    SourceUnreachable,
    StoreError,
    StoreFull,
)
from cityline.ports.portal import Download

_T = TypeVar("_T")
_MAX_WAIT = 20.0
_MAX_RATIO = 200
"""Decoded bytes per received byte; a table of text compresses far less than that."""
_JSON_CAP = 64_000_000
_NO_SPACE = 28


class _CutShort(SourceDamaged):
    """The body ended early; another attempt may be whole."""

    passing = True


class _Busy(SourceUnreachable):
    """The server asks to wait so many seconds."""

    def __init__(self, what: str, *, where: str, wait: float | None) -> None:
        super().__init__(what, where=where, hint="try again later; the last good state stays")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for everything together, and attempts; `connect` and `read` bound single waits."""

    deadline: float = 120.0
    attempts: int = 5
    connect: float = 10.0
    read: float = 30.0


class HttpClient:
    """GET with retries under one deadline. `headers` may hold a secret and is never told."""

    def __init__(self, timing: Timing, headers: Mapping[str, str]) -> None:
        self._timing = timing
        self._headers = {"User-Agent": f"cityline/{__version__}", **headers}

    def json(self, url: str, parameters: Mapping[str, str]) -> tuple[Any, Mapping[str, str]]:
        """A JSON answer and its headers."""

        def once(deadline: float) -> tuple[Any, Mapping[str, str]]:
            with self._opened(url, parameters, deadline) as response:
                body = b"".join(_capped(response, _JSON_CAP, deadline))
                try:
                    return json.loads(body), dict(response.headers)
                except ValueError as error:
                    what = f"the portal sent no JSON but: {_excerpt(body)}"
                    raise SourceDamaged(what, where=_place(url)) from error

        return self._patiently(once, url)

    def download(
        self, url: str, parameters: Mapping[str, str], into: Path, max_bytes: int
    ) -> Download:
        """Stream a body to a file that appears complete or not at all."""
        temporary = into.with_name(f"{into.name}.part")

        def once(deadline: float) -> Download:
            with self._opened(url, parameters, deadline) as response:
                digest, size = hashlib.sha256(), 0
                with temporary.open("wb") as file:
                    for block in _capped(response, max_bytes, deadline):
                        digest.update(block)
                        size += file.write(block)
                temporary.replace(into)
                return Download(
                    path=into,
                    url=str(response.request.url),
                    bytes=size,
                    sha256=digest.hexdigest(),
                    content_type=response.headers.get("content-type", ""),
                    headers=dict(response.headers),
                )

        try:
            return self._patiently(once, url)
        except OSError as error:
            kind = StoreFull if error.errno == _NO_SPACE else StoreError
            what = f"the download cannot be written: {error.strerror}"
            raise kind(what, where=str(into), hint="free some space and run again") from error
        finally:
            temporary.unlink(missing_ok=True)

    def _patiently(self, once: Callable[[float], _T], url: str) -> _T:
        deadline = time.monotonic() + self._timing.deadline

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait if isinstance(error, _Busy) else None
            chosen = jitter(state) if asked is None else asked
            return min(chosen, max(0.0, deadline - time.monotonic()))

        def worth_it(error: BaseException) -> bool:
            if not (isinstance(error, CitylineError) and error.passing):
                return False
            asked = error.wait if isinstance(error, _Busy) else None
            return time.monotonic() + (asked or 0.0) < deadline

        jitter = wait_random_exponential(multiplier=0.5, max=_MAX_WAIT)
        retrying = Retrying(
            stop=stop_after_attempt(self._timing.attempts),
            wait=wait,
            retry=retry_if_exception(worth_it),
            reraise=True,
        )
        with _mapped(url):
            return retrying(lambda: _guarded(once, deadline, url))

    @contextmanager
    def _opened(
        self, url: str, parameters: Mapping[str, str], deadline: float
    ) -> Iterator[httpx.Response]:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(url)
        timeout = httpx.Timeout(
            min(self._timing.read, left), connect=min(self._timing.connect, left)
        )
        # a handful of requests a day: each has its own connection, so none is left open
        with httpx.stream(
            "GET",
            url,
            params=dict(parameters),
            headers=self._headers,
            timeout=timeout,
            follow_redirects=False,
        ) as response:
            if response.status_code != httpx.codes.OK:
                _refuse(response, url, deadline)
            yield response


def _guarded(once: Callable[[float], _T], deadline: float, url: str) -> _T:
    with _mapped(url):
        return once(deadline)


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Turn httpx's errors into ours."""
    where = _place(url)
    hint = "check the address and the network; the last good state stays"
    try:
        yield
    except httpx.TimeoutException as error:
        raise SourceUnreachable(
            "the portal did not answer in time", where=where, hint=hint
        ) from error
    except httpx.RemoteProtocolError as error:
        what = "the portal's answer was cut short"
        raise _CutShort(what, where=where, hint="try again later") from error
    except httpx.DecodingError as error:
        raise _CutShort("the portal's answer cannot be decompressed", where=where) from error
    except httpx.TransportError as error:
        what = f"the portal cannot be reached: {error}"
        raise SourceUnreachable(what, where=where, hint=hint) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SourceRefused(f"not an address: {error}", where=where) from error


def _capped(response: httpx.Response, max_bytes: int, deadline: float) -> Iterator[bytes]:
    """The decoded body, as long as it is not too large, too dense or too slow."""
    url = str(response.request.url)
    size = 0
    for block in response.iter_bytes():  # as received: a slow body must meet the deadline
        size += len(block)
        if size > max_bytes:
            what = f"the answer is larger than {max_bytes:,} bytes"
            raise SourceDamaged(what, where=_place(url), hint="raise max_bytes under [format]")
        received = response.num_bytes_downloaded
        if size > 10_000_000 and size > received * _MAX_RATIO:  # noqa: PLR2004 - small bodies may be dense
            what = f"{received:,} bytes unpack to more than {size:,}: a compression bomb"
            raise SourceDamaged(what, where=_place(url))
        if time.monotonic() > deadline:
            raise _late(url)
        yield block


def _late(url: str) -> SourceUnreachable:
    what = "the portal did not finish within the total deadline"
    hint = "try again later, or raise http.deadline in the environment"
    return SourceUnreachable(what, where=_place(url), hint=hint)


def _refuse(response: httpx.Response, url: str, deadline: float) -> None:
    """Raise what a status means, with the portal's own message."""
    where = _place(url)
    status = response.status_code
    if 300 <= status < 400:  # noqa: PLR2004 - redirects
        target = response.headers.get("location", "")
        what = f"the portal redirects elsewhere, which is not followed: {target[:200]}"
        raise SourceRefused(what, where=where, hint="declare the new address if it is right")
    body = b"".join(_capped(response, _JSON_CAP, deadline))
    told = _message(body)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise _quota(response, body, told, where)
    if status >= 500:  # noqa: PLR2004 - the server's fault
        raise _Busy(f"the portal failed ({status}): {told}", where=where, wait=_asked(response))
    raise SourceRefused(f"the portal refused ({status}): {told}", where=where)


def _quota(response: httpx.Response, body: bytes, told: str, where: str) -> CitylineError:
    """A plain 429 passes; a quota of the day or month is final until it is reset."""
    data = _object(body)
    reset = data.get("reset_time") or response.headers.get("x-ratelimit-reset")
    if "errorcode" in data or (reset and "retry-after" not in response.headers):
        until = _moment(str(reset)) if reset else None
        when = f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
        what = f"the portal's quota is used up{when}: {told}"
        return SourceQuota(what, where=where, hint="wait, or use a key: CITYLINE_PORTAL_KEY")
    return _Busy(f"the portal asks to wait: {told}", where=where, wait=_asked(response))


def _asked(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait: a number, or a date in HTTP's form."""
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _moment(text: str) -> datetime | None:
    """`2026-08-18 00:00:00+00:00` or `2021-01-26T00:00:00Z`: a date text, not an epoch."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except ValueError:
        return None


def _message(body: bytes) -> str:
    data = _object(body)
    code = data.get("error_code") or data.get("errorcode") or ""
    told = data.get("message") or data.get("error") or ""
    return f"{code} {told}".strip() or _excerpt(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _excerpt(body: bytes) -> str:
    text = " ".join(body[:300].decode("utf-8", "replace").split())
    return text[:120] or "an empty body"


def _place(url: str) -> str:
    """The address without query: what to look at, and nothing secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
