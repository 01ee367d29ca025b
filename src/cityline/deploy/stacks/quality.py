"""Glue Data Quality: the rule sets, word for word, each on its table.

Deployed after the first run, because Glue wants the tables to be there.
"""

from __future__ import annotations

from cityline.declarations.access import zone_of
from cityline.deploy.estate import Estate
from cityline.deploy.policies.statements import sid
from cityline.deploy.template import Template
from cityline.lake.address import Address


def build(estate: Estate) -> Template:
    """One rule set for each `policies/quality/<zone>/<table>.dqdl`."""
    template = estate.template("rule sets of Glue Data Quality; deployed after the first run")
    for at, ruleset in sorted(estate.folder.rules.items()):
        address = Address.parse(at)
        table = {
            "DatabaseName": estate.names.database(zone_of(address.zone)),
            "TableName": address.table.partition(".")[2],
        }
        template.add(
            f"{sid(address.zone, address.name)}Rules",
            "Glue::DataQualityRuleset",
            {
                "Description": f"policies/quality/{at}.dqdl",
                "Name": f"{estate.settings.prefix}-{address.zone}-{address.name}",
                "Ruleset": ruleset.text.strip(),
                "Tags": dict(template.tags),
                "TargetTable": table,
            },
        )
    return template
