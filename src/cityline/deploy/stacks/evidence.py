"""Evidence: the buckets of the trail and of access logs, apart from the data they tell about."""

from __future__ import annotations

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.stacks.storage import EVIDENCE, add_bucket
from cityline.deploy.template import Template


def build(estate: Estate) -> Template:
    """Where logs go must be there before anything that writes one."""
    template = estate.template("buckets of the trail and of access logs")
    for zone in EVIDENCE:
        key = None if zone is AccessZone.LOG else estate.names.key_import(zone)
        add_bucket(template, estate, zone, key)
    return template
