"""The trail: every call in every region, what happens to objects of the zones, and who is told."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone, Verb
from cityline.deploy.auditing import AUDITS, COLUMNS, DEFAULT_REGIONS, TABLE
from cityline.deploy.cis import WATCHES, emergencies
from cityline.deploy.estate import Estate
from cityline.deploy.naming import ACCOUNT, Names, sub
from cityline.deploy.policies import replicated
from cityline.deploy.policies.statements import document, sid, statement
from cityline.deploy.template import Template, att, ref
from cityline.guards.protect import may

_YEAR = 365
_FIVE_MINUTES = 300
_INPUT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"
_FIRST_DAY = "2026/01/01"


def build(estate: Estate) -> Template:
    """Topic, trail, alarms and the audit's questions."""
    template = estate.template("trail, alarms and the questions of an audit")
    email = template.parameter("AlarmEmail", "Who is told of alarms", AllowedPattern=".+@.+")
    key = estate.names.key_import(AccessZone.LOG)
    add_topic(template, estate.names, email, key, rules=True)
    _trail(template, estate)
    access = estate.access
    mend = [r for r in access.roles if any(may(access, r, Verb.ADMINISTER, z) for z in AccessZone)]
    for watch in (*WATCHES, emergencies(estate.names.role(r) for r in mend)):
        _watch(template, estate, watch.name, watch.says, watch.pattern)
    _table(template, estate)
    database = estate.names.database(AccessZone.TRAIL)
    for audit in AUDITS:
        template.add(
            f"{sid(audit.name)}Audit",
            "Athena::NamedQuery",
            {
                "Database": database,
                "Description": audit.title,
                "Name": f"{estate.settings.prefix}-{audit.name}",
                "QueryString": audit.saved(f"{database}.{TABLE}", estate.settings.prefix),
                "WorkGroup": estate.names.workgroup("audit"),
            },
            after=["TrailDatabase"],
        )
    return template


def alarm_topic(estate: Estate) -> Any:
    """The ARN of the home region's topic, as other stacks tell it."""
    region = estate.settings.home_region
    return sub(f"arn:aws:sns:{region}:{ACCOUNT}:{estate.names.topic('alarms')}")


def add_topic(
    template: Template, names: Names, email: Any, key: Any, *, rules: bool = False
) -> str:
    """The topic of alarms, encrypted, over TLS only, for this account's services only; `rules` lets
    those of EventBridge speak there too."""
    topic = template.add(
        "Alarms",
        "SNS::Topic",
        {
            "DisplayName": "Cityline alarms",
            "KmsMasterKeyId": key,
            "Subscription": [{"Endpoint": email, "Protocol": "email"}],
            "Tags": template.labels(),
            "TopicName": names.topic("alarms"),
        },
    )
    senders = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    on = [f"arn:aws:sns:{template.region}:{ACCOUNT}:{names.topic('alarms')}"]
    allowed = statement(
        "Alarms", "Allow", ["sns:Publish"], on, principal={"Service": senders},
        condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    )  # fmt: skip
    bridge = statement(
        "Rules", "Allow", ["sns:Publish"], on, principal={"Service": ["events.amazonaws.com"]}
    )  # EventBridge sends no source with what it publishes: a condition would shut it out
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    denied = statement("TlsOnly", "Deny", ["sns:Publish"], on, principal="*", condition=plain)
    policy = {
        "PolicyDocument": document([allowed, *([bridge] if rules else []), denied]),
        "Topics": [ref(topic)],
    }
    template.add("AlarmsPolicy", "SNS::TopicPolicy", policy)
    return topic


def _trail(template: Template, estate: Estate) -> None:
    names = estate.names
    template.add(
        "TrailLog",
        "Logs::LogGroup",
        {
            "KmsKeyId": names.key_import(AccessZone.LOG),
            "LogGroupName": names.log_group("trail"),
            "RetentionInDays": _YEAR,
            "Tags": template.labels(),
        },
    )
    template.add(
        "Trail",
        "CloudTrail::Trail",
        {
            "AdvancedEventSelectors": _selectors(estate),
            "CloudWatchLogsLogGroupArn": att("TrailLog"),
            "CloudWatchLogsRoleArn": sub(names.role_arn("recorder")),
            "EnableLogFileValidation": True,
            "IncludeGlobalServiceEvents": True,
            "IsLogging": True,
            "IsMultiRegionTrail": True,
            "KMSKeyId": names.key_import(AccessZone.TRAIL),
            "S3BucketName": sub(names.bucket(AccessZone.TRAIL)),
            "Tags": template.labels(),
            "TrailName": names.trail(),
        },
    )


