"""Gauges of a city on AWS: CloudWatch, asked for what `ports.gauges` names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import Clients, account, client
from cityline.errors import CloudRefused, CloudUnreachable
from cityline.ports.gauges import GAUGES, OWN, Alarm, Reading

_ANY = "us-east-1"
_AT_ONCE = 500
"""Metrics one request may ask for."""
_DAILY = 3
"""Days to look back for what is written once a day, and late."""
_STORAGE = ("StandardStorage", "StandardIAStorage", "GlacierStorage")
JOB_GAUGES = tuple(g for g, m in GAUGES.items() if m.namespace == OWN)
_NEWEST = ("EstimatedCharges", "BucketSizeBytes", "NumberOfObjects")
"""What stands, of which only the newest figure counts."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What there is to watch: buckets by zone, copies as (source, destination, rule) by zone,
    workgroups and jobs by their short names, services as bills call them. `prefix` begins the name
    of every alarm, `filter_id` is the metrics filter of the buckets."""

    region: str
    billing_region: str
    prefix: str
    buckets: Mapping[str, str]
    copies: Mapping[str, tuple[str, str, str]]
    workgroups: Mapping[str, str]
    jobs: Mapping[str, str]
    services: Sequence[str]
    filter_id: str


@dataclass(frozen=True, slots=True)
class _Asked:
    gauge: str
    of: str
    dimensions: tuple[str, ...]


class CloudWatchGauges:
    """Implements `ports.gauges.Gauges`. `watched` names things, given the account's number."""

    def __init__(self, watched: Callable[[str], Watched], clients: Clients | None = None) -> None:
        self._watched = watched
        self._client = clients or Clients()

    def read(self, days: int) -> list[Reading]:
        """Every gauge over the last days, from the two regions that know them."""
        there = self._watched(account(_ANY))
        asked = list(_asked(there))
        bills = [a for a in asked if GAUGES[a.gauge].namespace == "AWS/Billing"]
        rest = [a for a in asked if a not in bills]
        found = {
            **self._values(bills, there.billing_region, days),
            **self._values(rest, there.region, days),
        }
        sums: dict[tuple[str, str], float | None] = {}
        for one in asked:  # the sizes of one bucket's kinds of storage add up
            key, value = (one.gauge, one.of), found.get(one)
            before = sums.get(key)
            sums[key] = value if before is None else before + (value or 0)
        return [Reading(g, of, v, _note(g) if v is not None else "") for (g, of), v in sums.items()]

    def alarms(self) -> list[Alarm]:
        """Alarms of the home region and of the one where charges are known; ringing ones first."""
        there = self._watched(account(_ANY))
        found = [
            a
            for region in dict.fromkeys((there.region, there.billing_region))
            for a in self._alarms(region, there.prefix)
        ]
        return sorted(found, key=lambda a: (a.state != "ALARM", a.state == "OK", a.name))

    def _alarms(self, region: str, prefix: str) -> Iterator[Alarm]:
        with cloud_errors(f"alarms in {region}"):
            pages = self._client("cloudwatch", region).get_paginator("describe_alarms")
            for page in pages.paginate(AlarmNamePrefix=f"{prefix}-"):
                for told in page["MetricAlarms"]:
                    yield Alarm(
                        name=told["AlarmName"].removeprefix(f"{prefix}-"),
                        region=region,
                        state=told["StateValue"],
                        since=_iso(told.get("StateUpdatedTimestamp")),
                        says=told.get("AlarmDescription", ""),
                        why=told.get("StateReason", ""),
                    )

    def _values(self, asked: Sequence[_Asked], region: str, days: int) -> dict[_Asked, float]:
        found: dict[_Asked, float] = {}
        for at in range(0, len(asked), _AT_ONCE):
            part = asked[at : at + _AT_ONCE]
            for number, points in self._points(part, region, days).items():
                if points:
                    found[part[number]] = _one(part[number], points)
        return found

    def _points(
        self, asked: Sequence[_Asked], region: str, days: int
    ) -> dict[int, list[tuple[datetime, float]]]:
        now = datetime.now(UTC)
        since = now - timedelta(days=days)
        points: dict[int, list[tuple[datetime, float]]] = {n: [] for n in range(len(asked))}
        with cloud_errors(f"metrics in {region}"):
            pages = self._client("cloudwatch", region).get_paginator("get_metric_data")
            for page in pages.paginate(
                MetricDataQueries=[_query(n, one) for n, one in enumerate(asked)],
                StartTime=now - timedelta(days=max(days, _DAILY)),
                EndTime=now,
                ScanBy="TimestampDescending",
            ):
                for told in page["MetricDataResults"]:
                    _complain(told, region)
                    number = int(told["Id"][1:])
                    stands = GAUGES[asked[number].gauge].name in _NEWEST
                    points[number] += [
                        (when, value)
                        for when, value in zip(told["Timestamps"], told["Values"], strict=True)
                        if stands or when >= since - timedelta(hours=1)
                    ]
        return points


