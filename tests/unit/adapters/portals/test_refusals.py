"""Statuses other than 200, in every shape they come in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cityline.adapters.portals.attempts import Again
from cityline.adapters.portals.deadline import Deadline
from cityline.adapters.portals.refusals import as_object, excerpt, message, refusal
from cityline.errors import CitylineError, SourceQuota, SourceRefused, SourceUnreachable

BUSY = b'{"error_code": "TooManyRequests", "message": "Slow down"}'


def _told(status: int, headers: dict[str, str], body: bytes, seconds: float = 60.0) -> Exception:
    return refusal(status, headers, body, Deadline(seconds), "there")


@pytest.mark.parametrize("reset", ["2126-08-18 00:00:00+00:00", "2126-08-18T00:00:00Z"])
def test_the_reset_is_a_date_text_in_either_form(reset: str) -> None:
    body = json.dumps({"errorcode": 10002, "error": "No more"}).encode()
    error = _told(429, {"x-ratelimit-reset": reset}, body)
    assert isinstance(error, SourceQuota)
    assert "until 2126-08-18 00:00 UTC: 10002 No more" in error.what


def test_a_spent_quota_in_the_headers_alone() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2126-08-18 00:00:00+00:00"}
    assert isinstance(_told(429, headers, BUSY), SourceQuota)
    assert isinstance(_told(429, headers | {"x-ratelimit-remaining": "5"}, BUSY), Again)


def test_a_reset_that_is_no_date_is_a_moments_haste() -> None:
    body = json.dumps({"errorcode": 10002, "reset_time": "soon", "error": "x"}).encode()
    assert isinstance(_told(429, {}, body), Again)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        ("in thirty seconds", 1, 30),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0, 0),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value: str, least: float, most: float) -> None:
    if value == "in thirty seconds":  # told when the test runs, not when it is collected
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    for status in (429, 503):
        error = _told(status, {"retry-after": value}, BUSY)
        assert isinstance(error, Again)
        assert error.wait is not None
        assert least <= error.wait <= most


@pytest.mark.parametrize("value", ["", "soon", "-3", "1.5", "٣"])
def test_a_retry_after_that_says_nothing(value: str) -> None:
    error = _told(429, {"retry-after": value}, BUSY)
    assert isinstance(error, Again)
    assert error.wait is None


def test_a_wait_beyond_the_deadline_is_a_quota() -> None:
    assert isinstance(_told(429, {"retry-after": "61"}, BUSY, 60), SourceQuota)
    assert isinstance(_told(429, {"retry-after": "59"}, BUSY, 60), Again)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_the_servers_faults_may_pass(status: int) -> None:
    error = _told(status, {}, b"<html>bad gateway</html>")
    assert isinstance(error, Again)
    assert isinstance(error.error, SourceUnreachable)
    assert str(status) in error.error.what


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_the_callers_faults_do_not(status: int) -> None:
    error = _told(status, {}, b'{"error_code": "X", "message": "because"}')
    assert isinstance(error, SourceRefused)
    assert isinstance(error, CitylineError)
    assert f"({status}): X because" in error.what


def test_words_of_all_three_shapes() -> None:
    assert message(b'{"error_code": "A", "message": "b"}') == "A b"
    assert message(b'{"errorcode": 1, "error": "b"}') == "1 b"
    assert message(b"<html>\n  <b>502</b>\x00\x1b[31m</html>") == "<html> <b>502</b> [31m</html>"
    assert message(b"") == "an empty body"
    assert len(excerpt(b"x" * 5000)) == 200


def test_deep_or_odd_json_is_no_object() -> None:
    assert as_object(b"[" * 100_000) == {}
    assert as_object(b"[1]") == {}
    assert as_object(b"\xff") == {}
