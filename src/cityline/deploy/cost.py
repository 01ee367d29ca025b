"""What a month on AWS is estimated to cost, before anything is made.

What stands there all month is counted in the templates themselves; what depends on use comes from
the environment's `[aws.usage]`, as low, expected and high.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cityline.declarations.environment import Aws, Usage
from cityline.deploy.prices import STALE_DAYS, Price, price

HOURS = 730
"""Hours of a month as AWS counts them."""

_ATHENA_LEAST_MB = 10
_BUCKET_KEY = 0.1
"""Uses of a key per request: a bucket's own key serves many requests."""
_DPU = {"G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the estimate: what, how much of it a month, and USD."""

    what: str
    price: Price
    quantity: float

    @property
    def usd(self) -> float:
        """USD a month, not rounded."""
        return self.price.charge(self.quantity)


@dataclass(frozen=True, slots=True)
class Bill:
    """An estimate's lines."""

    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        """USD a month, to the cent."""
        return round(sum(line.usd for line in self.lines), 2)

    def by_service(self) -> dict[str, float]:
        """USD a month by the name AWS's bills give a service, the dearest first."""
        sums: Counter[str] = Counter()
        for line in self.lines:
            sums[line.price.service] += line.usd  # type: ignore[assignment] # dollars, not a count
        return dict(sums.most_common())

    @property
    def oldest(self) -> date:
        """The oldest price used."""
        return min(line.price.date for line in self.lines)

    @property
    def unverified(self) -> tuple[str, ...]:
        """Items whose price was written down without its source."""
        return tuple(sorted({x.price.item for x in self.lines if x.price.basis == "unverified"}))

    def old(self, today: date) -> tuple[str, ...]:
        """Items whose price is older than half a year."""
        limit = today - timedelta(days=STALE_DAYS)
        return tuple(sorted({x.price.item for x in self.lines if x.price.date < limit}))


def estimate(templates: Mapping[str, Sequence[Mapping[str, Any]]], aws: Aws, usage: Usage) -> Bill:
    """A month's bill. `templates` are CloudFormation templates by the region they are for.

    Raises UsageError for something whose price in its region is not known.
    """
    lines = [*_standing(templates), *_used(aws, usage)]
    return Bill(tuple(line for line in lines if line.quantity > 0))


def _standing(templates: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Line]:
    """What is there all month, counted by what the templates make."""
    for region, several in templates.items():
        counted: Counter[str] = Counter()
        for template in several:
            for item, quantity in _items(list(template.get("Resources", {}).values())):
                counted[item] += quantity
        for item, quantity in counted.items():
            yield Line(
                _TOLD.get(item, item.replace("instance:", "server ")), price(item, region), quantity
            )


def _items(resources: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    """Priced items of one template. A group of servers runs as many as it wants of its pattern."""
    groups = [
        r["Properties"] for r in resources if r["Type"] == "AWS::AutoScaling::AutoScalingGroup"
    ]
    servers = sum(int(g.get("DesiredCapacity", g["MinSize"])) for g in groups)
    for resource in resources:
        has = resource.get("Properties", {})
        if resource["Type"] == "AWS::EC2::LaunchTemplate":
            yield from _servers(has["LaunchTemplateData"], servers)
        elif resource["Type"] == "AWS::EC2::Instance":
            yield from _servers(has, 1)
        else:
            yield from _each(resource["Type"], has)


def _servers(has: Mapping[str, Any], how_many: int) -> Iterator[tuple[str, int]]:
    yield f"instance:{has['InstanceType']}", HOURS * how_many
    for device in has.get("BlockDeviceMappings", ()):
        yield "volume", int(device.get("Ebs", {}).get("VolumeSize", 0)) * how_many


_TOLD = {
    "kms-key": "encryption keys",
    "cloudwatch-alarm": "alarms",
    "cloudwatch-dashboard": "dashboards",
    "load-balancer": "load balancer",
    "public-address": "public addresses of the load balancer",
    "vpc-endpoint": "private endpoints to AWS's services",
    "web-acl": "web firewall",
    "web-acl-rule": "web firewall's rules",
    "volume": "disk of the server",
}


def _each(kind: str, has: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Priced items of one resource."""
    match kind:
        case "AWS::KMS::Key" | "AWS::KMS::ReplicaKey":
            yield "kms-key", 1
        case "AWS::CloudWatch::Alarm":
            yield "cloudwatch-alarm", 1
        case "AWS::CloudWatch::Dashboard":
            yield "cloudwatch-dashboard", 1
        case "AWS::ElasticLoadBalancingV2::LoadBalancer":
            yield "load-balancer", HOURS
            yield "public-address", HOURS * len(has.get("Subnets", ()))
        case "AWS::EC2::VPCEndpoint" if has.get("VpcEndpointType") == "Interface":
            yield "vpc-endpoint", HOURS * len(has.get("SubnetIds", ()))
        case "AWS::WAFv2::WebACL":
            yield "web-acl", 1
            yield "web-acl-rule", len(has.get("Rules", ()))


def _used(aws: Aws, usage: Usage) -> Iterator[Line]:
    """What depends on how much there is, and how often it is asked."""
    home, replica = aws.home_region, aws.replica_region
    scanned = math.ceil(max(usage.query_mb, _ATHENA_LEAST_MB)) * usage.queries / 1e6
    touched = usage.writes + usage.reads
    glue = (
        usage.runs * max(usage.job_minutes, 1) / 60 * aws.glue_workers * _DPU[aws.glue_worker_type]
    )
    written = usage.stored_gb * usage.rewritten_share
    yield Line("storage", price("s3-standard", home), usage.stored_gb)
    yield Line("storage of the replica", price("s3-standard-ia", replica), usage.stored_gb)
    yield Line("requests that write", price("s3-put", home), usage.writes / 1000)
    yield Line("requests that write the replica", price("s3-put", replica), usage.writes / 1000)
    yield Line("requests that read", price("s3-get", home), usage.reads / 1000)
    yield Line("copies to the replica", price("transfer-region", home), written)
    yield Line("uses of keys", price("kms-request", home), touched * _BUCKET_KEY / 1e4)
    yield Line("questions (Athena)", price("athena-scan", home), scanned)
    yield Line("jobs (Glue)", price("glue-dpu", home), glue)
    yield Line(
        "profile and recipe (DataBrew)",
        price("databrew-node", home),
        usage.databrew_runs * usage.databrew_minutes / 60,
    )
    yield Line(
        "audit trail, data events",
        price("cloudtrail-data-event", home),
        touched / 1e5,
    )
    yield Line("logs", price("logs-ingest", home), usage.logs_gb)
    yield Line("readers' downloads", price("transfer-out", home), usage.readers_gb)
