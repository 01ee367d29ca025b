"""A response's body, decoded here and not by the client library, so that no server can flood us.

Decompression goes block by block under three limits: decoded bytes, decoded bytes per received
byte, and the deadline. A body whose compression ends early is cut short, not merely short.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import httpx

from cityline.adapters.portals.attempts import Again
from cityline.adapters.portals.deadline import Deadline
from cityline.errors import SourceDamaged

ACCEPTED: Final = "gzip"
_BLOCK = 1 << 18
_MAX_RATIO = 200
"""Decoded bytes per received byte; a table of text compresses far less than that."""
_RATIO_FROM = 10_000_000
"""Decoded bytes from which the ratio counts: small bodies may be dense."""


def decoded(
    response: httpx.Response, max_bytes: int, deadline: Deadline, where: str
) -> Iterator[bytes]:
    """The decoded body in blocks.

    Raises SourceDamaged for a body that is too large or too dense, and Again for one that is cut.
    """
    unpacker = _unpacker(response, where)
    size = 0
    for received in response.iter_raw():
        for block in unpacker.feed(received) if unpacker else (received,):
            size += len(block)
            _check(size, response.num_bytes_downloaded, max_bytes, where)
            yield block
        if deadline.passed():
            return  # the client sees that the time is up
    if unpacker and not unpacker.complete:
        raise Again(SourceDamaged("the portal's compressed answer was cut short", where=where))


def _unpacker(response: httpx.Response, where: str) -> _Gunzip | None:
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip"):
        return _Gunzip(where)
    what = f"the portal answered in the encoding {encoding[:40]!r}, which was not asked for"
    raise SourceDamaged(what, where=where, hint="try again later")


def _check(size: int, received: int, max_bytes: int, where: str) -> None:
    if size > max_bytes:
        what = f"the answer is larger than {max_bytes:,} bytes"
        raise SourceDamaged(
            what, where=where, hint="raise max_bytes under [format] if that is right"
        )
    if size > _RATIO_FROM and size > received * _MAX_RATIO:
        what = f"{received:,} bytes unpack to more than {size:,}: a compression bomb"
        raise SourceDamaged(what, where=where, hint="nothing was kept; tell the portal's keeper")


class _Gunzip:
    """gzip, one member after another, at most a block of output at a time."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def complete(self) -> bool:
        """Whether the last member ended."""
        return self._member.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpack what was received."""
        while data:
            if self._member.eof:
                self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            yield from self._unpack(data)
            data = self._member.unused_data if self._member.eof else b""

    def _unpack(self, data: bytes) -> Iterator[bytes]:
        while True:
            try:
                block = self._member.decompress(data, _BLOCK)
            except zlib.error as error:
                what = "the portal's answer cannot be decompressed"
                raise Again(SourceDamaged(what, where=self._where)) from error
            if block:
                yield block
            data = self._member.unconsumed_tail
            if self._member.eof or (not data and len(block) < _BLOCK):
                return