def tell(region: str, job: str, figures: Mapping[str, float]) -> None:
    """Write figures of a job, by gauge, under the metrics that `read` asks for and alarms watch.
    Raises CloudError."""
    written = [
        {
            "MetricName": GAUGES[gauge].name,
            "Dimensions": [{"Name": name, "Value": job} for name in GAUGES[gauge].dimensions],
            "Unit": GAUGES[gauge].unit,
            "Value": value,
        }
        for gauge, value in figures.items()
    ]
    with cloud_errors(f"metrics of {job} in {region}"):
        client("cloudwatch", region).put_metric_data(Namespace=OWN, MetricData=written)


def _asked(there: Watched) -> Iterator[_Asked]:
    """Every gauge of everything that is watched, with its dimensions in their order."""
    yield _Asked("charges", "all", ("USD",))
    yield from (_Asked("charges of a service", s, ("USD", s)) for s in there.services)
    for zone, bucket in there.buckets.items():
        yield from (_Asked("stored", zone, (bucket, kind)) for kind in _STORAGE)
        yield _Asked("objects", zone, (bucket, "AllStorageTypes"))
        for gauge in ("received", "sent", "requests"):
            yield _Asked(gauge, zone, (bucket, there.filter_id))
    for zone, copy in there.copies.items():
        yield from (_Asked(g, zone, copy) for g in ("copy lag", "copies pending"))
    for short, group in there.workgroups.items():
        for gauge in ("queries", "query time", "query wait", "scanned"):
            yield _Asked(gauge, short, (group,))
    for short, job in there.jobs.items():
        yield from (_Asked(gauge, short, (job,)) for gauge in JOB_GAUGES)


def _query(number: int, asked: _Asked) -> dict[str, Any]:
    metric = GAUGES[asked.gauge]
    named = zip(metric.dimensions, asked.dimensions, strict=True)
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": n, "Value": v} for n, v in named],
            },
            "Period": metric.period,
            "Stat": metric.statistic,
        },
        "ReturnData": True,
    }


def _complain(told: Mapping[str, Any], region: str) -> None:
    """A metric that could not be read is not a metric without figures."""
    where = f"metrics in {region}"
    if told.get("StatusCode") == "Forbidden":
        hint = "the role needs cloudwatch:GetMetricData: cityline access tells which has it"
        raise CloudRefused("AWS denies the metrics", where=where, hint=hint)
    if told.get("StatusCode") == "InternalError":
        what = "CloudWatch could not read its metrics"
        raise CloudUnreachable(what, where=where, hint="run again in a minute")


def _one(asked: _Asked, points: Sequence[tuple[datetime, float]]) -> float:
    """The figure of the whole time: what happened adds up, what stands is the newest, and of the
    rest the worst period counts."""
    metric = GAUGES[asked.gauge]
    if metric.name in _NEWEST:
        return max(points)[1]
    values = [value for _, value in points]
    return sum(values) if metric.statistic in ("Sum", "SampleCount") else max(values)


def _note(gauge: str) -> str:
    metric = GAUGES[gauge]
    if metric.namespace == "AWS/Billing":
        return "this month so far"
    if metric.name in _NEWEST:
        return "written once a day"
    return "the worst hour" if metric.statistic in ("p95", "Maximum") else ""


def _iso(when: datetime | None) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds") if when else ""
