"""Keys: one for each zone of the access policy, told to the other stacks by their exports."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.policies import key_policy
from cityline.deploy.policies.services import service_key_policy, with_services
from cityline.deploy.policies.statements import Statement
from cityline.deploy.template import Template, att, ref


def build(estate: Estate) -> Template:
    """The keys of the home region. The key of `log` is the platform's own."""
    says = "ARN of the distribution of the static site, told after that stack stands; or none"
    template = estate.template("keys of the zones")
    distribution = template.parameter("SiteDistributionArn", says, Default="none")
    for zone in AccessZone:
        reader = distribution if zone is AccessZone.SITE else None
        key = add_key(template, estate, zone, distribution=reader)
        template.output(key, att(key), export=estate.names.key_export(zone))
    return template


def titled(zone: AccessZone) -> str:
    """A zone as the beginning of a resource's name."""
    return zone.value.capitalize()


def add_key(
    template: Template,
    estate: Estate,
    zone: AccessZone,
    *,
    replica: bool = False,
    distribution: Any = None,
) -> str:
    """A zone's key with its alias; rotated each year, and a month to think before it is gone."""
    declared = key_policy(estate.access, estate.names, zone, replica=replica)
    policy = with_services(declared, distribution)
    key = template.add(
        f"{titled(zone)}Key",
        "KMS::Key",
        {
            "Description": f"Zone {zone.value} of {estate.settings.prefix}",
            "EnableKeyRotation": True,
            "KeyPolicy": policy,
            "PendingWindowInDays": 30,
            "Tags": template.labels(),
        },
        keep=True,
    )
    alias = {"AliasName": estate.names.key_alias(zone), "TargetKeyId": ref(key)}
    template.add(f"{titled(zone)}Alias", "KMS::Alias", alias)
    return key


def add_own_key(template: Template, estate: Estate, says: str, use: Statement) -> str:
    """A key of a stack of its own, where a zone's key cannot reach: it lies in another region."""
    policy = service_key_policy(estate.names, [use])
    described = {
        "Description": f"{says} of {estate.settings.prefix}",
        "EnableKeyRotation": True,
        "KeyPolicy": policy,
        "PendingWindowInDays": 30,
        "Tags": template.labels(),
    }
    return template.add("Key", "KMS::Key", described)
