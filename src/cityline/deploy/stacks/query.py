"""Asking: an Athena workgroup for each role that asks, and every question as a saved query."""

from __future__ import annotations

from cityline.declarations.access import AccessZone
from cityline.deploy.asking import reads, saved
from cityline.deploy.estate import Estate
from cityline.deploy.naming import sub
from cityline.deploy.policies.statements import sid
from cityline.deploy.template import Template, ref

ANALYSIS = "analysis"
"""The workgroup in which people find the questions."""

_MEGABYTE = 1_000_000


def build(estate: Estate) -> Template:
    """Workgroups with their limits, and the questions."""
    template = estate.template("workgroups and the questions as saved queries")
    for name in workgroups(estate):
        _workgroup(template, estate, name)
    database = estate.names.database(AccessZone.CURATED)
    tables = {table: f"{database}.{table.partition('.')[2]}" for table in estate.schemas}
    for name, question in estate.folder.questions.items():
        schemas = {table: estate.schemas[table] for table in reads(question)}
        template.add(
            f"{sid(name)}Question",
            "Athena::NamedQuery",
            {
                "Database": database,
                "Description": question.title,
                "Name": f"{estate.settings.prefix}-{name}",
                "QueryString": saved(question, schemas, tables),
                "WorkGroup": ref(f"{sid(ANALYSIS)}Group"),
            },
        )
    return template


def workgroups(estate: Estate) -> list[str]:
    """The workgroups that roles of the access policy ask in."""
    return sorted({r.asks_in for r in estate.access.roles.values() if r.asks_in})


def _workgroup(template: Template, estate: Estate, name: str) -> None:
    names = estate.names
    results = sub(f"s3://{names.bucket(AccessZone.RESULTS)}/{name}/")
    encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": names.key_import(AccessZone.RESULTS)}
    template.add(
        f"{sid(name)}Group",
        "Athena::WorkGroup",
        {
            "Description": f"Queries for {name}; encrypted, measured and cut off",
            "Name": names.workgroup(name),
            "RecursiveDeleteOption": True,  # else the stack cannot go once somebody has asked
            "State": "ENABLED",
            "Tags": template.labels(),
            "WorkGroupConfiguration": {
                "BytesScannedCutoffPerQuery": estate.settings.query_cutoff_mb * _MEGABYTE,
                "EnforceWorkGroupConfiguration": True,
                "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                "PublishCloudWatchMetricsEnabled": True,
                "RequesterPaysEnabled": False,
                "ResultConfiguration": {
                    "EncryptionConfiguration": encryption,
                    "ExpectedBucketOwner": ref("AWS::AccountId"),
                    "OutputLocation": results,
                },
            },
        },
    )
