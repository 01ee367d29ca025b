"""Each control taken away or weakened once, at every resource that has it.

`mutants.py` shows that every check finds a mistake; this shows that no resource is overlooked: one
line is a control, a resource type, what is taken away or put in its place, and the check that must
say so. `UNHELD` are the controls that no template can hold.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Bodies = Mapping[str, Mapping[str, Any]]
Document = dict[str, Any]

GONE = object()
"""In place of a value: the property is taken away."""


@dataclass(frozen=True, slots=True)
class Weakening:
    """`path` is dotted below the properties; `*` is each of a list, one at a time; empty is the
    resource itself. `to` is what is put there, or what makes it out of what is there."""

    control: str
    kind: str
    path: str
    to: Any
    check: str
    where: Callable[[str, str], bool] = lambda stack, name: True


@dataclass(frozen=True, slots=True)
class Mutant:
    """One weakening at one place."""

    control: str
    check: str
    name: str
    stack: str
    resource: str
    bodies: Bodies


def _w(
    control: str, check: str, kind: str, *changes: tuple[str, Any], **more: Any
) -> list[Weakening]:
    return [Weakening(control, kind, path, to, check, **more) for path, to in changes]


def _dropped(sid: str) -> Callable[[Document], Document]:
    """A document without one of its statements."""
    return lambda d: {**d, "Statement": [s for s in d["Statement"] if s["Sid"] != sid]}


def _added(**statement: Any) -> Callable[[Document], Document]:
    """A document with one statement more."""
    return lambda d: {**d, "Statement": [*d["Statement"], {"Sid": "Eve", **statement}]}


def _allows(action: str, on: str = "*", **more: Any) -> Callable[[Document], Document]:
    return _added(Effect="Allow", Action=[action], Resource=[on], **more)


def _but(key: str, value: str) -> Callable[[list[Document]], list[Document]]:
    """Attributes with one of another value."""
    return lambda told: [{**a, "Value": value} if a["Key"] == key else a for a in told]


def _but_here(told: Document) -> Document:
    """A table's parameters that leave out every region but ours."""
    return {**told, "projection.region.values": "ca-central-1,ca-west-1"}


_STRANGER = {"AWS": "arn:aws:iam::999999999999:root"}
_FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_RULE = "ReplicationConfiguration.Rules.*"
_SSE = "BucketEncryption.ServerSideEncryptionConfiguration.*"
_LAUNCH = "LaunchTemplateData"
_GROUP = "WorkGroupConfiguration"
_SECURITY = "EncryptionConfiguration"
_PEOPLE = ("AdministratorRole", "AnalystRole", "AuditorRole", "OperatorRole", "PrivacyOfficerRole")
_AT_REST = "DataCatalogEncryptionSettings.EncryptionAtRest"
_ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRole"]}


def _zones(*zones: str) -> Callable[[str, str], bool]:
    return lambda stack, name: any(name.lower().startswith(z) for z in zones)


def _not_logs(stack: str, name: str) -> bool:
    return name != "LogBucket"


