"""What deploying would do: which resources come, change and go, and what a month would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cityline.declarations.environment import Aws
from cityline.deploy.cost import Bill, estimate
from cityline.deploy.template import Template
from cityline.ports.stacks import Deployed, Stacks

CREATE, CHANGE, DELETE = "create", "change", "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that comes, changes or goes."""

    stack: str
    region: str
    action: str
    resource: str
    type: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything deploying would do. `bills` are the month's charge by low, expected and high."""

    account: str
    changes: tuple[Change, ...]
    bills: Mapping[str, Bill]

    def counts(self) -> dict[str, int]:
        """Resources by what happens to them."""
        told = Counter(c.action for c in self.changes)
        return {action: told[action] for action in (CREATE, CHANGE, DELETE)}


def stack_name(settings: Aws, stack: str) -> str:
    """What a stack is called in the account."""
    return f"{settings.prefix}-{stack}"


def plan(templates: Mapping[str, Template], settings: Aws, stacks: Stacks | None) -> Plan:
    """Compare the templates with what stands in the account, or with nothing when none is asked.

    Raises CloudError, and UsageError for something whose price is not known.
    """
    changes: list[Change] = []
    for name, template in templates.items():
        full = stack_name(settings, name)
        stands = stacks.find(full, template.region) if stacks else None
        changes += _changes(full, template, stands)
    account = stacks.account() if stacks else ""
    return Plan(account, tuple(changes), bills(templates, settings))


def bills(templates: Mapping[str, Template], settings: Aws) -> dict[str, Bill]:
    """The month's charge, low, expected and high."""
    regions = by_region(templates)
    usages = {
        "low": settings.usage.low,
        "expected": settings.usage.expected,
        "high": settings.usage.high,
    }
    return {name: estimate(regions, settings, usage) for name, usage in usages.items()}


def by_region(templates: Mapping[str, Template]) -> dict[str, list[Mapping[str, Any]]]:
    """The templates' bodies by the region they are for."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for template in templates.values():
        found.setdefault(template.region, []).append(template.body())
    return found


def _changes(name: str, template: Template, deployed: Deployed | None) -> Iterator[Change]:
    """A stack that failed while it was made counts as absent: it will be made again."""
    stands = deployed is not None and not deployed.half_made
    before = deployed.template.get("Resources", {}) if deployed is not None and stands else {}
    wanted = template.resources
    for resource in sorted({*before, *wanted}):
        old, new = before.get(resource), wanted.get(resource)
        if old == new:
            continue
        action = CREATE if old is None else DELETE if new is None else CHANGE
        yield Change(name, template.region, action, resource, (new or old or {})["Type"])
