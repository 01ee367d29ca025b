"""The CloudWatch dashboard as data: what the reference platform's dashboards show, in rows.

Charges exist in us-east-1 only, and a widget may show another region's metrics, so one dashboard
at home shows all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cityline.ports.gauges import GAUGES

BILLING_REGION = "us-east-1"
_DAY = 86_400
_HOUR = 3_600
_SIX_HOURS = 21_600
_FIVE_MINUTES = 300
BROKEN = ("HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count")
"""What the balancer could not answer, and what the server behind it answered with an error."""
_WIDE, _HIGH = 8, 6
_COLUMNS = 24

Line = list[Any]
"""A metric as a widget writes it: namespace, name, dimensions one after another, options."""


def dashboard(
    *,
    region: str,
    buckets: Mapping[str, str],
    replicas: Mapping[str, tuple[str, str]],
    workgroups: Sequence[str],
    jobs: Sequence[str],
    load_balancer: str,
) -> dict[str, Any]:
    """The body. `buckets` maps a zone to its bucket, `replicas` to (destination, rule)."""
    widgets = [
        _charges(),
        _sizes(region, buckets),
        _objects(region, buckets),
        _transfer(region, buckets),
        _requests(region, buckets),
        _lag(region, buckets, replicas),
        _scanned(region, workgroups),
        _times(region, workgroups),
        _runs(region, jobs),
        _read(region, jobs),
        _web(region, load_balancer),
        _web_times(region, load_balancer),
    ]
    return {"widgets": [{**w, **_at(n)} for n, w in enumerate(widgets)]}


def _at(number: int) -> dict[str, int]:
    row, column = divmod(number, _COLUMNS // _WIDE)
    return {"x": column * _WIDE, "y": row * _HIGH, "width": _WIDE, "height": _HIGH}


def _widget(title: str, region: str, lines: list[Line], stat: str, period: int) -> dict[str, Any]:
    return {
        "type": "metric",
        "properties": {
            "title": title,
            "region": region,
            "metrics": lines,
            "stat": stat,
            "period": period,
            "view": "timeSeries",
        },
    }


def _charges() -> dict[str, Any]:
    services = ("AmazonS3", "AWSGlue", "AmazonAthena", "AmazonEC2", "awskms", "AWSCloudTrail")
    lines: list[Line] = [["AWS/Billing", "EstimatedCharges", "Currency", "USD"]]
    lines += [
        ["AWS/Billing", "EstimatedCharges", "ServiceName", s, "Currency", "USD"] for s in services
    ]
    return _widget("Estimated charges (USD)", BILLING_REGION, lines, "Maximum", _SIX_HOURS)


def _sizes(region: str, buckets: Mapping[str, str]) -> dict[str, Any]:
    lines = [_stored("BucketSizeBytes", name, "StandardStorage", z) for z, name in buckets.items()]
    return _widget("Size of the zones (bytes, daily)", region, lines, "Average", _DAY)


def _objects(region: str, buckets: Mapping[str, str]) -> dict[str, Any]:
    lines = [_stored("NumberOfObjects", b, "AllStorageTypes", z) for z, b in buckets.items()]
    return _widget("Objects in the zones (daily)", region, lines, "Average", _DAY)


def _stored(metric: str, bucket: str, kind: str, zone: str) -> Line:
    return ["AWS/S3", metric, "BucketName", bucket, "StorageType", kind, {"label": zone}]


def _transfer(region: str, buckets: Mapping[str, str]) -> dict[str, Any]:
    lines = [
        _asked(metric, name, zone)
        for metric in ("BytesDownloaded", "BytesUploaded")
        for zone, name in buckets.items()
    ]
    return _widget("Data transfer of the zones (bytes)", region, lines, "Sum", _HOUR)


def _requests(region: str, buckets: Mapping[str, str]) -> dict[str, Any]:
    lines = [
        _asked(metric, name, zone)
        for metric in ("AllRequests", "4xxErrors")
        for zone, name in buckets.items()
    ]
    return _widget("Requests to the zones", region, lines, "Sum", _HOUR)


def _asked(metric: str, bucket: str, zone: str) -> Line:
    label = {"label": f"{zone} {metric}"}
    return ["AWS/S3", metric, "BucketName", bucket, "FilterId", "whole", label]


def _lag(
    region: str, buckets: Mapping[str, str], replicas: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    lines: list[Line] = [
        [
            "AWS/S3", metric, "SourceBucket", buckets[zone],
            "DestinationBucket", destination, "RuleId", rule, {"label": f"{zone} {metric}"},
        ]
        for metric in ("ReplicationLatency", "OperationsPendingReplication")
        for zone, (destination, rule) in replicas.items()
    ]  # fmt: skip
    return _widget("Replication lag", region, lines, "Maximum", _FIVE_MINUTES)


def _scanned(region: str, workgroups: Sequence[str]) -> dict[str, Any]:
    lines: list[Line] = [["AWS/Athena", "ProcessedBytes", "WorkGroup", w] for w in workgroups]
    return _widget("Bytes scanned by queries", region, lines, "Sum", _HOUR)


def _times(region: str, workgroups: Sequence[str]) -> dict[str, Any]:
    lines: list[Line] = [
        ["AWS/Athena", metric, "WorkGroup", w]
        for metric in ("TotalExecutionTime", "QueryQueueTime")
        for w in workgroups
    ]
    return _widget("Time of queries (ms, 95th percentile)", region, lines, "p95", _HOUR)


def _runs(region: str, jobs: Sequence[str]) -> dict[str, Any]:
    lines = [_job(gauge, job) for gauge in ("job successes", "job failures") for job in jobs]
    return _widget("Job runs", region, lines, "Sum", _HOUR)


def _read(region: str, jobs: Sequence[str]) -> dict[str, Any]:
    lines = [_job("job rows", job) for job in jobs]
    return _widget("Rows read by jobs", region, lines, "Sum", _HOUR)


def _job(gauge: str, job: str) -> Line:
    metric = GAUGES[gauge]
    named = [part for name in metric.dimensions for part in (name, job)]
    return [metric.namespace, metric.name, *named, {"label": f"{job} {metric.name}"}]


def _web(region: str, load_balancer: str) -> dict[str, Any]:
    lines: list[Line] = [
        ["AWS/ApplicationELB", metric, "LoadBalancer", load_balancer]
        for metric in ("RequestCount", *BROKEN, "ProcessedBytes")
    ]
    return _widget("The website: requests", region, lines, "Sum", _FIVE_MINUTES)


def _web_times(region: str, load_balancer: str) -> dict[str, Any]:
    lines: list[Line] = [
        ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", load_balancer]
    ]
    return _widget("The website: time (s, 95th percentile)", region, lines, "p95", _FIVE_MINUTES)
