"""The catalogue and the jobs: databases, how they are encrypted, and the way as four Glue jobs.

The jobs run Cityline's own wheel from a zip of wheels; which one is a parameter, so that a new
version changes no template.
"""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.jobs import LOG_STREAMS, WAY, part_of
from cityline.deploy.naming import sub
from cityline.deploy.policies.keys import CATALOGUE
from cityline.deploy.policies.statements import sid
from cityline.deploy.template import Template, ref

_YEAR = 365
GLUE_VERSION = "5.1"
"""Spark 3.5.6, Python 3.11 and Java 17: what the tests run."""


def build(estate: Estate) -> Template:
    """Databases, encryption, jobs and what starts them."""
    template = estate.template("catalogue and jobs")
    says = "Key in the code bucket of the zip of wheels the jobs install (--wheels)"
    template.parameter("WheelsKey", says)
    says = "Key in the code bucket of the jobs' script"
    template.parameter("ScriptKey", says, Default="jobs/way.py")
    says = "Key in the code bucket of the zip of the city's declarations"
    template.parameter("CityKey", says, Default=f"cities/{estate.folder.root.name}.zip")
    _catalogue(template, estate)
    for role, zone in WAY.items():
        _security(template, estate, role, zone)
        _logs(template, estate, role)
        _job(template, estate, role)
    _triggers(template, estate)
    return template


def _catalogue(template: Template, estate: Estate) -> None:
    """Databases of the zones with tables. The encryption is the account's, in this region; it is by
    a role, or all who look into the catalogue would need the platform's key."""
    key = estate.names.key_import(AccessZone.LOG)
    at_rest = {
        "CatalogEncryptionMode": "SSE-KMS-WITH-SERVICE-ROLE",
        "CatalogEncryptionServiceRole": sub(estate.names.role_arn(CATALOGUE)),
        "SseAwsKmsKeyId": key,
    }
    template.add(
        "CatalogueEncryption",
        "Glue::DataCatalogEncryptionSettings",
        {
            "CatalogId": ref("AWS::AccountId"),
            "DataCatalogEncryptionSettings": {
                "ConnectionPasswordEncryption": {
                    "KmsKeyId": key,
                    "ReturnConnectionPasswordEncrypted": True,
                },
                "EncryptionAtRest": at_rest,
            },
        },
    )
    for zone in (AccessZone.LANDING, AccessZone.CURATED):
        place = sub(f"s3://{estate.names.bucket(zone)}/{zone.value}/")
        told = {
            "Description": f"Tables of the {zone.value} zone",
            "LocationUri": place,
            "Name": estate.names.database(zone),
        }
        template.add(
            f"{sid(zone)}Database",
            "Glue::Database",
            {"CatalogId": ref("AWS::AccountId"), "DatabaseInput": told},
            after=["CatalogueEncryption"],
        )


def _security(template: Template, estate: Estate, role: str, zone: AccessZone) -> None:
    """What a job writes is encrypted with its zone's key, its logs and bookmarks with the
    platform's."""
    platform = estate.names.key_import(AccessZone.LOG)
    written = {"KmsKeyArn": estate.names.key_import(zone), "S3EncryptionMode": "SSE-KMS"}
    template.add(
        f"{sid(role)}Security",
        "Glue::SecurityConfiguration",
        {
            "EncryptionConfiguration": {
                "CloudWatchEncryption": {
                    "CloudWatchEncryptionMode": "SSE-KMS",
                    "KmsKeyArn": platform,
                },
                "JobBookmarksEncryption": {
                    "JobBookmarksEncryptionMode": "CSE-KMS",
                    "KmsKeyArn": platform,
                },
                "S3Encryptions": [written],
            },
            "Name": estate.names.security(role),
        },
    )


def _logs(template: Template, estate: Estate, role: str) -> None:
    """Where a job's logs go, made before Glue would make it itself to be kept for ever."""
    for stream in LOG_STREAMS:
        template.add(
            f"{sid(role)}{stream.title()}Log",
            "Logs::LogGroup",
            {
                "KmsKeyId": estate.names.key_import(AccessZone.LOG),
                "LogGroupName": estate.names.job_log_group(role, stream),
                "RetentionInDays": _YEAR,
                "Tags": template.labels(),
            },
        )


def _job(template: Template, estate: Estate, role: str) -> None:
    settings, names = estate.settings, estate.names
    code = names.bucket(AccessZone.CODE)
    template.add(
        f"{sid(role)}Job",
        "Glue::Job",
        {
            "Command": {
                "Name": "glueetl",
                "PythonVersion": "3",
                "ScriptLocation": sub(f"s3://{code}/${{ScriptKey}}"),
            },
            "DefaultArguments": {
                "--additional-python-modules": sub(f"s3://{code}/${{WheelsKey}}"),
                "--city": sub(f"s3://{code}/${{CityKey}}"),
                "--conf": _iceberg(estate),
                "--datalake-formats": "iceberg",
                "--enable-continuous-cloudwatch-log": "true",
                "--enable-metrics": "true",
                "--enable-observability-metrics": "true",
                "--environment": estate.folder.environment.name,
                "--job-language": "python",
                "--python-modules-installer-option": "--no-index",
                "--stage": part_of(role),
            },
            "Description": estate.access.roles[role].says,
            "ExecutionProperty": {"MaxConcurrentRuns": 1},
            "GlueVersion": GLUE_VERSION,
            "MaxRetries": 1,
            "Name": names.job(role),
            "NumberOfWorkers": settings.glue_workers,
            "Role": sub(names.role_arn(role)),
            "SecurityConfiguration": ref(f"{sid(role)}Security"),
            "Tags": dict(template.tags),
            "Timeout": settings.glue_minutes,
            "WorkerType": settings.glue_worker_type,
        },
        after=[f"{sid(role)}{stream.title()}Log" for stream in LOG_STREAMS],
    )


def _iceberg(estate: Estate) -> Any:
    """Spark's settings for Iceberg tables in the catalogue, as one argument."""
    catalog = "spark.sql.catalog.cityline"
    warehouse = f"s3://{estate.names.bucket(AccessZone.CURATED)}/{AccessZone.CURATED.value}/"
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": warehouse,
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
    }
    return sub(" --conf ".join(f"{k}={v}" for k, v in settings.items()))


def _triggers(template: Template, estate: Estate) -> None:
    """The first job by the clock, each further one when the one before it succeeded."""
    jobs = list(WAY)
    first: dict[str, Any] = {"Type": "SCHEDULED", "Schedule": estate.settings.schedule}
    for at, role in enumerate(jobs):
        when = first
        if at:
            condition = {
                "JobName": ref(f"{sid(jobs[at - 1])}Job"),
                "LogicalOperator": "EQUALS",
                "State": "SUCCEEDED",
            }
            when = {"Type": "CONDITIONAL", "Predicate": {"Conditions": [condition]}}
        template.add(
            f"{sid(role)}Trigger",
            "Glue::Trigger",
            {
                **when,
                "Actions": [{"JobName": ref(f"{sid(role)}Job")}],
                "Description": f"Starts {role}",
                "Name": f"{estate.settings.prefix}-{role}",
                "StartOnCreation": True,
                "Tags": dict(template.tags),
            },
        )
