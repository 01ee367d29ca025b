"""Every check by its name, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from cityline.deploy.checks import (
    asking,
    encryption,
    jobs,
    metrics,
    network,
    references,
    storage,
    trust,
    watching,
)
from cityline.deploy.checks.reading import Finding, Stacks, Templates
from cityline.deploy.template import INLINE_LIMIT, minified

Check = Callable[[Stacks], Iterator[Finding]]


def sizes(stacks: Stacks) -> Iterator[Finding]:
    """Every template fits into CloudFormation's inline limit."""
    for stack, template in stacks.templates.items():
        size = len(minified(template).encode())
        if size > INLINE_LIMIT:
            yield Finding("sizes", stack, "-", f"{size:,} bytes; {INLINE_LIMIT:,} is the limit")


_FUNCTIONS: tuple[Check, ...] = (
    sizes,
    references.cross_references,
    references.named_parts,
    references.dimensions,
    trust.trusted_services,
    trust.confused_deputies,
    trust.second_factors,
    trust.open_principals,
    trust.wide_statements,
    trust.no_people,
    storage.buckets,
    storage.bucket_policies,
    storage.replication,
    storage.lifecycles,
    storage.object_locks,
    storage.trail_delivery,
    encryption.keys,
    encryption.job_encryption,
    encryption.catalogue_encryption,
    jobs.glue_versions,
    jobs.glue_arguments,
    jobs.schedules,
    jobs.dqdl_rules,
    jobs.recipe_operations,
    jobs.check_expressions,
    jobs.databrew_jobs,
    asking.saved_queries,
    asking.workgroups,
    metrics.known_metrics,
    metrics.alarm_periods,
    metrics.dashboards,
    metrics.positive_amounts,
    watching.alarm_actions,
    watching.log_groups,
    watching.trails,
    watching.trail_regions,
    watching.event_kinds,
    watching.topics,
    watching.job_failures,
    watching.job_silence,
    watching.analyzers,
    watching.unused_services,
    network.open_ports,
    network.public_addresses,
    network.instances,
    network.listeners,
    network.default_groups,
    network.flow_logs,
    network.endpoints,
)

CHECKS: Mapping[str, Check] = {f.__name__.replace("_", "-"): f for f in _FUNCTIONS}
"""The checks by name; the name stands in each finding."""


def check(templates: Templates) -> list[Finding]:
    """Everything the checks find in the templates of all stacks."""
    stacks = Stacks(templates)
    return [finding for run in CHECKS.values() for finding in run(stacks)]
