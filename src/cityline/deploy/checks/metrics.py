"""Metrics, dashboards and sums: what is watched exists, and what is spent is positive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.ports.gauges import GAUGES, OWN

_S3_ASKED = ({"BucketName", "FilterId"},)
_S3_COPIED = ({"SourceBucket", "DestinationBucket", "RuleId"},)
_ALB = ({"LoadBalancer"}, {"LoadBalancer", "TargetGroup"})
_ATHENA = ({"WorkGroup"}, {"QueryState", "QueryType", "WorkGroup"})

METRICS: Mapping[str, Mapping[str, Sequence[set[str]]]] = {
    "AWS/Billing": {"EstimatedCharges": [{"Currency"}, {"Currency", "ServiceName"}]},
    "AWS/S3": {
        "BucketSizeBytes": [{"BucketName", "StorageType"}],
        "NumberOfObjects": [{"BucketName", "StorageType"}],
        **dict.fromkeys(
            (
                "AllRequests", "GetRequests", "PutRequests", "DeleteRequests", "HeadRequests",
                "ListRequests", "BytesDownloaded", "BytesUploaded", "4xxErrors", "5xxErrors",
                "FirstByteLatency", "TotalRequestLatency",
            ),
            _S3_ASKED,
        ),
        **dict.fromkeys(
            ("ReplicationLatency", "BytesPendingReplication", "OperationsPendingReplication",
             "OperationsFailedReplication"),
            _S3_COPIED,
        ),
    },
    "AWS/Athena": dict.fromkeys(
        ("ProcessedBytes", "TotalExecutionTime", "EngineExecutionTime", "QueryQueueTime",
         "QueryPlanningTime", "ServiceProcessingTime", "ServicePreProcessingTime"),
        _ATHENA,
    ),
    OWN: {m.name: [set(m.dimensions)] for m in GAUGES.values() if m.namespace == OWN},
    "AWS/ApplicationELB": dict.fromkeys(
        ("RequestCount", "HTTPCode_ELB_5XX_Count", "HTTPCode_Target_5XX_Count", "ProcessedBytes",
         "TargetResponseTime", "UnHealthyHostCount", "HealthyHostCount",
         "RejectedConnectionCount"),
        _ALB,
    ),
}  # fmt: skip
"""Metrics that exist, and by which sets of dimensions each can be asked for. Glue's own are not
among them: our jobs open no GlueContext, without which it writes none."""

_DAILY = {"BucketSizeBytes", "NumberOfObjects"}
_DAY = 86_400
_SHORT = {10, 20, 30}
_COLUMNS = 24
_WIDGETS = {"metric", "text", "log", "alarm"}


def known_metrics(stacks: Stacks) -> Iterator[Finding]:
    """Every alarm and widget names a metric that exists, by dimensions it has."""
    own = _own_metrics(stacks)
    for alarm in stacks.of("CloudWatch::Alarm"):
        told = stacks.resolved(alarm)
        dimensions = {d["Name"] for d in told.get("Dimensions", [])}
        what = _unknown(told.get("Namespace", ""), told.get("MetricName", ""), dimensions, own)
        if what:
            yield alarm.fault("known-metrics", what)
    for board, widget in _widgets(stacks):
        for line in widget.get("properties", {}).get("metrics", []):
            names = [part for part in line if isinstance(part, str)]
            what = _unknown(names[0], names[1], set(names[2::2]), own)
            if what:
                yield board.fault("known-metrics", what)


def alarm_periods(stacks: Stacks) -> Iterator[Finding]:
    """Periods CloudWatch has; daily metrics are asked for by the day; charges only in us-east-1."""
    for alarm in stacks.of("CloudWatch::Alarm"):
        period = int(alarm.get("Period", 0))
        if period not in _SHORT and (period <= 0 or period % 60):
            yield alarm.fault("alarm-periods", f"a period of {period} s does not exist")
        if alarm.get("MetricName") in _DAILY and period < _DAY:
            yield alarm.fault("alarm-periods", "this metric is written once a day")
        if alarm.get("Namespace") == "AWS/Billing" and alarm.stack != "billing":
            yield alarm.fault("alarm-periods", "charges are known in us-east-1 only")


def dashboards(stacks: Stacks) -> Iterator[Finding]:
    """A dashboard's body is JSON, its widgets lie within the grid and have a region."""
    for board in stacks.of("CloudWatch::Dashboard"):
        body = _body(stacks, board)
        if body is None or not isinstance(body.get("widgets"), list) or not body["widgets"]:
            yield board.fault("dashboards", "the body is not JSON with a list of widgets")
            continue
        for widget in body["widgets"]:
            if widget.get("type") not in _WIDGETS:
                yield board.fault("dashboards", f"no widget is a {widget.get('type')!r}")
            if widget.get("x", 0) + widget.get("width", 0) > _COLUMNS:
                yield board.fault("dashboards", "a widget is wider than the grid")
            if widget.get("type") == "metric" and not widget["properties"].get("region"):
                yield board.fault("dashboards", "a metric widget has no region")


def positive_amounts(stacks: Stacks) -> Iterator[Finding]:
    """Budgets, thresholds of charges and cut-offs are more than nothing."""
    for budget in stacks.of("Budgets::Budget"):
        amount = float(budget.get("Budget.BudgetLimit.Amount", 0))
        if amount <= 0:
            yield budget.fault("positive-amounts", f"a budget of {amount:g}")
        for notice in budget.get("NotificationsWithSubscribers", []):
            if float(notice["Notification"]["Threshold"]) <= 0:
                yield budget.fault("positive-amounts", "a notice at nothing")
    for alarm in stacks.of("CloudWatch::Alarm"):
        if alarm.get("Namespace") == "AWS/Billing" and float(alarm.get("Threshold", 0)) <= 0:
            yield alarm.fault("positive-amounts", "an alarm at no charges")
    for group in stacks.of("Athena::WorkGroup"):
        cutoff = group.get("WorkGroupConfiguration.BytesScannedCutoffPerQuery")
        if cutoff is None or int(cutoff) < 10_000_000:  # noqa: PLR2004 - Athena's least
            yield group.fault("positive-amounts", "the cut-off is missing or below 10 MB")


def _own_metrics(stacks: Stacks) -> set[tuple[str, str]]:
    """What metric filters of these stacks write."""
    return {
        (t["MetricNamespace"], t["MetricName"])
        for f in stacks.of("Logs::MetricFilter")
        for t in stacks.resolved(f).get("MetricTransformations", [])
    }


def _unknown(
    namespace: str, metric: str, dimensions: set[str], own: set[tuple[str, str]]
) -> str | None:
    if (namespace, metric) in own:
        return None if not dimensions else f"{metric} is written without dimensions"
    known = METRICS.get(namespace)
    if known is None:
        return f"no metrics are known in {namespace!r}"
    if metric not in known:
        return f"{namespace} has no metric {metric!r}"
    if dimensions not in known[metric]:
        return f"{metric} is not known by {', '.join(sorted(dimensions)) or 'no dimension'}"
    return None


def _widgets(stacks: Stacks) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    for board in stacks.of("CloudWatch::Dashboard"):
        for widget in (_body(stacks, board) or {}).get("widgets", []):
            if widget.get("type") == "metric":
                yield board, widget


def _body(stacks: Stacks, board: Resource) -> dict[str, Any] | None:
    try:
        found = json.loads(stacks.text(board.stack, board.properties.get("DashboardBody", "")))
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
