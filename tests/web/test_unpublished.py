"""A server that stands before anything is published: on AWS a job brings the first release."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cityline.errors import UsageError
from cityline.flow.parts import Parts
from cityline.web.opening import open_here
from cityline.web.tls import Listening
from cityline.wiring import open_city
from tests.conftest import copy_vancouver
from tests.ports import free_port
from tests.web.conftest import running


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    """A city that was never run."""
    return open_city(copy_vancouver(tmp_path / "vancouver"))


def test_here_the_city_must_be_run_first(parts: Parts) -> None:
    with pytest.raises(UsageError, match="nothing to read yet") as caught:
        open_here(parts, Listening())
    assert caught.value.hint == "cityline run makes the first answers"


def test_on_aws_it_is_well_says_so_and_shows_the_first_release(parts: Parts) -> None:
    there = parts.folder.environment.model_copy(update={"kind": "aws"})
    parts = replace(parts, folder=replace(parts.folder, environment=there))
    at = Listening(port=free_port())
    with running(open_here(parts, at), at) as address, httpx.Client(base_url=address) as client:
        balancer = client.get("/", headers={"host": "10.31.0.5:8310"})
        assert balancer.status_code == 421, "what the balancer takes for well"
        for path in ("/", "/questions/departments/?year=2024", "/sign-in/", "/ops/"):
            told = client.get(path)
            assert told.status_code == 503, path
            assert "Nothing is published here yet." in told.text
            assert told.headers["retry-after"] == "30"
            assert told.headers["cache-control"] == "no-store"
        page = b"<!doctype html><p>The first release"
        current = parts.site / "current"
        current.mkdir(parents=True)
        (current / "index.html").write_bytes(page)
        named = {"release": "r", "files": {"index.html": hashlib.sha256(page).hexdigest()}}
        (current / "manifest.json").write_text(json.dumps(named))
        shown = client.get("/")
        assert (shown.status_code, shown.content) == (200, page)
