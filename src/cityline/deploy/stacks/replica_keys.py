"""Keys of the second region: one for each zone that has a copy there."""

from __future__ import annotations

from cityline.deploy.estate import Estate
from cityline.deploy.policies import replicated
from cityline.deploy.stacks.keys import add_key
from cityline.deploy.template import Template, att


def build(estate: Estate) -> Template:
    """The keys of the copies, told to the buckets of their region."""
    region = estate.settings.replica_region
    template = estate.template("keys of the copies in the second region", region)
    for zone in replicated(estate.access):
        key = add_key(template, estate, zone, replica=True)
        template.output(key, att(key), export=estate.names.key_export(zone, replica=True))
    return template
