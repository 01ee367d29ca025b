"""Where a portal may send the client, and where not."""

from __future__ import annotations

import httpx
import pytest

from cityline.adapters.portals.redirects import keeps_key, next_address
from cityline.errors import SourceRefused

HERE = httpx.URL("https://portal.example/api/x?a=1")


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/api/y", "https://portal.example/api/y"),
        ("z?b=2", "https://portal.example/api/z?b=2"),
        ("https://portal.example/api/y", "https://portal.example/api/y"),
        ("https://PORTAL.example:443/y", "https://portal.example/y"),
        ("https://files.example/y.csv", "https://files.example/y.csv"),
    ],
)
def test_allowed(location: str, target: str) -> None:
    assert next_address(HERE, location, {"files.example"}, "here") == httpx.URL(target)


@pytest.mark.parametrize(
    "location",
    [
        "http://portal.example/api/y",
        "https://portal.example:8443/y",
        "https://user@portal.example/y",
        "https://portal.example.evil/y",
        "http://files.example/y.csv",
        "https://files.example:444/y.csv",
        "https://u:p@files.example/y.csv",
        "http://127.0.0.1/",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "data:text/csv,a",
        "",
    ],
)
def test_refused(location: str) -> None:
    with pytest.raises(SourceRefused, match="not followed"):
        next_address(HERE, location, {"files.example"}, "here")


def test_http_may_become_https_but_not_back() -> None:
    plain = httpx.URL("http://portal.example/x")
    assert next_address(plain, "https://portal.example/x", (), "here").scheme == "https"
    with pytest.raises(SourceRefused):
        next_address(HERE, "http://portal.example/x", (), "here")


def test_the_key_stays_at_home() -> None:
    assert keeps_key(HERE, HERE.join("/other"))
    assert not keeps_key(HERE, httpx.URL("https://files.example/y.csv"))
