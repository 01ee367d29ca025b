"""The sample portal itself: a real HTTP server on this machine's loopback address.

It sends the headers that the live portal sends and, beside them, `X-Cityline-Sample: generated`,
by which a client knows what it got. It listens on nothing but loopback.
"""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cityline.adapters.portals.sample.answers import Answer, answer
from cityline.adapters.portals.sample.catalogue import quota_reset
from cityline.adapters.portals.sample.faults import TRANSPORT, Fault, faulty

_LIMIT = 15_000
_CHUNK = 1 << 16
_OK = 200
_HEADERS = {
    "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
    "Vary": "Accept-Language, Cookie, Host",
    "Access-Control-Allow-Origin": "*",
    "X-Content-Type-Options": "nosniff",
    "X-Cityline-Sample": "generated",
}


@dataclass(slots=True)
class SamplePortal:
    """The portal as a context: `with SamplePortal() as portal: portal.base_url`.

    `today` is the day for which extracts are made (default: today in UTC): they end with the month
    before it. Port 0 takes any free one. `faults` are used up in order; `requests` lists the paths
    and queries that were asked, `headers` what came with them.
    """

    today: date | None = None
    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base_url(self) -> str:
        """Where the API begins."""
        if self._server is None:
            raise RuntimeError("the sample portal is not open; use it in a with statement")
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/explore/v2.1"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"portal": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def day(self) -> date:
        """The day extracts are made for."""
        return self.today or datetime.now(UTC).date()

    def fault_for(self, path: str, headers: dict[str, str]) -> Fault | None:
        """Note a request and take the misbehaviour due for it, if any."""
        with self._lock:
            self.requests.append(path)
            self.headers.append(headers)
            for fault in self.faults:
                if fault.times > 0 and fault.path in path:
                    fault.times -= 1
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    portal: SamplePortal
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent: the client tells what it asked."""

    def version_string(self) -> str:
        """Name no versions."""
        return "cityline-sample"

    def do_GET(self) -> None:
        """Answer, or misbehave as asked."""
        try:
            self._get()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, as it may

    def _get(self) -> None:
        fault = self.portal.fault_for(self.path, dict(self.headers.items()))
        address = urlsplit(self.path)
        asked = {k: v[-1] for k, v in parse_qs(address.query).items()}
        found = answer(address.path, asked, self.portal.day())
        if fault is None:
            self._send(found)
        elif fault.kind in TRANSPORT:
            self._send_badly(found, fault)
        else:
            self._send(faulty(fault, found))

    def _start(self, found: Answer, extra: dict[str, str]) -> None:
        headers = {"Content-Type": found.content_type, **_HEADERS, **found.headers}
        if found.status == _OK:
            now = datetime.now(UTC)
            headers["X-RateLimit-Limit"] = str(_LIMIT)
            headers["X-RateLimit-Remaining"] = str(max(0, _LIMIT - len(self.portal.requests)))
            headers["X-RateLimit-Reset"] = quota_reset(now)
        self.send_response(found.status)
        for name, value in (headers | extra).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, found: Answer) -> None:
        body = found.body
        extra: dict[str, str] = {}
        takes = "gzip" in self.headers.get("Accept-Encoding", "")
        if takes and found.status == _OK and "Content-Encoding" not in found.headers:
            body = gzip.compress(body, 1, mtime=0)
            extra["Content-Encoding"] = "gzip"
        if not found.streamed:
            self._start(found, extra | {"Content-Length": str(len(body))})
            self.wfile.write(body)
            return
        self._start(found, extra | {"Transfer-Encoding": "chunked"})
        for at in range(0, len(body), _CHUNK):
            self._chunk(body[at : at + _CHUNK])
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _send_badly(self, found: Answer, fault: Fault) -> None:
        self.close_connection = True
        body = found.body
        half = len(body) // 2
        if fault.kind == "reset":
            return
        if fault.kind == "slow-headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 5000, fault.seconds)
            return
        if fault.kind == "cut-chunked":
            self._start(found, {"Transfer-Encoding": "chunked"})
            self._chunk(body[:half])
            return
        self._start(found, {"Content-Length": str(len(body))})
        if fault.kind == "slow":
            self._drip(body, fault.seconds)
            return
        self.wfile.write(body[:half])
        if fault.kind == "stall":
            self.portal.closing.wait(fault.seconds)

    def _drip(self, data: bytes, seconds: float) -> None:
        for at in range(len(data)):
            self.wfile.write(data[at : at + 1])
            if self.portal.closing.wait(seconds):
                return
