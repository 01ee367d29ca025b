"""What of a city CloudWatch measures, by its names in an account."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import BILLING_REGION, Estate
from cityline.deploy.jobs import WAY
from cityline.deploy.naming import ACCOUNT
from cityline.deploy.policies import replicated
from cityline.deploy.prices import prices
from cityline.deploy.stacks.query import workgroups
from cityline.deploy.stacks.storage import METRICS_FILTER, REPLICATION_RULE


def keys_of(estate: Estate) -> list[tuple[str, str, str]]:
    """(zone, region, alias) of every key: at home each zone's, in the second region the copies'."""
    names, copies = estate.names, replicated(estate.access)
    return [
        *((z.value, names.home, names.key_alias(z)) for z in AccessZone),
        *((z.value, names.replica, names.key_alias(z)) for z in copies),
    ]


def watched(estate: Estate, account: str) -> dict[str, Any]:
    """Regions, buckets, copies, workgroups, jobs and services, as `Watched` of the gauges takes
    them: the same names as the dashboard's and the alarms'."""
    names = estate.names

    def bucket(zone: AccessZone, *, replica: bool = False) -> str:
        return names.bucket(zone, replica=replica).replace(ACCOUNT, account)

    return {
        "region": estate.settings.home_region,
        "billing_region": BILLING_REGION,
        "prefix": estate.settings.prefix,
        "buckets": {z.value: bucket(z) for z in AccessZone},
        "copies": {
            z.value: (bucket(z), bucket(z, replica=True), REPLICATION_RULE)
            for z in replicated(estate.access)
        },
        "workgroups": {w: names.workgroup(w) for w in workgroups(estate)},
        "jobs": {role: names.job(role) for role in WAY},
        "services": sorted({p.service for p in prices().values()}),
        "filter_id": METRICS_FILTER,
    }
