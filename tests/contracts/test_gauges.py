"""One suite for gauges here and on AWS: the same names, CloudWatch's own beside each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cityline.adapters.local.gauges import LocalGauges
from cityline.declarations.folder import read_folder
from cityline.deploy.checks.metrics import METRICS
from cityline.deploy.estate import Estate
from cityline.deploy.stacks import observability
from cityline.errors import CloudRefused
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.gauges import GAUGES, Gauges, Reading, figures_of_job
from tests.conftest import ROOT
from tests.contracts.small_home import small_home

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator

HOME, BILLS = "ca-central-1", "us-east-1"
ACCOUNT = "000000000000"

TABLE: dict[tuple[str, str], tuple[str, set[str]]] = {
    ("AWS/Billing", "EstimatedCharges"): ("USD", {"Currency", "ServiceName"}),
    ("AWS/S3", "BucketSizeBytes"): ("Bytes", {"BucketName", "StorageType"}),
    ("AWS/S3", "NumberOfObjects"): ("Count", {"BucketName", "StorageType"}),
    ("AWS/S3", "BytesDownloaded"): ("Bytes", {"BucketName", "FilterId"}),
    ("AWS/S3", "BytesUploaded"): ("Bytes", {"BucketName", "FilterId"}),
    ("AWS/S3", "AllRequests"): ("Count", {"BucketName", "FilterId"}),
    ("AWS/S3", "ReplicationLatency"): ("Seconds", {"SourceBucket", "DestinationBucket", "RuleId"}),
    ("AWS/S3", "OperationsPendingReplication"):
        ("Count", {"SourceBucket", "DestinationBucket", "RuleId"}),
    ("AWS/Athena", "ProcessedBytes"): ("Bytes", {"WorkGroup"}),
    ("AWS/Athena", "TotalExecutionTime"): ("Milliseconds", {"WorkGroup"}),
    ("AWS/Athena", "QueryQueueTime"): ("Milliseconds", {"WorkGroup"}),
    ("Cityline", "JobTime"): ("Milliseconds", {"Job"}),
    ("Cityline", "JobRows"): ("Count", {"Job"}),
    ("Cityline", "JobSucceeded"): ("Count", {"Job"}),
    ("Cityline", "JobFailed"): ("Count", {"Job"}),
}  # fmt: skip
"""The services' documentation and what our jobs write, once more: metric → unit and dimensions."""
DAILY = {"BucketSizeBytes", "NumberOfObjects"}


@pytest.mark.parametrize("gauge", GAUGES)
def test_a_gauge_is_called_as_cloudwatch_calls_it(gauge: str) -> None:
    metric = GAUGES[gauge]
    unit, dimensions = TABLE[metric.namespace, metric.name]
    assert metric.unit == unit
    assert set(metric.dimensions) <= dimensions
    assert set(metric.dimensions) in METRICS[metric.namespace][metric.name]
    assert metric.period == 86_400 if metric.name in DAILY else metric.period % 60 == 0


def test_every_metric_of_the_table_has_a_gauge() -> None:
    assert {(m.namespace, m.name) for m in GAUGES.values()} == set(TABLE)


# -- one machine ----------------------------------------------------------------------------------


def local(home: Path, usd: float | None = 12.5) -> LocalGauges:
    return LocalGauges(home / "lake", small_home(home), lambda: (usd, "an estimate"))


def value(readings: list[Reading], gauge: str, of: str) -> float | None:
    (found,) = [r.value for r in readings if (r.gauge, r.of) == (gauge, of)]
    return found


def test_a_run_is_seen_in_the_gauges_of_the_machine(tmp_path: Path) -> None:
    readings = local(tmp_path).read(7)
    told = {
        ("stored", "raw"): 5_070,
        ("objects", "raw"): 2,
        ("stored", "curated"): 300,
        ("stored", "landing"): 0,
        ("received", "raw"): 5_000,
        ("queries", "publishing"): 2,
        ("query time", "publishing"): 300,
        ("scanned", "publishing"): 600,
        ("job time", "ingest"): 2_000,
        ("job time", "prepare"): 5_000,
        ("job successes", "ingest"): 1,
        ("job successes", "prepare"): 0,
        ("job failures", "prepare"): 1,
        ("job failures", "structure"): 1,
        ("charges", "all"): 12.5,
    }
    assert {key: value(readings, *key) for key in told} == told


