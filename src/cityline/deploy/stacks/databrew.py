"""DataBrew: each source's recipe, its profile, and its rules, from the same declarations.

Two looks at the data: what was received (profiled, and prepared by the recipe below
`databrew/` in landing, beside the tables) and what the Glue job made of it (profiled against the
landing rules). Steps and rules that DataBrew lacks are named in the descriptions and outputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cityline.declarations.access import AccessZone
from cityline.declarations.source import Source
from cityline.deploy import recipes, rules
from cityline.deploy.estate import Estate
from cityline.deploy.naming import ACCOUNT, sub
from cityline.deploy.policies.statements import sid
from cityline.deploy.template import Template, ref

ROLE = "prepare"
_NODES = 2
_MINUTES = 30
_RETRIES = 0
_SAMPLE = 20_000
_DESCRIPTION = 1024
_NEWEST = {"MaxFiles": 1, "Order": "DESCENDING", "OrderedBy": "LAST_MODIFIED_DATE"}
_PARAMETER = re.compile(r"\{(\w+)\}")
_SCHEDULE = "cron(0 14 * * ? *)"
"""Two hours and a half after the jobs, in UTC."""


def build(estate: Estate) -> Template:
    """Datasets, recipes, rule sets, jobs and their schedule."""
    template = estate.template("DataBrew's recipes, profiles and rules")
    jobs: list[str] = []
    for name, recipe in estate.folder.recipes.items():
        source = estate.folder.sources[recipe.source]
        jobs += _received(template, estate, name, source)
        jobs.append(_prepared(template, estate, name, source))
        jobs.append(_judged(template, estate, name))
    template.add(
        "Schedule",
        "DataBrew::Schedule",
        {
            "CronExpression": _SCHEDULE,
            "JobNames": [ref(job) for job in jobs],
            "Name": f"{estate.settings.prefix}-daily",
            "Tags": template.labels(),
        },
    )
    return template


def received_key(name: str) -> str:
    """Where the data of every pull of a source lie, with what varies in braces. DataBrew takes
    files of one kind alone, and beside these lie what the portal said of them."""
    return f"raw/{name}/{{version}}/data.csv"


def landing_key(name: str, partition_by: Sequence[str] = ()) -> str:
    """Where the data files of a landing table lie, with what varies in braces: in a folder for
    each writing step and below it one for each partitioning column. The table's own metadata lie
    beside `data`, and are newer."""
    parts = "".join(f"{{part{number}}}/" for number, _ in enumerate(partition_by, 1))
    return f"landing/{name}/data/{{run}}/{parts}{{file}}.parquet"


def _newest(key: str) -> dict[str, Any]:
    """The newest of the files that a key with parameters means."""
    parameters = [
        {"DatasetParameter": {"Name": name, "Type": "String"}, "PathParameterName": name}
        for name in _PARAMETER.findall(key)
    ]
    return {"FilesLimit": _NEWEST, "Parameters": parameters}


def _received(template: Template, estate: Estate, name: str, source: Source) -> list[str]:
    """The newest file as it was received, and its profile."""
    raw = sub(estate.names.bucket(AccessZone.RAW))
    dataset = template.add(
        f"{sid(name)}Received",
        "DataBrew::Dataset",
        {
            "Format": "CSV",
            "FormatOptions": {"Csv": {"Delimiter": source.format.delimiter, "HeaderRow": True}},
            "Input": {"S3InputDefinition": {"Bucket": raw, "Key": received_key(name)}},
            "Name": f"{estate.settings.prefix}-{name}-received",
            "PathOptions": _newest(received_key(name)),
            "Tags": template.labels(),
        },
    )
    return [_profile(template, estate, name, dataset, "received")]


def _prepared(template: Template, estate: Estate, name: str, source: Source) -> str:
    """The recipe, and the job that runs it."""
    rendered = recipes.render(estate.folder.recipes[name], source)
    recipe = template.add(
        f"{sid(name)}Recipe",
        "DataBrew::Recipe",
        {
            "Description": _difference(rendered),
            "Name": f"{estate.settings.prefix}-{name}",
            "Steps": [
                {"Action": {"Operation": operation, "Parameters": dict(parameters)}}
                for operation, parameters in rendered.actions
            ],
            "Tags": template.labels(),
        },
    )
    for step in rendered.unlike:
        at = f"{sid(name)}Step{step.number}"
        told = "left out" if step.left_out else "differs"
        template.output(at, f"{step.operation} {told}: {step.difference}")
    landing = sub(estate.names.bucket(AccessZone.LANDING))
    place = {
        "Bucket": landing,
        "BucketOwner": ref("AWS::AccountId"),
        "Key": f"databrew/{name}/",
    }
    output = {
        "CompressionFormat": "SNAPPY",
        "Format": "PARQUET",
        "Location": place,
        "MaxOutputFiles": 1,
        "Overwrite": True,
    }  # fmt: skip
    version = {"Name": ref(recipe), "Version": "LATEST_WORKING"}
    return _job(
        template, estate, name, "prepare",
        {"DatasetName": ref(f"{sid(name)}Received"), "Outputs": [output], "Recipe": version,
         "Type": "RECIPE"},
    )  # fmt: skip


def _judged(template: Template, estate: Estate, name: str) -> str:
    """The landing table's newest file, profiled against the landing rules. A table of several files
    is judged whole by the job and by Glue Data Quality; DataBrew cannot follow a snapshot."""
    landing = sub(estate.names.bucket(AccessZone.LANDING))
    key = landing_key(name, estate.folder.recipes[name].partition_by)
    dataset = template.add(
        f"{sid(name)}Landing",
        "DataBrew::Dataset",
        {
            "Format": "PARQUET",
            "Input": {"S3InputDefinition": {"Bucket": landing, "Key": key}},
            "Name": f"{estate.settings.prefix}-{name}-landing",
            "PathOptions": _newest(key),
            "Tags": template.labels(),
        },
    )
    return _profile(template, estate, name, dataset, "landing", _ruleset(template, estate, name))


def _ruleset(template: Template, estate: Estate, name: str) -> str | None:
    ruleset = estate.folder.rules.get(f"landing/{name}")
    rendered = rules.render(ruleset) if ruleset else rules.Checks((), ())
    for number, rule in enumerate(rendered.unheld, 1):
        template.output(f"{sid(name)}Unheld{number}", f"no check in DataBrew: {rule}")
    if not rendered.checks:
        return None
    dataset = f"{estate.settings.prefix}-{name}-landing"
    arn = f"arn:aws:databrew:{estate.settings.home_region}:{ACCOUNT}:dataset/{dataset}"
    return template.add(
        f"{sid(name)}Rules",
        "DataBrew::Ruleset",
        {
            "Description": f"policies/quality/landing/{name}.dqdl, as far as DataBrew checks it",
            "Name": f"{estate.settings.prefix}-{name}",
            "Rules": [_rule(check) for check in rendered.checks],
            "Tags": template.labels(),
            "TargetArn": sub(arn),
        },
        after=[f"{sid(name)}Landing"],
    )


def _rule(check: rules.Check) -> dict[str, Any]:
    found: dict[str, Any] = {
        "CheckExpression": check.expression,
        "Name": check.name,
        "SubstitutionMap": [
            {"Value": value, "ValueReference": name} for name, value in check.values.items()
        ],
    }
    if check.column:
        found["ColumnSelectors"] = [{"Name": check.column}]
    return found


def _profile(
    template: Template, estate: Estate, name: str, dataset: str, of: str, ruleset: str | None = None
) -> str:
    results = sub(estate.names.bucket(AccessZone.LANDING))
    where = {
        "Bucket": results,
        "BucketOwner": ref("AWS::AccountId"),
        "Key": f"databrew/profile/{name}/{of}/",
    }
    part: dict[str, Any] = {"Mode": "CUSTOM_ROWS", "Size": _SAMPLE}
    described: dict[str, Any] = {
        "DatasetName": ref(dataset),
        "JobSample": part if of == "received" else {"Mode": "FULL_DATASET"},
        "OutputLocation": where,
        "Type": "PROFILE",
    }  # fmt: skip
    if ruleset is not None:
        arn = f"arn:aws:databrew:{estate.settings.home_region}:{ACCOUNT}:ruleset/${{{ruleset}}}"
        validation = {"RulesetArn": sub(arn), "ValidationMode": "CHECK_ALL"}
        described["ValidationConfigurations"] = [validation]
    return _job(template, estate, name, f"profile-{of}", described)


def _job(
    template: Template, estate: Estate, name: str, does: str, described: Mapping[str, Any]
) -> str:
    """A job, encrypted with the zone's key, logged, with an end and a size."""
    return template.add(
        f"{sid(name, does)}Job",
        "DataBrew::Job",
        {
            **described,
            "EncryptionKeyArn": estate.names.key_import(AccessZone.LANDING),
            "EncryptionMode": "SSE-KMS",
            "LogSubscription": "ENABLE",
            "MaxCapacity": _NODES,
            "MaxRetries": _RETRIES,
            "Name": estate.names.job(f"{name}-{does}"),
            "RoleArn": sub(estate.names.role_arn(ROLE)),
            "Tags": template.labels(),
            "Timeout": _MINUTES,
        },
    )


def _difference(rendered: recipes.Rendered) -> str:
    """What the Glue job does and this recipe does not, within the length AWS allows."""
    absent = ", ".join(sorted({u.operation for u in rendered.unlike if u.left_out}))
    nearly = ", ".join(sorted({u.operation for u in rendered.unlike if not u.left_out}))
    told = f"Left out: {absent or 'nothing'}. Done otherwise: {nearly or 'nothing'}."
    return f"A look at the data; landing is made by the Glue job. {told}"[:_DESCRIPTION]