WEAKENINGS: tuple[Weakening, ...] = (
    *_w("C02", "buckets", "S3::Bucket", ("PublicAccessBlockConfiguration", GONE)),
    *_w("C02", "open-principals", "S3::BucketPolicy",
        ("PolicyDocument", _allows("s3:GetObject", Principal="*"))),
    *_w("C03", "bucket-policies", "S3::BucketPolicy", ("PolicyDocument", _dropped("TlsOnly")),
        ("PolicyDocument", _dropped("Tls12OrNewer")), ("", GONE)),
    *_w("C04", "bucket-policies", "S3::BucketPolicy", *(
        ("PolicyDocument", _allows(a, Principal=_STRANGER)) for a in (
            "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPolicy",
            "s3:PutEncryptionConfiguration", "s3:PutObjectAcl", "s3:*")),
        ("PolicyDocument", _dropped("OtherAccounts"))),
    *_w("C05", "replication", "S3::Bucket", ("ReplicationConfiguration", GONE),
        (f"{_RULE}.SourceSelectionCriteria", GONE), (f"{_RULE}.Status", "Disabled"),
        (f"{_RULE}.Destination.EncryptionConfiguration", GONE),
        (f"{_RULE}.Destination.ReplicationTime.Status", "Disabled"),
        (f"{_RULE}.Destination.Metrics", GONE), (f"{_RULE}.Filter.Prefix", "raw/x/")),
    *_w("C05", "named-parts", "S3::Bucket",
        (f"{_RULE}.Destination.Bucket", "arn:aws:s3:::cityline-elsewhere"),
        ("ReplicationConfiguration.Role", "arn:aws:iam::1:role/nobody")),
    *_w("C06", "buckets", "S3::Bucket",
        *((f"PublicAccessBlockConfiguration.{f}", False) for f in _FLAGS)),
    *_w("C07", "buckets", "S3::Bucket", ("LoggingConfiguration", GONE)),
    *_w("C07", "named-parts", "S3::Bucket", ("LoggingConfiguration.DestinationBucketName", "x")),
    *_w("C08", "lifecycles", "S3::Bucket", ("LifecycleConfiguration", GONE),
        ("LifecycleConfiguration.Rules.0.AbortIncompleteMultipartUpload", GONE),
        ("LifecycleConfiguration.Rules.0.Status", "Disabled")),
    *_w("C09", "buckets", "S3::Bucket", ("NotificationConfiguration", GONE)),
    *_w("C10", "buckets", "S3::Bucket", ("OwnershipControls", GONE),
        ("OwnershipControls.Rules.*.ObjectOwnership", "ObjectWriter")),
    *_w("C11", "buckets", "S3::Bucket", ("VersioningConfiguration", GONE),
        ("VersioningConfiguration.Status", "Suspended")),
    *_w("C12", "object-locks", "S3::Bucket", ("ObjectLockEnabled", GONE),
        ("ObjectLockConfiguration", GONE),
        ("ObjectLockConfiguration.Rule.DefaultRetention.Days", GONE),
        where=_zones("raw", "trail")),
    *_w("C13", "buckets", "S3::Bucket", ("BucketEncryption", GONE)),
    *_w("C13", "buckets", "S3::Bucket",
        (f"{_SSE}.ServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"}),
        (f"{_SSE}.ServerSideEncryptionByDefault.KMSMasterKeyID", GONE),
        (f"{_SSE}.BucketKeyEnabled", False), where=_not_logs),
    *_w("C13", "bucket-policies", "S3::BucketPolicy",
        ("PolicyDocument", _dropped("WrongEncryption")), ("PolicyDocument", _dropped("WrongKey"))),
    *_w("C16", "trails", "CloudTrail::Trail", ("AdvancedEventSelectors.0", GONE),
        ("AdvancedEventSelectors.1", GONE),
        ("AdvancedEventSelectors.1.FieldSelectors.2.StartsWith.*", GONE),
        ("AdvancedEventSelectors.1.FieldSelectors", lambda found: [
            *found, {"Field": "readOnly", "Equals": ["false"]}])),
    *_w("C17", "wide-statements", "IAM::ManagedPolicy",
        ("PolicyDocument", _allows("kms:Decrypt")), ("PolicyDocument", _allows("kms:ReEncrypt*"))),
    *_w("C19", "keys", "KMS::Key", ("EnableKeyRotation", False), ("EnableKeyRotation", GONE)),
    *_w("C20", "open-principals", "KMS::Key",
        ("KeyPolicy", _allows("kms:Decrypt", Principal="*")),
        ("KeyPolicy", _allows("kms:*", Principal={"AWS": "*"}))),
    *_w("C21", "keys", "KMS::Key", ("KeyPolicy.Statement.1.Condition", GONE)),
    *_w("C22", "trails", "CloudTrail::Trail", ("IsMultiRegionTrail", False),
        ("IncludeGlobalServiceEvents", False), ("", GONE)),
    *_w("C22", "trail-regions", "Glue::Table", ("", GONE), ("TableInput.Parameters", _but_here),
        where=lambda stack, name: name == "TrailTable"),
    *_w("C23", "trails", "CloudTrail::Trail", ("KMSKeyId", GONE)),
    *_w("C23", "trail-delivery", "KMS::Key", ("KeyPolicy", _dropped("TrailEncrypts")),
        where=lambda stack, name: (stack, name) == ("keys", "TrailKey")),
    *_w("C24", "trails", "CloudTrail::Trail", ("IsLogging", False)),
    *_w("C25", "trails", "CloudTrail::Trail", ("EnableLogFileValidation", False)),
    *_w("C26", "trails", "CloudTrail::Trail", ("CloudWatchLogsLogGroupArn", GONE),
        ("CloudWatchLogsRoleArn", GONE)),
    *_w("C27", "trail-delivery", "S3::BucketPolicy", ("PolicyDocument", _dropped("TrailWrites")),
        ("PolicyDocument", _dropped("TrailLooks")),
        where=lambda stack, name: (stack, name) == ("evidence", "TrailPolicy")),
    *_w("C28", "workgroups", "Athena::WorkGroup",
        (f"{_GROUP}.EnforceWorkGroupConfiguration", False),
        (f"{_GROUP}.ResultConfiguration.EncryptionConfiguration", GONE),
        (f"{_GROUP}.ResultConfiguration.EncryptionConfiguration.EncryptionOption", "SSE_S3"),
        (f"{_GROUP}.ResultConfiguration.EncryptionConfiguration.KmsKey", GONE)),
    *_w("C29", "workgroups", "Athena::WorkGroup",
        (f"{_GROUP}.PublishCloudWatchMetricsEnabled", False)),
    *_w("C30", "positive-amounts", "Athena::WorkGroup",
        (f"{_GROUP}.BytesScannedCutoffPerQuery", GONE),
        (f"{_GROUP}.BytesScannedCutoffPerQuery", 0)),
    *_w("C31", "job-encryption", "Glue::Job", ("Tags", GONE)),
    *_w("C33", "glue-versions", "Glue::Job", ("GlueVersion", "1.0"), ("GlueVersion", GONE)),
    *_w("C34", "job-encryption", "Glue::Job", ("SecurityConfiguration", GONE)),
    *_w("C34", "job-encryption", "Glue::SecurityConfiguration",
        (f"{_SECURITY}.S3Encryptions", GONE),
        (f"{_SECURITY}.S3Encryptions.*.S3EncryptionMode", "DISABLED"),
        (f"{_SECURITY}.CloudWatchEncryption.CloudWatchEncryptionMode", "DISABLED"),
        (f"{_SECURITY}.CloudWatchEncryption.KmsKeyArn", GONE),
        (f"{_SECURITY}.JobBookmarksEncryption.JobBookmarksEncryptionMode", "DISABLED")),
    *_w("C35", "catalogue-encryption", "Glue::DataCatalogEncryptionSettings", ("", GONE),
        (f"{_AT_REST}.CatalogEncryptionMode", "DISABLED"),
        (f"{_AT_REST}.CatalogEncryptionMode", "SSE-KMS"),
        (f"{_AT_REST}.CatalogEncryptionServiceRole", GONE),
        (f"{_AT_REST}.SseAwsKmsKeyId", GONE),
        ("DataCatalogEncryptionSettings.ConnectionPasswordEncryption", GONE)),
    *_w("C35", "catalogue-encryption", "KMS::Key", ("KeyPolicy", _dropped("CatalogueKeeps"))),
    *_w("C35", "catalogue-encryption", "IAM::ManagedPolicy",
        ("PolicyDocument.Statement.*.Action.*", GONE),
        ("PolicyDocument.Statement.*.Resource.*", GONE),
        where=lambda stack, name: name == "CatalogueKeyPolicy"),
    *_w("C36", "databrew-jobs", "DataBrew::Job", ("EncryptionMode", "SSE-S3"),
        ("EncryptionKeyArn", GONE), ("LogSubscription", "DISABLE"), ("MaxCapacity", GONE),
        ("Timeout", GONE), ("Tags", GONE)),
    *_w("C37", "event-kinds", "Logs::MetricFilter", ("", GONE), ("FilterPattern", "{ $.x = y }"),
        ("LogGroupName", "elsewhere"), ("MetricTransformations.*.MetricName", "Elsewhere")),
    *_w("C37", "event-kinds", "CloudWatch::Alarm", ("", GONE),
        where=lambda stack, name: stack == "audit"),
    *_w("C38", "alarm-actions", "CloudWatch::Alarm", ("AlarmActions", []), ("AlarmActions", GONE),
        ("AlarmActions", ["arn:aws:sns:ca-central-1:1:elsewhere"])),
    *_w("C39", "log-groups", "Logs::LogGroup", ("RetentionInDays", GONE), ("RetentionInDays", 30)),
    *_w("C39", "log-groups", "Logs::LogGroup", ("", GONE), ("LogGroupName", "elsewhere"),
        where=lambda stack, name: stack == "catalogue"),
    *_w("C40", "alarm-actions", "CloudWatch::Alarm", ("ActionsEnabled", False)),
    *_w("C41", "log-groups", "Logs::LogGroup", ("KmsKeyId", GONE), ("LogGroupName", "elsewhere")),
    *_w("C41", "log-groups", "KMS::Key", ("KeyPolicy", _dropped("LogGroups"))),
    *_w("C42", "wide-statements", "IAM::ManagedPolicy", ("PolicyDocument", _allows("*"))),
    *_w("C44", "wide-statements", "IAM::ManagedPolicy", ("PolicyDocument", _allows("s3:*", "x")),
        ("PolicyDocument", _allows("glue:*", "x"))),
    *_w("C45", "no-people", "IAM::Role", ("Policies", [{"PolicyName": "x"}])),
    *_w("C46", "open-principals", "IAM::Role", ("AssumeRolePolicyDocument.Statement.*", _ANYBODY)),
    *_w("C46", "confused-deputies", "IAM::Role",
        ("AssumeRolePolicyDocument.Statement.*.Condition", GONE),
        where=lambda stack, name: name not in _PEOPLE and name != "ServerRole"),  # EC2 tells no source
    *_w("C46", "second-factors", "IAM::Role",
        ("AssumeRolePolicyDocument.Statement.*.Condition", GONE),
        ("AssumeRolePolicyDocument.Statement.*.Condition.Bool", GONE),
        where=lambda stack, name: name in _PEOPLE),
    *_w("C48", "analyzers", "AccessAnalyzer::Analyzer", ("", GONE), ("Type", "ORGANIZATION")),
    *_w("C50", "instances", "EC2::LaunchTemplate",
        (f"{_LAUNCH}.BlockDeviceMappings.*.Ebs.Encrypted", False),
        (f"{_LAUNCH}.BlockDeviceMappings", GONE)),
    *_w("C51", "flow-logs", "EC2::FlowLog", ("", GONE), ("TrafficType", "REJECT")),
    *_w("C52", "instances", "EC2::LaunchTemplate",
        (f"{_LAUNCH}.MetadataOptions.HttpTokens", "optional"), (f"{_LAUNCH}.MetadataOptions", GONE),
        (f"{_LAUNCH}.MetadataOptions.HttpPutResponseHopLimit", 2)),
    *_w("C53", "public-addresses", "EC2::LaunchTemplate",
        (f"{_LAUNCH}.NetworkInterfaces.*.AssociatePublicIpAddress", True),
        (f"{_LAUNCH}.KeyName", "mine")),
    *_w("C53", "public-addresses", "EC2::Subnet", ("MapPublicIpOnLaunch", True)),
    *_w("C54", "endpoints", "EC2::VPCEndpoint", ("", GONE)),
    *_w("C55", "open-ports", "EC2::SecurityGroupIngress", ("FromPort", 22), ("FromPort", GONE),
        ("IpProtocol", "-1")),
    *_w("C55", "open-ports", "EC2::SecurityGroupIngress", ("CidrIp", "0.0.0.0/0"),
        ("CidrIpv6", "::/0"), where=lambda stack, name: not name.startswith("Http")),
    *_w("C58", "listeners", "ElasticLoadBalancingV2::Listener", ("SslPolicy", GONE),
        ("SslPolicy", "ELBSecurityPolicy-2016-08"), ("Certificates", GONE), ("Protocol", "HTTP"),
        where=lambda stack, name: name.startswith("Https")),
    *_w("C58", "listeners", "ElasticLoadBalancingV2::Listener",
        ("DefaultActions.*.Type", "forward"), ("", GONE),
        where=lambda stack, name: not name.startswith("Https")),
    *_w("C58", "listeners", "ElasticLoadBalancingV2::LoadBalancer", ("LoadBalancerAttributes", GONE),
        *(("LoadBalancerAttributes", _but(key, "false")) for key in (
            "access_logs.s3.enabled", "deletion_protection.enabled",
            "routing.http.drop_invalid_header_fields.enabled")),
        ("LoadBalancerAttributes", _but("routing.http.desync_mitigation_mode", "monitor"))),
    *_w("C58", "listeners", "WAFv2::WebACLAssociation", ("", GONE)),
    *_w("C59", "topics", "SNS::Topic", ("KmsMasterKeyId", GONE), ("Subscription", GONE)),
    *_w("C59", "topics", "SNS::TopicPolicy", ("", GONE),
        *(("PolicyDocument", _dropped(sid)) for sid in ("TlsOnly", "Alarms", "Rules"))),
    *_w("C59", "topics", "KMS::Key", ("KeyPolicy", _dropped("TopicsSend")),
        ("KeyPolicy", _dropped("RulesSend"))),
    *_w("C59", "open-principals", "SNS::TopicPolicy",
        ("PolicyDocument", _allows("sns:Publish", Principal="*"))),
    *_w("C61", "job-failures", "Events::Rule", ("", GONE), ("State", "DISABLED"),
        ("State", GONE), ("Targets", GONE), ("Targets.*.Arn", "arn:aws:sns:ca-central-1:1:elsewhere"),
        *((f"EventPattern.{p}.*", GONE) for p in ("source", "detail-type", "detail.state",
                                                  "detail.jobName")),
        where=lambda stack, name: name == "JobFailures"),
    *_w("C61", "job-failures", "SNS::TopicPolicy", ("PolicyDocument", _dropped("Rules")),
        where=lambda stack, name: stack == "audit"),
    *_w("C61", "job-silence", "CloudWatch::Alarm", ("", GONE), ("TreatMissingData", "notBreaching"),
        ("TreatMissingData", GONE), ("ComparisonOperator", "GreaterThanThreshold"),
        ("Threshold", 0), ("MetricName", "JobFailed"), ("Dimensions.*.Value", "elsewhere"),
        where=lambda stack, name: name.endswith("SilentAlarm")),
)  # fmt: skip

