"""How often somebody may ask. Buckets are kept per client and per account from a client, so that
guessing from one place locks nobody out elsewhere."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then `per_second` more."""

    burst: float
    per_second: float


SIGN_IN = Rate(10, 10 / 60)
REQUESTS = Rate(300, 60)
QUERIES = Rate(20, 0.5)


class Buckets:
    """Token buckets of one rate by name; the least used are forgotten."""

    def __init__(self, rate: Rate, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now = now
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """0 when it is allowed, else the seconds until it is."""
        now = self._now()
        with self._lock:
            left, then = self._left.get(name, (self._rate.burst, now))
            left = min(self._rate.burst, left + (now - then) * self._rate.per_second)
            allowed = left >= 1
            self._left[name] = (left - 1 if allowed else left, now)
            self._left.move_to_end(name)
            while len(self._left) > _KEPT:
                self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / self._rate.per_second
