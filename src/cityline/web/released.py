"""The published files, served as they lie in the release: only what its manifest names."""

from __future__ import annotations

import gzip
import json
import mimetypes
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".woff2": "font/woff2",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_PACKED = {".html", ".js", ".css", ".json", ".csv", ".svg", ".txt", ".atom"}
_ROOM = 64_000_000
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For files that are opened by themselves: nothing in them runs."""
_EMBED_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors *; object-src 'none'"
)


class Packed:
    """Compressed bodies by hash, as many as there is room for; the least used go first."""

    def __init__(self, room: int = _ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def get(self, identity: str, body: bytes) -> bytes:
        """The body compressed, from memory when it was before."""
        with self._lock:
            found = self._bodies.get(identity)
            if found is not None:
                self._bodies.move_to_end(identity)
                return found
        packed = gzip.compress(body, 6, mtime=0)
        with self._lock:
            self._bodies[identity] = packed
            while sum(map(len, self._bodies.values())) > self._room:
                self._bodies.popitem(last=False)
        return packed


_packed = Packed()


def answer(request: Request, release: Path, path: str, *, keep: str) -> Response | None:
    """A file of the release, or None when its manifest does not name it. `keep` is what caches may
    do with pages."""
    known = manifest(release)
    name = path if path and not path.endswith("/") else f"{path}index.html"
    if name not in known:
        if f"{path}/index.html" in known and path:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"/{path}/{query}", 307)
        return None
    ending = Path(name).suffix
    headers = {"etag": f'"{known[name][:32]}"', "cache-control": keep, "vary": "accept-encoding"}
    if name.startswith(("static/", "explore/cube.")):
        headers["cache-control"] = "public, max-age=31536000, immutable"
    if "files/" in name:
        headers["content-security-policy"] = _FILE_POLICY
        headers["content-disposition"] = "attachment"
    if name.removeprefix("fr/").startswith("embed/"):
        headers |= {"content-security-policy": _EMBED_POLICY, "x-frame-options": "ALLOWALL"}
    return body_of(request, (release / name).read_bytes, known[name], ending, headers)


def body_of(
    request: Request, read: object, identity: str, ending: str, headers: dict[str, str]
) -> Response:
    """A body with its tag: nothing when the reader has it already, compressed when they can."""
    if headers["etag"] in request.headers.get("if-none-match", "").split(", "):
        return Response(status_code=304, headers=headers)
    body = read() if callable(read) else read
    assert isinstance(body, bytes)  # noqa: S101 - told to the type checker
    if ending in _PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        body = _packed.get(identity, body)
        headers["content-encoding"] = "gzip"
    kind = _TYPES.get(ending) or mimetypes.guess_type(f"x{ending}")[0] or "application/octet-stream"
    return Response(body, headers=headers, media_type=kind)


@lru_cache(maxsize=8)
def manifest(release: Path) -> Mapping[str, str]:
    """The hash of each file of a release, the manifest's own included."""
    body = (release / "manifest.json").read_bytes()
    files: dict[str, str] = json.loads(body)["files"]
    return {**files, "manifest.json": str(json.loads(body)["release"])}