ADDED: Mapping[str, tuple[str, str, str]] = {
    "C43": ("no-people", "people", "IAM::User"),
    "C56": ("unused-services", "publish", "ECS::TaskDefinition"),
    "C57": ("unused-services", "publish", "ECR::Repository"),
    "C60": ("unused-services", "publish", "SecretsManager::Secret"),
}
"""Controls that hold because there is no such thing: control → check, stack, type of a new one."""


def mutants(bodies: Bodies) -> Iterator[Mutant]:
    """Every weakening at every place."""
    for weakening in WEAKENINGS:
        for stack, template in bodies.items():
            for name, resource in template["Resources"].items():
                kind = resource["Type"] == f"AWS::{weakening.kind}"
                if kind and weakening.where(stack, name):
                    for number, spoilt in enumerate(_spoilt(resource, weakening)):
                        yield _mutant(bodies, weakening, stack, name, spoilt, number)
    for control, (check, stack, kind) in ADDED.items():
        new = {"Type": f"AWS::{kind}", "Properties": {}}
        told = f"{control} {check}: {stack} with a new {kind}"
        yield Mutant(control, check, told, stack, "Eve", _with(bodies, stack, "Eve", new))
    untold = {k: v for k, v in bodies["publish"].items() if k != "Outputs"}
    told = "C49 default-groups: publish does not tell its network's default group"
    yield Mutant("C49", "default-groups", told, "publish", "Vpc", {**bodies, "publish": untold})


