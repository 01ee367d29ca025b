"""Bounded, jittered retries within one deadline, and what is worth another attempt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from cityline.adapters.portals.deadline import Deadline
from cityline.errors import CitylineError

_T = TypeVar("_T")
_MAX_PAUSE = 20.0


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for everything together, and attempts; `connect` and `read` bound single waits.

    `pause` is the mean scale of the first wait between attempts; it doubles with each.
    """

    deadline: float = 120.0
    attempts: int = 5
    connect: float = 10.0
    read: float = 30.0
    pause: float = 0.5


class Again(Exception):
    """What went wrong may pass: `error` is told when no attempt is left.

    `wait` is the seconds the server asks to wait, if it does.
    """

    def __init__(self, error: CitylineError, wait: float | None = None) -> None:
        super().__init__(error.what)
        self.error = error
        self.wait = wait


def patiently(once: Callable[[], _T], timing: Timing, deadline: Deadline) -> _T:
    """Call until it succeeds, fails for good, or attempts or time run out.

    Raises the last attempt's own error.
    """
    jitter = wait_random_exponential(multiplier=timing.pause, max=_MAX_PAUSE)

    def pause(state: RetryCallState) -> float:
        asked = _asked(state.outcome.exception() if state.outcome else None)
        return min(jitter(state) if asked is None else asked, deadline.left())

    def worth_it(error: BaseException) -> bool:
        return isinstance(error, Again) and (_asked(error) or 0.0) < deadline.left()

    retrying = Retrying(
        stop=stop_after_attempt(timing.attempts),
        wait=pause,
        retry=retry_if_exception(worth_it),
        reraise=True,
    )
    try:
        return retrying(once)
    except Again as again:
        raise again.error from again.__cause__


def _asked(error: BaseException | None) -> float | None:
    return error.wait if isinstance(error, Again) else None