def test_only_the_days_that_are_asked_for_count(tmp_path: Path) -> None:
    gauges = local(tmp_path)
    assert value(gauges.read(90), "received", "raw") == 10_000
    assert value(gauges.read(7), "received", "raw") == 5_000


def test_what_has_no_figure_is_absent_and_not_zero(tmp_path: Path) -> None:
    readings = local(tmp_path, None).read(1)
    for gauge, of in (("sent", "site"), ("copy lag", "raw"), ("charges", "all")):
        assert value(readings, gauge, of) is None
    assert all(r.note for r in readings if r.value is None)
    assert local(tmp_path / "other").alarms() == []


def test_a_lake_elsewhere_has_no_size_here(tmp_path: Path) -> None:
    elsewhere = LocalGauges(None, small_home(tmp_path), lambda: (None, "no estimate"))
    assert value(elsewhere.read(1), "stored", "raw") is None


# -- AWS ------------------------------------------------------------------------------------------


def watched(account: str) -> Any:
    from cityline.adapters.aws.gauges import Watched  # noqa: PLC0415 - an extra

    return Watched(
        region=HOME,
        billing_region=BILLS,
        prefix="gauged",
        buckets={"raw": f"gauged-raw-{account}-{HOME}", "curated": f"gauged-curated-{account}"},
        copies={"raw": ("gauged-raw", "gauged-raw-copy", "whole")},
        workgroups={"analysis": "gauged-analysis"},
        jobs={"prepare": "gauged-prepare"},
        services=["AmazonS3", "AWSGlue"],
        filter_id="whole",
    )


def cloudwatch(there: Any = None) -> Gauges:
    from cityline.adapters.aws.gauges import CloudWatchGauges  # noqa: PLC0415 - an extra

    return CloudWatchGauges(lambda account: there or watched(account))


def put(cloud: Emulator, region: str, gauge: str, of: tuple[str, ...], *values: float) -> None:
    """Points an hour apart, the newest last."""
    metric = GAUGES[gauge]
    dimensions = [{"Name": n, "Value": v} for n, v in zip(metric.dimensions, of, strict=True)]
    for age, one in enumerate(reversed(values)):
        when = datetime.now(UTC) - timedelta(hours=age, minutes=5)
        point = {"MetricName": metric.name, "Dimensions": dimensions, "Timestamp": when,
                 "Value": one}  # fmt: skip
        cloud.client("cloudwatch", region).put_metric_data(
            Namespace=metric.namespace, MetricData=[point]
        )


@pytest.mark.aws
def test_figures_of_cloudwatch_by_the_same_names(cloud: Emulator) -> None:
    bucket = f"gauged-raw-{ACCOUNT}-{HOME}"
    put(cloud, BILLS, "charges", ("USD",), 41.0, 42.5)
    put(cloud, BILLS, "charges of a service", ("USD", "AmazonS3"), 1.25)
    put(cloud, HOME, "charges", ("USD",), 999.0)  # no such metric outside us-east-1
    put(cloud, HOME, "stored", (bucket, "StandardStorage"), 5_000.0)
    put(cloud, HOME, "stored", (bucket, "StandardIAStorage"), 700.0)
    put(cloud, HOME, "received", (bucket, "whole"), 10.0, 20.0, 30.0)
    put(cloud, HOME, "copy lag", ("gauged-raw", "gauged-raw-copy", "whole"), 12.0, 700.0, 3.0)
    put(cloud, HOME, "scanned", ("gauged-analysis",), 1e7, 2e7)
    put(cloud, HOME, "query time", ("gauged-analysis",), 100.0, 900.0)
    put(cloud, HOME, "job time", ("gauged-prepare",), 60_000.0)
    readings = cloudwatch().read(2)
    assert value(readings, "charges", "all") == 42.5
    assert value(readings, "charges of a service", "AmazonS3") == 1.25
    assert value(readings, "stored", "raw") == 5_700.0
    assert value(readings, "received", "raw") == 60.0
    assert value(readings, "copy lag", "raw") == 700.0
    assert value(readings, "scanned", "analysis") == 3e7
    assert value(readings, "queries", "analysis") == 2
    assert value(readings, "query time", "analysis") == 900.0
    assert value(readings, "job time", "prepare") == 60_000.0
    for gauge, of in (("charges of a service", "AWSGlue"), ("stored", "curated"),
                      ("objects", "raw"), ("job failures", "prepare")):  # fmt: skip
        assert value(readings, gauge, of) is None


