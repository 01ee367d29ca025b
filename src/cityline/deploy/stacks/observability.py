"""Watching: the dashboard, and an alarm for everything somebody should be woken or written for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.dashboard import BROKEN, dashboard
from cityline.deploy.estate import Estate
from cityline.deploy.jobs import BAD_ENDS, WAY
from cityline.deploy.naming import sub
from cityline.deploy.policies import replicated
from cityline.deploy.policies.statements import sid
from cityline.deploy.stacks.audit import alarm_topic
from cityline.deploy.stacks.query import workgroups
from cityline.deploy.stacks.storage import METRICS_FILTER, REPLICATION_RULE
from cityline.deploy.template import Template
from cityline.ports.gauges import GAUGES

_DAY, _HOUR, _FIVE_MINUTES = 86_400, 3_600, 300
_LAG_SECONDS = 900
_SILENT_HOURS = 26
"""A day, and what one run may end later than the one before."""
_ABSENT = {
    "ComparisonOperator": "LessThanThreshold",
    "EvaluationPeriods": _SILENT_HOURS,
    "TreatMissingData": "breaching",
}
"""Rings when something does not happen: a job that never started tells nothing."""

_LARGE = 100_000_000_000
_SCANNED_A_DAY = 100_000_000_000


def build(estate: Estate) -> Template:
    """The dashboard and the alarms. Charges have their alarms in the billing stack."""
    template = estate.template("dashboard and alarms")
    says = "LoadBalancerFullName of the publish stack, or none for a static site"
    balancer = template.parameter("LoadBalancerName", says, Default="none")
    body = _dashboard(estate)
    name = f"{estate.settings.prefix}"
    template.add(
        "Dashboard", "CloudWatch::Dashboard", {"DashboardBody": sub(body), "DashboardName": name}
    )
    for alarm, says, metric, threshold in _alarms(estate):
        _alarm(template, estate, alarm, says, metric, threshold)
    at = {"LoadBalancer": balancer}
    for alarm, broken in zip(("WebErrors", "ServerErrors"), BROKEN, strict=True):
        web = _metric("AWS/ApplicationELB", broken, "Sum", _FIVE_MINUTES, at)
        _alarm(template, estate, alarm, "The website answers with errors", web, 10)
    _failures(template, estate)
    return template


def _failures(template: Template, estate: Estate) -> None:
    """Every end of a job but a good one, told at once and by Glue and DataBrew themselves, so also
    of a job that could tell nothing any more."""
    template.add(
        "JobFailures",
        "Events::Rule",
        {
            "Description": "A job of the platform failed",
            "EventPattern": {
                "source": ["aws.glue", "aws.databrew"],
                "detail-type": ["Glue Job State Change", "DataBrew Job State Change"],
                "detail": {
                    "jobName": [{"prefix": estate.names.job("")}],
                    "state": list(BAD_ENDS),
                },
            },
            "Name": f"{estate.settings.prefix}-job-failures",
            "State": "ENABLED",
            "Targets": [{"Arn": alarm_topic(estate), "Id": "Alarms"}],
        },
    )


def _dashboard(estate: Estate) -> str:
    names = estate.names
    body = dashboard(
        region=estate.settings.home_region,
        buckets={z.value: names.bucket(z) for z in AccessZone},
        replicas={
            z.value: (names.bucket(z, replica=True), REPLICATION_RULE)
            for z in replicated(estate.access)
        },
        workgroups=[names.workgroup(w) for w in workgroups(estate)],
        jobs=[names.job(role) for role in WAY],
        load_balancer="${LoadBalancerName}",
    )
    return json.dumps(body, separators=(",", ":"))


def _alarms(estate: Estate) -> Iterator[tuple[str, str, Mapping[str, Any], float]]:
    """Name, what it says, what it watches, and from where on it rings."""
    names = estate.names
    for zone in replicated(estate.access):
        copy = {
            "DestinationBucket": sub(names.bucket(zone, replica=True)),
            "RuleId": REPLICATION_RULE,
            "SourceBucket": sub(names.bucket(zone)),
        }
        lag = _metric("AWS/S3", "ReplicationLatency", "Maximum", _FIVE_MINUTES, copy)
        yield (
            f"{sid(zone)}Lag",
            f"The copy of {zone} is more than 15 minutes behind",
            lag,
            _LAG_SECONDS,
        )
        failed = _metric("AWS/S3", "OperationsFailedReplication", "Sum", _FIVE_MINUTES, copy)
        yield f"{sid(zone)}CopyFailed", f"An object of {zone} was not copied", failed, 0
    for zone in AccessZone:
        bucket = sub(names.bucket(zone))
        stored = {"BucketName": bucket, "StorageType": "StandardStorage"}
        size = _metric("AWS/S3", "BucketSizeBytes", "Average", _DAY, stored)
        yield f"{sid(zone)}Size", f"The zone {zone} holds more than 100 GB", size, _LARGE
        asked = {"BucketName": bucket, "FilterId": METRICS_FILTER}
        errors = _metric("AWS/S3", "5xxErrors", "Sum", _FIVE_MINUTES, asked)
        yield f"{sid(zone)}Errors", f"S3 fails requests to the zone {zone}", errors, 5
    for role in WAY:
        yield _silence(role, names.job(role))
    for group in workgroups(estate):
        where = {"WorkGroup": names.workgroup(group)}
        scanned = _metric("AWS/Athena", "ProcessedBytes", "Sum", _DAY, where)
        yield (
            f"{sid(group)}Scanned",
            f"Queries of {group} scanned 100 GB in a day",
            scanned,
            _SCANNED_A_DAY,
        )


def _silence(role: str, job: str) -> tuple[str, str, Mapping[str, Any], float]:
    """An alarm on the success that a job tells itself."""
    told = GAUGES["job successes"]
    done = _metric(told.namespace, told.name, "Sum", _HOUR, dict.fromkeys(told.dimensions, job))
    says = f"The job {role} did not succeed for {_SILENT_HOURS} hours"
    return f"{sid(role)}Silent", says, {**done, **_ABSENT}, 1


def _metric(
    namespace: str, name: str, statistic: str, period: int, dimensions: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "Dimensions": [{"Name": k, "Value": v} for k, v in sorted(dimensions.items())],
        "MetricName": name,
        "Namespace": namespace,
        "Period": period,
        "Statistic": statistic,
    }


def _alarm(
    template: Template, estate: Estate, name: str, says: str, metric: Mapping[str, Any], over: float
) -> None:
    topic = alarm_topic(estate)
    missing = "ignore" if metric["MetricName"] == "ReplicationLatency" else "notBreaching"
    template.add(
        f"{name}Alarm",
        "CloudWatch::Alarm",
        {
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "TreatMissingData": missing,
            **metric,
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            "AlarmDescription": says,
            "AlarmName": f"{estate.settings.prefix}-{name}",
            "Tags": template.labels(),
            "Threshold": over,
        },
    )
