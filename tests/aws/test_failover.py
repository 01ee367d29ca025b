"""The home region is lost: every request to it fails, and readers read the copies in the second one,
each under its own role."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cityline.declarations.access import AccessZone
from cityline.deploy.policies import replicated
from cityline.errors import ExitCode
from tests.aws.emulator import ACCOUNT, ROOT
from tests.aws.standing import Standing
from tests.aws.test_serving import served
from tests.aws.test_verbs import ALIKE, SQL, Side, named, side

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1200)]

_LOST = """
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session

send = URLLib3Session.send

def unless_lost(self, request):
    signed = request.headers.get("Authorization", b"")
    signed = signed.decode() if isinstance(signed, bytes) else signed
    if "/ca-central-1/" in signed or "ca-central-1" in request.url:
        raise EndpointConnectionError(endpoint_url=request.url)
    return send(self, request)

URLLib3Session.send = unless_lost
"""
"""What Python does first in a process for which the home region is lost: whatever is signed for it
or names one of its buckets finds nobody."""


@pytest.fixture(scope="module")
def there(published: Standing, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The city at home, before, asked of DuckDB: the emulator's Athena reads no Iceberg table."""
    return side(published, tmp_path_factory.mktemp("before"), "aws")


@pytest.fixture(scope="module")
def lost(published: Standing, tmp_path_factory: pytest.TempPathFactory) -> Side:
    """The same city by an environment that asks Athena; everything is copied, then home is lost."""
    _copied(published)
    cut = tmp_path_factory.mktemp("cut")
    (cut / "sitecustomize.py").write_text(_LOST, encoding="utf-8")
    plain = side(published, tmp_path_factory.mktemp("after"), "cloud")

    def variables(role: str) -> dict[str, str]:
        return {**plain.variables(role), "PYTHONPATH": f"{cut}:{ROOT / 'src'}"}

    return replace(plain, variables=variables)


def _copied(standing: Standing) -> None:
    """Wait until each copy holds what its original holds."""
    assert standing.folder.access
    until = time.monotonic() + 120
    for zone in replicated(standing.folder.access):
        home, copy = (
            standing.names.bucket_of(zone, ACCOUNT, replica=replica) for replica in (False, True)
        )
        while (missing := _keys(standing, home) - _keys(standing, copy)) and (
            time.monotonic() < until
        ):
            time.sleep(0.5)
        assert not missing, (zone, sorted(missing)[:5])


def _keys(standing: Standing, bucket: str) -> set[str]:
    region = bucket.removeprefix(standing.names.prefix).partition(ACCOUNT)[2][1:]
    pages = standing.emulator.client("s3", region).get_paginator("list_objects_v2")
    return {o["Key"] for p in pages.paginate(Bucket=bucket) for o in p.get("Contents", ())}


def test_home_is_lost(lost: Side) -> None:
    done = lost("operator", "status")
    assert done.returncode == ExitCode.CLOUD
    assert "ca-central-1" in done.stderr


@pytest.mark.parametrize("verb", [v for v in ALIKE if v != "snapshots"])
def test_a_verb_says_of_the_copies_what_it_said_at_home(verb: str, there: Side, lost: Side) -> None:
    role, words = ALIKE[verb]
    done = lost(role, *words, "--copies")
    assert done.returncode == ExitCode.OK, done.stderr
    assert named(done.stdout) == named(there(role, *words).stdout)


def test_a_role_sees_of_the_copies_what_it_sees_at_home(lost: Side) -> None:
    done = lost("operator", "query", SQL, "--copies")
    assert done.returncode != ExitCode.OK
    assert "AccessDenied" in done.stderr


def test_the_server_shows_the_copy_of_what_was_published(
    published: Standing, lost: Side, tmp_path: Path
) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CITYLINE"))}
    told = {"CITYLINE_CITY": str(published.root), "CITYLINE_ENV": "cloud"}
    variables = {**clean, **told, **lost.variables("server"), "CITYLINE_HOME": str(tmp_path)}
    s3 = published.emulator.client("s3")
    site = published.bucket(AccessZone.SITE)
    with served(published, variables, tmp_path / "serve.log", "--copies") as client:
        for path in ("index.html", "questions/departments/index.html", "manifest.json"):
            there = s3.get_object(Bucket=site, Key=f"site/current/{path}")["Body"].read()
            shown = client.get("/" + path.removesuffix("index.html"))
            assert shown.status_code == httpx.codes.OK
            assert shown.content == there, path
        file = client.get("/files/departments.csv?year=2024")
        assert file.status_code == httpx.codes.OK, (tmp_path / "serve.log").read_text()[-3000:]
        assert file.headers["content-type"].startswith("text/csv")
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_what_needs_the_catalogue_at_home_is_told(lost: Side) -> None:
    done = lost("privacy-officer", "query", SQL, "--copies", "--at", "curated.volume@1")
    assert done.returncode == ExitCode.CLOUD
    assert "Glue catalogue of ca-central-1" in done.stderr
