"""Gauges: numbers about the platform, by the same names wherever it runs.

Each gauge has CloudWatch's metric beside it, so that a figure of this machine and one of AWS can be
laid side by side. The jobs' are our own: Glue writes its only for scripts that open a GlueContext,
and only of Spark's tasks. A *metric* of the city is something else: a number about the city.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cityline.lake.receipt import Outcome, Receipt


@dataclass(frozen=True, slots=True)
class CloudMetric:
    """What CloudWatch calls it: namespace and name, its unit, the names of its dimensions, and the
    statistic and the seconds of a period in which it makes sense."""

    namespace: str
    name: str
    unit: str
    dimensions: tuple[str, ...]
    statistic: str
    period: int

    def __str__(self) -> str:
        return f"{self.namespace} {self.name}"


_SIX_HOURS, _DAY, _HOUR = 21_600, 86_400, 3_600
_STORED = ("BucketName", "StorageType")
_ASKED = ("BucketName", "FilterId")
_COPIED = ("SourceBucket", "DestinationBucket", "RuleId")
OWN = "Cityline"
"""The namespace of what jobs write themselves; their roles may write in no other of ours."""


def _s3(name: str, unit: str, of: tuple[str, ...], statistic: str, period: int) -> CloudMetric:
    return CloudMetric("AWS/S3", name, unit, of, statistic, period)


def _athena(name: str, unit: str, statistic: str) -> CloudMetric:
    return CloudMetric("AWS/Athena", name, unit, ("WorkGroup",), statistic, _HOUR)


def _job(name: str, unit: str) -> CloudMetric:
    return CloudMetric(OWN, name, unit, ("Job",), "Sum", _HOUR)


GAUGES: Mapping[str, CloudMetric] = {
    "charges": CloudMetric(
        "AWS/Billing", "EstimatedCharges", "USD", ("Currency",), "Maximum", _SIX_HOURS
    ),
    "charges of a service": CloudMetric(
        "AWS/Billing", "EstimatedCharges", "USD", ("Currency", "ServiceName"), "Maximum", _SIX_HOURS
    ),
    "stored": _s3("BucketSizeBytes", "Bytes", _STORED, "Average", _DAY),
    "objects": _s3("NumberOfObjects", "Count", _STORED, "Average", _DAY),
    "received": _s3("BytesUploaded", "Bytes", _ASKED, "Sum", _HOUR),
    "sent": _s3("BytesDownloaded", "Bytes", _ASKED, "Sum", _HOUR),
    "requests": _s3("AllRequests", "Count", _ASKED, "Sum", _HOUR),
    "copy lag": _s3("ReplicationLatency", "Seconds", _COPIED, "Maximum", _HOUR),
    "copies pending": _s3("OperationsPendingReplication", "Count", _COPIED, "Maximum", _HOUR),
    "queries": _athena("TotalExecutionTime", "Milliseconds", "SampleCount"),
    "query time": _athena("TotalExecutionTime", "Milliseconds", "p95"),
    "query wait": _athena("QueryQueueTime", "Milliseconds", "p95"),
    "scanned": _athena("ProcessedBytes", "Bytes", "Sum"),
    "job time": _job("JobTime", "Milliseconds"),
    "job rows": _job("JobRows", "Count"),
    "job successes": _job("JobSucceeded", "Count"),
    "job failures": _job("JobFailed", "Count"),
}
"""Gauge → what CloudWatch calls it. How many queries there were is how many times were measured."""

_BAD = (Outcome.FAILED, Outcome.BLOCKED)


def figures_of_job(receipts: Sequence[Receipt]) -> dict[str, float]:
    """What receipts of a job come to, by gauge: milliseconds and rows of the steps that had to be
    done, and how many of the runs ended well or badly."""
    ran = [r for r in receipts if r.outcome is not Outcome.UNCHANGED]
    runs = {r.run for r in receipts}
    bad = {r.run for r in receipts if r.outcome in _BAD}
    return {
        "job time": sum(r.seconds for r in ran) * 1000,
        "job rows": float(sum(r.rows_in for r in ran)),
        "job successes": float(len(runs - bad)),
        "job failures": float(len(bad)),
    }


@dataclass(frozen=True, slots=True)
class Reading:
    """A gauge of something (a zone, a workgroup, a job, a service). `value` is in the unit of its
    metric and None where there is no figure, which is not zero; `note` says what to know of it."""

    gauge: str
    of: str
    value: float | None
    note: str = ""

    @property
    def metric(self) -> CloudMetric:
        """What CloudWatch calls it."""
        return GAUGES[self.gauge]

    @property
    def unit(self) -> str:
        """The unit of the value: a count of measurements has none of what was measured."""
        return "Count" if self.metric.statistic == "SampleCount" else self.metric.unit


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm: `state` is OK, ALARM or INSUFFICIENT_DATA, since when, and what it watches for."""

    name: str
    region: str
    state: str
    since: str
    says: str
    why: str = ""


class Gauges(Protocol):
    """Reads what the platform does. Raises StoreError here, CloudError on AWS."""

    def read(self, days: int) -> list[Reading]:
        """Every gauge over the last days: sums of what happens, the newest of what is."""
        ...

    def alarms(self) -> list[Alarm]:
        """Every alarm and its state; nothing rings where there are none."""
        ...
