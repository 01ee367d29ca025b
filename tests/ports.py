"""Ports for servers that the tests start."""

from __future__ import annotations

import random
import socket


def free_port() -> int:
    """A port of this machine that nobody uses, outside the range (32768 and above) that the system
    gives to others meanwhile: a server starts seconds later, or comes back to it a minute later."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
