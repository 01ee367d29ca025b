"""`monitor`, `audit` and `cost`: the same look at a machine and at AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from cityline.cli.program import run
from cityline.errors import ExitCode
from cityline.ports.gauges import GAUGES
from tests.conftest import copy_vancouver
from tests.contracts.small_home import small_home


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Vancouver's declarations, with a home in which two runs were recorded."""
    folder = copy_vancouver(tmp_path / "vancouver")
    small_home(folder / ".cityline")
    return folder


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)["data"]


def test_monitor_shows_every_gauge_with_cloudwatchs_name(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["monitor", "--city", str(city)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "5,070 B" in shown
    assert "AWS/S3 BucketSizeBytes" in shown
    assert "no data" in shown
    assert "No alarms" in shown
    data = told(capsys, "monitor", "--city", str(city), "--days", "7")
    gauges = {(g["gauge"], g["of"]): g for g in data["gauges"]}
    assert {g for g, _ in gauges} | {"charges of a service"} == set(GAUGES)
    sent = gauges["sent", "site"]
    assert sent["value"] is None
    assert sent["cloudwatch"]["metric"] == "BytesDownloaded"
    assert gauges["charges", "all"]["value"] > 50


def test_monitor_of_a_city_that_is_not_for_aws_has_no_estimate(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (city / "environments" / "aws.toml").unlink()
    data = told(capsys, "monitor", "--city", str(city))
    (charges,) = [g for g in data["gauges"] if g["gauge"] == "charges"]
    assert charges["value"] is None
    assert charges["note"].startswith("no estimate")


def test_audit_tells_who_did_what_and_what_it_does_not_know(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["audit", "--city", str(city)]
    data = told(capsys, *asked)
    outcomes = {(e["what"], e["outcome"]) for e in data["events"]}
    assert {("prepare", "denied"), ("structure", "failed"), ("release", "allowed")} <= outcomes
    assert any("not the person" in gap for gap in data["gaps"])
    released = told(capsys, *asked, "--what", "release", "--who", "R-NEW")["events"]
    assert [e["on"] for e in released] == ["site/b7"]
    assert told(capsys, *asked, "--since", "2999-01-01")["events"] == []
    assert len(told(capsys, *asked, "--since", "9999w")["events"]) > len(data["events"])
    assert run(asked) == ExitCode.OK
    assert "a rule failed" in capsys.readouterr().out


def test_audit_knows_people_and_tokens_of_the_server(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cityline.web.identity.accounts import Accounts  # noqa: PLC0415
    from cityline.web.identity.roles import Role  # noqa: PLC0415

    accounts = Accounts(city / ".cityline" / "access.db")
    accounts.add("ana", Role.ANALYST, "a long enough password")
    accounts.grant("ana", Role.ANALYST, 30)
    data = told(capsys, "audit", "--city", str(city), "--who", "ana")
    assert {e["what"] for e in data["events"]} == {"account made", "token made"}
    assert "password" not in json.dumps(data)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["audit", "--since", "yesterday"], "is no time"),
        (["audit", "--ask", "keys-used"], "answers no named question"),
        (["monitor", "--days", "0"], "0 is not in the range"),
        (["audit", "--limit", "0"], "0 is not in the range"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    city: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str
) -> None:
    assert run([*arguments, "--city", str(city)]) == ExitCode.USAGE
    assert what in capsys.readouterr().err


def test_cost_estimates_the_declared_and_the_measured_month(
    city: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cost", "--city", str(city)]) == ExitCode.OK
    shown = capsys.readouterr()
    assert "measured" in shown.out
    assert "The oldest price is of " in shown.out
    assert "not verified" in shown.err
    assert "older than half a year" in shown.err
    data = told(capsys, "cost", "--city", str(city))
    monthly = data["monthly_usd"]
    assert monthly["low"] < monthly["measured"] < monthly["expected"] < monthly["high"]
    for name, services in data["by_service"].items():
        assert sum(services.values()) == pytest.approx(monthly[name], abs=0.06)
    assert data["so_far_usd"] == {}


def test_cost_before_the_first_release_measures_nothing(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = told(capsys, "cost", "--city", str(city), "--home", str(tmp_path / "new"))
    assert set(data["monthly_usd"]) == {"low", "expected", "high"}


@pytest.mark.parametrize("command", ["monitor", "audit", "cost"])
def test_without_credentials_aws_is_not_shown_as_empty(
    city: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    pytest.importorskip("boto3", reason="Amazon's Python package is not installed")
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    assert run([command, "--city", str(city), "--env", "aws"]) == ExitCode.CLOUD
    shown = capsys.readouterr()
    assert "CLOUD_SIGN_IN" in shown.err
    assert shown.out == ""
