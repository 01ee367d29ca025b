"""All templates of a city, in the order in which they are deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cityline.deploy.estate import Estate
from cityline.deploy.stacks import (
    audit,
    billing,
    catalogue,
    databrew,
    evidence,
    keys,
    machines,
    observability,
    people,
    publish,
    quality,
    query,
    replica,
    replica_keys,
    static_site,
    storage,
)
from cityline.deploy.template import Template

STACKS: Mapping[str, Callable[[Estate], Template]] = {
    "replica-keys": replica_keys.build,
    "replica": replica.build,
    "keys": keys.build,
    "machines": machines.build,
    "people": people.build,
    "evidence": evidence.build,
    "storage": storage.build,
    "audit": audit.build,
    "catalogue": catalogue.build,
    "query": query.build,
    "databrew": databrew.build,
    "publish": publish.build,
    "static-site": static_site.build,
    "observability": observability.build,
    "billing": billing.build,
    "quality": quality.build,
}
"""Stack → what writes it. Each uses only what those before it made; `quality` names tables that the
first run makes, and `static-site` is the alternative to `publish`."""


def render(estate: Estate) -> dict[str, Template]:
    """Every template by its stack's short name."""
    return {name: build(estate) for name, build in STACKS.items()}
