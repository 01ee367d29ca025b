"""The ways in which the sample portal misbehaves on request, as portals have been seen to.

A fault either replaces the answer, damages its bytes, or sends it badly. Which requests it strikes
and how often is said by whoever asks for it; a portal nobody asked behaves well.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final

from cityline.adapters.portals.sample.answers import Answer, pretty
from cityline.adapters.portals.sample.tables import BOM

TRANSPORT: Final = frozenset({"cut", "cut-chunked", "slow", "slow-headers", "stall", "reset"})
"""Faults of sending: `server` carries them out."""
_BLOCK = 1 << 20
_BOMB_BLOCKS = 300


@dataclass(slots=True)
class Fault:
    """Misbehaviour for the next `times` requests whose path and query contain `path`.

    `kind` is one of
    - instead of the answer: `quota` (429 with a reset time), `busy` (429 with Retry-After of
      `seconds`, or that moment as a date with `as_date`), `error` (`status`), `html` (200 and a
      page), `error-object` (200 and the portal's JSON error), `empty`, `replace` (`body`),
      `redirect` (to `location`), `bomb` (300 MB in 300 kB of gzip);
    - damaging its bytes: `delimiter`, `renamed`, `missing`, `extra`, `truncated` (last record),
      `shrunk` (to two fifths), `miscount` (the catalogue's count), `latin-1`, `utf-16`, `no-bom`;
    - sending it badly: `cut` (against Content-Length), `cut-chunked`, `reset`, `slow` (one byte
      every `seconds`), `slow-headers`, `stall` (for `seconds`, half way).
    """

    kind: str
    path: str = ""
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    as_date: bool = False
    body: bytes = b""
    content_type: str = "text/csv; charset=utf-8"
    location: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")


def faulty(fault: Fault, answer: Answer) -> Answer:
    """What is sent instead of an answer; the answer itself when the fault is one of sending."""
    if fault.kind in _INSTEAD:
        return _INSTEAD[fault.kind](fault)
    if fault.kind in _DAMAGE and answer.status == 200:  # noqa: PLR2004 - there is a body to damage
        return replace(answer, body=_DAMAGE[fault.kind](answer.body))
    return answer


def _quota(fault: Fault) -> Answer:
    reset = datetime.now(UTC) + timedelta(seconds=fault.seconds or 86_400)
    return Answer(
        pretty(
            {
                "errorcode": 10002,
                "reset_time": reset.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "limit_time_unit": "day",
                "call_limit": 15000,
                "error": "Too many requests on the domain. "
                "Please contact the domain administrator.",
            }
        ),
        "application/json",
        429,
    )


def _busy(fault: Fault) -> Answer:
    moment = datetime.now(UTC) + timedelta(seconds=fault.seconds)
    asked = format_datetime(moment, usegmt=True) if fault.as_date else f"{fault.seconds:.0f}"
    body = pretty({"error_code": "TooManyRequests", "message": "Slow down, please."})
    return Answer(body, "application/json", 429, {"Retry-After": asked})


def _error(fault: Fault) -> Answer:
    page = b"<html><head><title>Bad gateway</title></head><body>upstream</body></html>"
    return Answer(page, "text/html", fault.status)


def _html(_: Fault) -> Answer:
    page = b"<!DOCTYPE html>\n<html><body><h1>We will be back soon</h1></body></html>"
    return Answer(page, "text/html; charset=utf-8")


def _error_object(_: Fault) -> Answer:
    return Answer(pretty({"error_code": "InternalError", "message": "Something went wrong."}))


def _redirect(fault: Fault) -> Answer:
    return Answer(b"", "text/plain", 302, {"Location": fault.location})


def _bomb(_: Fault) -> Answer:
    """One gzip member of 300 MB: the same flushed block again and again."""
    zeros = b"0" * _BLOCK
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 0
    for _times in range(_BOMB_BLOCKS):
        check = zlib.crc32(zeros, check)
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    tail = check.to_bytes(4, "little") + (_BLOCK * _BOMB_BLOCKS).to_bytes(4, "little")
    body = head + block * _BOMB_BLOCKS + b"\x03\x00" + tail
    return Answer(body, "text/csv; charset=utf-8", headers={"Content-Encoding": "gzip"})


def _header(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """A damage to the header's cells."""

    def damage(body: bytes) -> bytes:
        first, newline, rest = body.removeprefix(BOM).partition(b"\r\n")
        return BOM + b";".join(change(first.split(b";"))) + newline + rest

    return damage


def _each(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """A damage to every line's cells."""

    def damage(body: bytes) -> bytes:
        lines = body.removeprefix(BOM).split(b"\r\n")
        changed = [b";".join(change(line.split(b";"))) if line else line for line in lines]
        return BOM + b"\r\n".join(changed)

    return damage


def _truncated(body: bytes) -> bytes:
    return body.rstrip(b"\r\n")[:-3]


def _shrunk(body: bytes) -> bytes:
    lines = body.splitlines(keepends=True)
    return b"".join(lines[: 1 + (len(lines) - 1) * 2 // 5])


def _miscount(body: bytes) -> bytes:
    data = json.loads(body)
    data["metas"]["default"]["records_count"] += 1000
    return json.dumps(data).encode()


_INSTEAD: dict[str, Callable[[Fault], Answer]] = {
    "quota": _quota,
    "busy": _busy,
    "error": _error,
    "html": _html,
    "error-object": _error_object,
    "empty": lambda f: Answer(b"", f.content_type),
    "replace": lambda f: Answer(f.body, f.content_type),
    "redirect": _redirect,
    "bomb": _bomb,
}
_DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "delimiter": lambda b: b.replace(b";", b","),
    "renamed": _header(lambda cells: [b"Renamed " + cells[0], *cells[1:]]),
    "missing": _each(lambda cells: cells[:1] + cells[2:]),
    "extra": _each(lambda cells: [*cells, b"Extra"]),
    "truncated": _truncated,
    "shrunk": _shrunk,
    "miscount": _miscount,
    "latin-1": lambda b: b.removeprefix(BOM).replace(b"Inquiry", "Enqu\xeate".encode("latin-1")),
    "utf-16": lambda b: b.decode("utf-8-sig").encode("utf-16"),
    "no-bom": lambda b: b.removeprefix(BOM),
}
KINDS = TRANSPORT | set(_INSTEAD) | set(_DAMAGE)
