"""What a status other than 200 means, and the portal's own words for it.

Errors come in three shapes: `error_code` and `message`; `errorcode`, `error` and `reset_time` for
the quota; and whatever a proxy before the portal writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cityline.adapters.portals.attempts import Again
from cityline.adapters.portals.deadline import Deadline
from cityline.errors import SourceQuota, SourceRefused, SourceUnreachable

_TOO_MANY, _SERVER_FAULT = 429, 500
_LATER = "try again later; the last good state stays"
_PASSING = frozenset({408, 425})


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, deadline: Deadline, where: str
) -> Exception:
    """The error for an answer that is no; Again when another attempt may fare better."""
    told = message(body)
    if status == _TOO_MANY:
        return _too_many(headers, body, told, deadline, where)
    if status >= _SERVER_FAULT or status in _PASSING:
        error = SourceUnreachable(f"the portal failed ({status}): {told}", where=where, hint=_LATER)
        return Again(error, _retry_after(headers))
    hint = "check the dataset's name and the query; cityline discover shows what there is"
    return SourceRefused(f"the portal refused ({status}): {told}", where=where, hint=hint)


def _too_many(
    headers: Mapping[str, str], body: bytes, told: str, deadline: Deadline, where: str
) -> Exception:
    """A quota lasts until it is reset, a plain 429 passes; nobody waits beyond the deadline."""
    reset = _reset(headers, body)
    wait = _retry_after(headers)
    if reset is not None:
        wait = max(0.0, (reset - datetime.now(UTC)).total_seconds())
    if wait is not None and wait >= deadline.left():
        until = reset or datetime.fromtimestamp(datetime.now(UTC).timestamp() + wait, UTC)
        what = f"the portal's quota is used up until {until:%Y-%m-%d %H:%M} UTC: {told}"
        hint = "run again after that time, or ask with a key: CITYLINE_PORTAL_KEY"
        return SourceQuota(what, where=where, hint=hint)
    error = SourceUnreachable(f"the portal asks to wait: {told}", where=where, hint=_LATER)
    return Again(error, wait)


def _reset(headers: Mapping[str, str], body: bytes) -> datetime | None:
    """When a quota is reset, if this is about a quota and not about a moment's haste."""
    data = as_object(body)
    if "errorcode" in data or "reset_time" in data:
        told = data.get("reset_time") or headers.get("x-ratelimit-reset")
    elif headers.get("x-ratelimit-remaining", "").strip() == "0":
        told = headers.get("x-ratelimit-reset")
    else:
        return None
    return _moment(str(told or ""))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: a number, or a date in HTTP's form."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _moment(text: str) -> datetime | None:
    """`2026-08-18 00:00:00+00:00` or `2021-01-26T00:00:00Z`: a date text, not an epoch."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def message(body: bytes) -> str:
    """The portal's own words: code and message, or the beginning of what came instead."""
    data = as_object(body)
    code = data.get("error_code") or data.get("errorcode") or ""
    told = data.get("message") or data.get("error") or ""
    return excerpt(f"{code} {told}".strip().encode()) if told else excerpt(body)


def as_object(body: bytes) -> dict[str, Any]:
    """A JSON object, or an empty one for anything else."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def excerpt(body: bytes) -> str:
    """The first words of a body, on one line, without control characters."""
    text = body[:1000].decode("utf-8", "replace")
    plain = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(plain.split())[:200] or "an empty body"