@pytest.mark.aws
def test_what_a_job_tells_is_what_is_read_and_what_its_alarm_watches(
    cloud: Emulator,
) -> None:
    from cityline.adapters.aws.gauges import tell  # noqa: PLC0415 - an extra

    receipts = [
        Receipt("r-1", "ingest/a", Outcome.DONE, "", "", 1.5, rows_in=40),
        Receipt("r-1", "ingest/b", Outcome.UNCHANGED, "", "", 9.0, rows_in=9),
    ]
    estate = Estate(read_folder(ROOT / "cities" / "vancouver", "aws"), {})
    job = estate.names.job("ingest")
    tell(HOME, job, figures_of_job(receipts))
    alarm = observability.build(estate).resources["IngestSilentAlarm"]["Properties"]
    asked = {key: alarm[key] for key in ("Namespace", "MetricName", "Dimensions", "Period")}
    now = datetime.now(UTC)
    told = cloud.client("cloudwatch", HOME).get_metric_statistics(
        **asked, Statistics=[alarm["Statistic"]], StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
    )  # fmt: skip
    assert sum(p["Sum"] for p in told["Datapoints"]) == 1
    there = replace(watched(ACCOUNT), jobs={"ingest": job})
    readings = cloudwatch(there).read(1)
    figures = {"job time": 1_500, "job rows": 40, "job successes": 1, "job failures": 0}
    assert {g: value(readings, g, "ingest") for g in figures} == figures


@pytest.mark.aws
def test_alarms_of_both_regions_ringing_ones_first(cloud: Emulator) -> None:
    told = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1,
            "MetricName": "EstimatedCharges", "Namespace": "AWS/Billing", "Period": 21_600,
            "Statistic": "Maximum", "Threshold": 10.0}  # fmt: skip
    for region, name in ((HOME, "gauged-rawLag"), (BILLS, "gauged-charges-all"), (HOME, "other-x")):
        cloud.client("cloudwatch", region).put_metric_alarm(
            AlarmName=name, AlarmDescription=f"says {name}", **told
        )
        state = "ALARM" if "charges" in name else "OK"
        cloud.client("cloudwatch", region).set_alarm_state(
            AlarmName=name, StateValue=state, StateReason="told so"
        )
    first, second = cloudwatch().alarms()
    assert (first.name, first.region, first.state) == ("charges-all", BILLS, "ALARM")
    assert (second.name, second.state, second.says) == ("rawLag", "OK", "says gauged-rawLag")
    assert first.since


@pytest.mark.aws
def test_a_role_without_the_right_is_told_so(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        f' "Principal": {{"AWS": "arn:aws:iam::{ACCOUNT}:root"}}}}]}}'
    )
    cloud.client("iam").create_role(RoleName="gauged-nobody", AssumeRolePolicyDocument=trust)
    key, secret, token = cloud.assume("gauged-nobody")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    with pytest.raises(CloudRefused, match="denies GetMetricData") as refused:
        cloudwatch().read(1)
    assert "cityline access" in refused.value.hint