def _selectors(estate: Estate) -> list[dict[str, Any]]:
    """Every call that manages something, and every read and write of an object of the zones, here
    and of their copies."""
    names, apart = estate.names, (AccessZone.LOG, AccessZone.TRAIL)
    here = [names.bucket_arn(z) for z in AccessZone if z not in apart]
    copies = [
        names.bucket_arn(z, replica=True) for z in replicated(estate.access) if z not in apart
    ]
    objects = [sub(f"{bucket}/") for bucket in (*here, *copies)]
    management = {
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
        "Name": "Every call that manages something",
    }
    data = {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "StartsWith": objects},
        ],
        "Name": "Every read and write of an object of the zones",
    }
    return [management, data]


def _watch(template: Template, estate: Estate, name: str, says: str, pattern: str) -> None:
    """One kind of event: counted in the trail's log, and told at once."""
    namespace = f"{estate.settings.prefix}/trail"
    template.add(
        f"{name}Filter",
        "Logs::MetricFilter",
        {
            "FilterPattern": pattern,
            "LogGroupName": ref("TrailLog"),
            "MetricTransformations": [
                {"MetricName": name, "MetricNamespace": namespace, "MetricValue": "1"}
            ],
        },
    )
    template.add(
        f"{name}Alarm",
        "CloudWatch::Alarm",
        {
            "ActionsEnabled": True,
            "AlarmActions": [ref("Alarms")],
            "AlarmDescription": says,
            "AlarmName": f"{estate.settings.prefix}-{sid(name)}",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "EvaluationPeriods": 1,
            "MetricName": name,
            "Namespace": namespace,
            "Period": _FIVE_MINUTES,
            "Statistic": "Sum",
            "Tags": template.labels(),
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
        },
    )


def _table(template: Template, estate: Estate) -> None:
    """The trail as a table, by day and region, without a crawler: partitions are computed."""
    names, settings = estate.names, estate.settings
    logs = f"s3://{names.bucket(AccessZone.TRAIL)}/AWSLogs/{ACCOUNT}/CloudTrail"
    regions = sorted({*DEFAULT_REGIONS, settings.home_region, settings.replica_region})
    catalog = {"CatalogId": ref("AWS::AccountId")}
    told = {"Description": "The trail", "Name": names.database(AccessZone.TRAIL)}
    template.add("TrailDatabase", "Glue::Database", {**catalog, "DatabaseInput": told})
    properties = {
        "classification": "cloudtrail",
        "projection.enabled": "true",
        "projection.day.format": "yyyy/MM/dd",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "projection.day.range": f"{_FIRST_DAY},NOW",
        "projection.day.type": "date",
        "projection.region.type": "enum",
        "projection.region.values": ",".join(regions),
        "storage.location.template": sub(f"{logs}/${{!region}}/${{!day}}"),
    }
    keys = [{"Name": "region", "Type": "string"}, {"Name": "day", "Type": "string"}]
    storage = {
        "Columns": [{"Name": name, "Type": kind} for name, kind in COLUMNS],
        "InputFormat": _INPUT,
        "Location": sub(f"{logs}/"),
        "OutputFormat": _OUTPUT,
        "SerdeInfo": {"SerializationLibrary": _SERDE},
    }
    table = {
        "Name": TABLE,
        "Parameters": properties,
        "PartitionKeys": keys,
        "StorageDescriptor": storage,
        "TableType": "EXTERNAL_TABLE",
    }
    database = ref("TrailDatabase")
    template.add(
        "TrailTable", "Glue::Table", {**catalog, "DatabaseName": database, "TableInput": table}
    )
