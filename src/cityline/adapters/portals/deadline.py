"""One deadline for everything that is asked of a portal in one go.

Time limits on single reads do not stop a server that sends a byte now and then, so when the time
is up the connection itself is cut, whatever it is doing: connecting, sending headers or a body.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

Trace: TypeAlias = Callable[[str, Mapping[str, Any]], None]
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


class Deadline:
    """A moment `seconds` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until it, at least 0."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        """Whether the time is up."""
        return self.left() <= 0

    @contextmanager
    def cutting(self) -> Iterator[Trace]:
        """Cut the connections opened within when the time is up.

        Give what is yielded to httpx as the request's extension `trace`: that is how it tells of
        its sockets.
        """
        sockets: list[socket.socket] = []

        def note(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(_CONNECTED):
                sockets.append(info["return_value"].get_extra_info("socket"))
                if self.passed():
                    _cut(sockets)

        timer = threading.Timer(self.left(), _cut, [sockets])
        timer.daemon = True
        timer.start()
        try:
            yield note
        finally:
            timer.cancel()


def _cut(sockets: list[socket.socket]) -> None:
    for connection in list(sockets):
        with suppress(OSError):  # it is closed already, which is as good
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