def _mutant(
    bodies: Bodies, weakening: Weakening, stack: str, name: str, spoilt: Any, number: int
) -> Mutant:
    to = "" if weakening.to is GONE or callable(weakening.to) else f" = {weakening.to}"
    told = f"{weakening.control} {weakening.check}: {stack}/{name} {weakening.path or 'gone'}{to}"
    changed = _with(bodies, stack, name, spoilt)
    return Mutant(weakening.control, weakening.check, f"{told} #{number}", stack, name, changed)


def _with(bodies: Bodies, stack: str, name: str, resource: Any) -> Bodies:
    """All templates with one resource changed, added, or taken away."""
    kept = {n: r for n, r in bodies[stack]["Resources"].items() if n != name}
    if resource is not GONE:
        kept[name] = resource
    return {**bodies, stack: {**bodies[stack], "Resources": kept}}


def _spoilt(resource: Mapping[str, Any], weakening: Weakening) -> Iterator[Any]:
    """The resource weakened: once, or once for each of a list. Not where there is nothing."""
    if not weakening.path:
        yield GONE
        return
    yield from _at(resource, ["Properties", *weakening.path.split(".")], weakening.to)


def _at(value: Any, path: list[str], to: Any) -> Iterator[Any]:
    head, *rest = path
    places: list[Any] = [head]
    if isinstance(value, list):
        places = list(range(len(value))) if head == "*" else [int(head)]
        places = [p for p in places if p < len(value)]
    elif not isinstance(value, Mapping) or (head not in value and (rest or to is GONE)):
        return
    for place in places:
        if rest:
            for inner in _at(value[place], rest, to):
                yield _put(value, place, inner)
        elif callable(to):
            changed = to(copy.deepcopy(value[place]))
            if changed != value[place]:
                yield _put(value, place, changed)
        elif _there(value, place) != to:
            yield _put(value, place, to)


def _there(value: Any, place: Any) -> Any:
    if isinstance(value, Mapping) and place not in value:
        return GONE
    return value[place]


def _put(value: Any, place: Any, inner: Any) -> Any:
    made = list(value) if isinstance(value, list) else dict(value)
    if inner is GONE:
        del made[place]
    else:
        made[place] = inner
    return made
