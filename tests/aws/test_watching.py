"""`monitor`, `audit` and `cost` against the emulator, as they are typed."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cityline.cli.program import run
from cityline.errors import ExitCode
from tests.aws.emulator import Emulator
from tests.conftest import copy_vancouver

pytestmark = pytest.mark.aws
PREFIX = "cityline-vancouver"


@pytest.fixture
def city(tmp_path: Path, aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.plain)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return copy_vancouver(tmp_path / "vancouver")


def told(capsys: pytest.CaptureFixture[str], city: Path, *arguments: str) -> Any:
    asked = [*arguments, "--city", str(city), "--env", "aws"]
    assert run(asked) == ExitCode.OK
    assert capsys.readouterr().out
    assert run([*asked, "--json"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)["data"]


def charge(aws: Emulator, usd: float, *service: str) -> None:
    dimensions = [{"Name": "Currency", "Value": "USD"}]
    dimensions += [{"Name": "ServiceName", "Value": s} for s in service]
    point = {"MetricName": "EstimatedCharges", "Dimensions": dimensions, "Value": usd,
             "Timestamp": datetime.now(UTC)}  # fmt: skip
    aws.client("cloudwatch", "us-east-1").put_metric_data(
        Namespace="AWS/Billing", MetricData=[point]
    )


def test_charges_stand_beside_the_estimate(
    city: Path, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    charge(aws, 31.5)
    charge(aws, 2.25, "AmazonS3")
    data = told(capsys, city, "cost")
    assert data["so_far_usd"]["all"] == 31.5
    assert data["so_far_usd"]["AmazonS3"] == 2.25
    assert data["so_far_usd"]["AWSGlue"] is None
    assert data["monthly_usd"]["expected"] > 50


def test_gauges_and_alarms_of_the_city_alone(
    city: Path, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    group = [{"Name": "WorkGroup", "Value": f"{PREFIX}-analysis"}]
    home = aws.client("cloudwatch")
    home.put_metric_data(
        Namespace="AWS/Athena",
        MetricData=[{"MetricName": "ProcessedBytes", "Dimensions": group, "Value": 7e6,
                     "Timestamp": datetime.now(UTC)}],
    )  # fmt: skip
    home.put_metric_alarm(
        AlarmName=f"{PREFIX}-analysisScanned", ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1, MetricName="ProcessedBytes", Namespace="AWS/Athena", Period=86_400,
        Statistic="Sum", Threshold=1.0, Dimensions=group,
    )  # fmt: skip
    home.set_alarm_state(
        AlarmName=f"{PREFIX}-analysisScanned", StateValue="ALARM", StateReason="more than 1"
    )
    data = told(capsys, city, "monitor", "--days", "1")
    gauges = {(g["gauge"], g["of"]): g["value"] for g in data["gauges"]}
    assert gauges["scanned", "analysis"] == 7e6
    assert gauges["scanned", "audit"] is None
    assert gauges["stored", "raw"] is None
    assert [(a["name"], a["state"]) for a in data["alarms"]] == [("analysisScanned", "ALARM")]


def test_calls_of_the_account_are_its_trail(
    city: Path, aws: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    where = {"LocationConstraint": "ca-central-1"}
    aws.client("s3").create_bucket(Bucket="watched-made", CreateBucketConfiguration=where)
    data = told(capsys, city, "audit", "--what", "CreateBucket", "--since", "1h")
    assert "watched-made" in [e["on"] for e in data["events"]]
    assert "refused-calls" in data["questions"]
    assert data["gaps"]
