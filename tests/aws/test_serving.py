"""`cityline serve` on a machine of its own, as the instance of the publishing stack starts it: what
its script does, with the server's role, over a platform on which a job has published."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.stacks import publish
from tests.aws.emulator import ROOT, Emulator
from tests.aws.running import put_code
from tests.aws.standing import Standing, stand
from tests.ports import free_port

pytestmark = [pytest.mark.aws, pytest.mark.timeout(1200)]

HOST = {"host": "data.vancouver.example", "x-forwarded-proto": "https"}


def script(standing: Standing) -> str:
    """What an instance does first, by the template."""
    launch = publish.build(Estate(standing.folder, {})).resources["Launch"]["Properties"]
    told: str = launch["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    return told


def machine(standing: Standing, work: Path, environment: str) -> dict[str, str]:
    """The variables of the unit on a machine with nothing but the city's declarations, which the
    server's role takes from the code bucket."""
    key = put_code(standing).partition("/cities/")[2]
    s3 = standing.emulator.client("s3", keys=standing.role("server"))
    bucket = standing.bucket(AccessZone.CODE)
    body = s3.get_object(Bucket=bucket, Key=f"cities/{key}")["Body"].read()
    (work / "city.zip").write_bytes(body)
    with zipfile.ZipFile(work / "city.zip") as archive:
        archive.extractall(work / "city")
    home = work / "home"
    home.mkdir()
    found = re.search(r"cityline\.env <<ENV\n(.*?)\nENV\n", script(standing), re.DOTALL)
    assert found
    told = dict(line.split("=", 1) for line in found[1].splitlines())
    assert set(told) == {"AWS_DEFAULT_REGION", "CITYLINE_CITY", "CITYLINE_ENV", "CITYLINE_HOME"}
    told |= {"CITYLINE_CITY": str(work / "city"), "CITYLINE_HOME": str(home)}
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CITYLINE"))}
    return {
        **clean, **told, "CITYLINE_ENV": environment, "PYTHONPATH": str(ROOT / "src"),
        **standing.environment(standing.role("server")),
    }  # fmt: skip


@contextmanager
def served(
    standing: Standing, variables: dict[str, str], log: Path, *more: str
) -> Iterator[httpx.Client]:
    """The unit's own command, but for the address and the port, and with more words."""
    found = re.search(
        r"^ExecStart=/opt/cityline/bin/cityline (.*)$", script(standing), re.MULTILINE
    )
    assert found
    port = free_port()
    words = (
        found[1].replace(" 0.0.0.0 ", " 127.0.0.1 ").replace(str(publish.PORT), str(port)).split()
    )
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cityline.cli", *words, *more],
            env=variables, stdout=out, stderr=subprocess.STDOUT, cwd=variables["CITYLINE_HOME"],
        )  # fmt: skip
    trust: Any = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # as the balancer does
    try:
        with httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=trust, headers=HOST, timeout=60
        ) as client:
            _wait(process, client, log)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], client: httpx.Client, log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until and process.poll() is None:
        try:
            client.get("/")
        except httpx.TransportError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"the server did not start: {log.read_text()[-3000:]}")


def test_the_server_shows_what_was_published_and_answers_a_filter(
    published: Standing, tmp_path: Path
) -> None:
    s3 = published.emulator.client("s3")
    site = published.bucket(AccessZone.SITE)
    variables = machine(published, tmp_path, "cloud")
    with served(published, variables, tmp_path / "serve.log") as client:
        for path in ("index.html", "questions/departments/index.html", "manifest.json"):
            there = s3.get_object(Bucket=site, Key=f"site/current/{path}")["Body"].read()
            shown = client.get("/" + path.removesuffix("index.html"))
            assert shown.status_code == httpx.codes.OK
            assert shown.content == there, path
        filtered = client.get("/questions/departments/?year=2024&channel=Chat")
        assert filtered.status_code == httpx.codes.OK, (tmp_path / "serve.log").read_text()[-3000:]
        assert "2024" in filtered.text
        assert "Chat" in filtered.text
        file = client.get("/files/departments.csv?year=2024")
        assert file.status_code == httpx.codes.OK
        assert file.headers["content-type"].startswith("text/csv")
        elsewhere = client.get("/", headers={"host": "10.31.0.5"})
        assert elsewhere.status_code == 421, "the balancer's look at the server's health"
    assert "Traceback" not in (tmp_path / "serve.log").read_text()


def test_the_server_is_well_before_anything_is_published_and_shows_the_first_release(
    aws: Emulator, published: Standing, tmp_path: Path
) -> None:
    early = stand(aws, tmp_path / "platform", "cityline-early")
    log = tmp_path / "serve.log"
    with served(early, machine(early, tmp_path, "aws"), log) as client:
        assert client.get("/", headers={"host": "10.31.0.5"}).status_code == 421
        told = client.get("/")
        assert (told.status_code, "Nothing is published here yet" in told.text) == (503, True)
        for zone, below in ((AccessZone.SITE, "site/"), (AccessZone.CURATED, "lake/")):
            _copy(aws, published.bucket(zone), early.bucket(zone), below)
        until = time.monotonic() + 120
        while (shown := client.get("/")).status_code == 503 and time.monotonic() < until:
            time.sleep(1)
        assert shown.status_code == httpx.codes.OK, log.read_text()[-3000:]
        index = aws.client("s3").get_object(
            Bucket=published.bucket(AccessZone.SITE), Key="site/current/index.html"
        )
        assert shown.content == index["Body"].read()
    assert "Traceback" not in log.read_text()


def _copy(aws: Emulator, source: str, target: str, below: str) -> None:
    """Objects below a key from one bucket to another: what a job there would have put."""
    s3 = aws.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source, Prefix=below):
        for one in page.get("Contents", ()):
            body = s3.get_object(Bucket=source, Key=one["Key"])["Body"].read()
            s3.put_object(Bucket=target, Key=one["Key"], Body=body)
