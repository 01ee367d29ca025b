"""The second region: a bucket for each zone that has a copy, and their access logs."""

from __future__ import annotations

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.policies import replicated
from cityline.deploy.stacks.storage import add_bucket
from cityline.deploy.template import Template


def build(estate: Estate) -> Template:
    """Where copies lie. Deployed early: a rule at home is refused while its destination is not."""
    region = estate.settings.replica_region
    template = estate.template("copies of the zones in the second region", region)
    add_bucket(template, estate, AccessZone.LOG, None, replica=True)
    for zone in replicated(estate.access):
        key = estate.names.key_import(zone, replica=True)
        add_bucket(template, estate, zone, key, replica=True)
    return template
