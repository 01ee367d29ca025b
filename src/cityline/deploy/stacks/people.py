"""Roles of people, and an analysis of who else can reach in."""

from __future__ import annotations

from cityline.deploy.estate import Estate
from cityline.deploy.stacks.machines import add_roles
from cityline.deploy.template import Template


def build(estate: Estate) -> Template:
    """An IAM role for each declared role that people take on, and an analyzer."""
    template = estate.template("roles of people")
    add_roles(template, estate, people=True)
    template.add(
        "Analyzer",
        "AccessAnalyzer::Analyzer",
        {
            "AnalyzerName": f"{estate.settings.prefix}-external",
            "Tags": template.labels(),
            "Type": "ACCOUNT",
        },
    )
    return template
