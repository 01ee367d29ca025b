"""Mistakes a person could make in a template, each with the check that must find it.

The first sixteen are those that no public tool found when they were all run (`aws.md` 2.3); the
others weaken a control each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from cityline.deploy.auditing import DEFAULT_REGIONS
from cityline.deploy.cis import emergencies

_OBJECTS = "AdvancedEventSelectors.1.FieldSelectors.2.StartsWith"
Bodies = dict[str, dict[str, Any]]
Change = Callable[[Bodies], None]


def put(stack: str, resource: str, path: str, value: Any) -> Change:
    """Set what lies at a dotted path of a resource's properties; numbers are places in a list."""

    def change(bodies: Bodies) -> None:
        at: Any = bodies[stack]["Resources"][resource]["Properties"]
        *before, last = path.split(".")
        for part in before:
            at = at[int(part)] if isinstance(at, list) else at[part]
        at[int(last) if isinstance(at, list) else last] = value

    return change


def cut(stack: str, resource: str, path: str) -> Change:
    """Remove what lies there; an error when nothing does."""

    def change(bodies: Bodies) -> None:
        at: Any = bodies[stack]["Resources"][resource]["Properties"]
        *before, last = path.split(".")
        for part in before:
            at = at[int(part)] if isinstance(at, list) else at[part]
        del at[int(last) if isinstance(at, list) else last]

    return change


def gone(stack: str, resource: str) -> Change:
    """Remove a resource."""

    def change(bodies: Bodies) -> None:
        del bodies[stack]["Resources"][resource]

    return change


def without(stack: str, resource: str, document: str, sid: str) -> Change:
    """Remove a statement of a policy document."""

    def change(bodies: Bodies) -> None:
        found = bodies[stack]["Resources"][resource]["Properties"][document]
        kept = [s for s in found["Statement"] if s["Sid"] != sid]
        assert len(kept) == len(found["Statement"]) - 1
        found["Statement"] = kept

    return change


def stated(stack: str, resource: str, document: str, sid: str, **parts: Any) -> Change:
    """Change parts of a statement."""

    def change(bodies: Bodies) -> None:
        found = bodies[stack]["Resources"][resource]["Properties"][document]["Statement"]
        next(s for s in found if s["Sid"] == sid).update(parts)

    return change


def selector(value: list[Any]) -> Change:
    """Change which objects the trail records."""
    return put("audit", "Trail", _OBJECTS, value)


def _parameters(bodies: Bodies) -> dict[str, Any]:
    found = bodies["audit"]["Resources"]["TrailTable"]["Properties"]["TableInput"]["Parameters"]
    return cast("dict[str, Any]", found)


_RULE = "ReplicationConfiguration.Rules.0"
_DATA = "LaunchTemplateData"
_NAMED = (
    ("trusted-services", "the replication role trusts another service",
     put("machines", "ReplicationRole", "AssumeRolePolicyDocument.Statement.0.Principal",
         {"Service": "glue.amazonaws.com"})),
    ("named-parts", "a replication destination is misspelt",
     put("storage", "RawBucket", f"{_RULE}.Destination.Bucket",
         {"Fn::Sub": "arn:aws:s3:::cityline-vancouver-row-${AWS::AccountId}-ca-west-1"})),
    ("replication", "encrypted objects are not chosen for copying",
     cut("storage", "RawBucket", f"{_RULE}.SourceSelectionCriteria")),
    ("trail-delivery", "the trail's bucket does not let CloudTrail write",
     without("evidence", "TrailPolicy", "PolicyDocument", "TrailWrites")),
    ("glue-versions", "a version of Glue that does not exist",
     put("catalogue", "PrepareJob", "GlueVersion", "9.9")),
    ("glue-arguments", "a job's argument without dashes",
     put("catalogue", "PrepareJob", "DefaultArguments.stage", "prepare")),
    ("schedules", "a cron expression of five fields",
     put("catalogue", "IngestTrigger", "Schedule", "cron(30 11 * * *)")),
    ("dqdl-rules", "a rule that is not DQDL",
     put("quality", "LandingInquiryVolumeRules", "Ruleset", "Rules = [ IsComplete month ")),
    ("recipe-operations", "an operation DataBrew does not have",
     put("databrew", "InquiryVolumeRecipe", "Steps.0.Action.Operation", "TIDY_UP")),
    ("recipe-operations", "a parameter an operation does not take",
     put("databrew", "InquiryVolumeRecipe", "Steps.0.Action.Parameters.colum", "x")),
    ("check-expressions", "a check that says nothing",
     put("databrew", "InquiryVolumeRules", "Rules.0.CheckExpression", "AGG(ROWS) is fine")),
    ("saved-queries", "a saved query that is not SQL",
     put("query", "DepartmentsQuestion", "QueryString", "SELECT department FROM WHERE month")),
    ("known-metrics", "a misspelt metric",
     put("billing", "AllAlarm", "MetricName", "EstimatedCharge")),
    ("known-metrics", "a metric asked for by a dimension it does not have",
     put("observability", "RawLagAlarm", "Dimensions.1.Name", "Rule")),
    ("dashboards", "a dashboard that is not JSON",
     put("observability", "Dashboard", "DashboardBody", "{widgets: []}")),
    ("lifecycles", "things expire before they move",
     put("evidence", "TrailBucket", "LifecycleConfiguration.Rules.1.ExpirationInDays", 30)),
    ("positive-amounts", "a budget of less than nothing",
     put("billing", "Budget", "Budget.BudgetLimit.Amount", -5)),
)  # fmt: skip
_STORAGE = (
    ("buckets", "a bucket that may be public",
     put("storage", "RawBucket", "PublicAccessBlockConfiguration.BlockPublicPolicy", False)),
    ("buckets", "no versions", cut("storage", "SiteBucket", "VersioningConfiguration")),
    ("buckets", "access lists", cut("storage", "RawBucket", "OwnershipControls")),
    ("buckets", "no access log", cut("storage", "RawBucket", "LoggingConfiguration")),
    ("buckets", "S3's key instead of ours",
     put("storage", "RawBucket",
         "BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault",
         {"SSEAlgorithm": "AES256"})),
    ("buckets", "a call to KMS for each object",
     put("storage", "RawBucket",
         "BucketEncryption.ServerSideEncryptionConfiguration.0.BucketKeyEnabled", False)),
    ("bucket-policies", "plain HTTP", without("storage", "RawPolicy", "PolicyDocument", "TlsOnly")),
    ("bucket-policies", "every default write refused",
     stated("storage", "RawPolicy", "PolicyDocument", "WrongEncryption",
            Condition={"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}})),
    ("bucket-policies", "a bucket without a policy", gone("storage", "RawPolicy")),
    ("bucket-policies", "a stranger may change the policy",
     stated("evidence", "LogPolicy", "PolicyDocument", "BucketsLog",
            Action=["s3:PutObject", "s3:PutBucketPolicy"])),
    ("object-locks", "raw without Object Lock", cut("storage", "RawBucket", "ObjectLockConfiguration")),
    ("object-locks", "the trail without Object Lock", cut("evidence", "TrailBucket", "ObjectLockEnabled")),
    ("replication", "no key for the copies",
     cut("storage", "RawBucket", f"{_RULE}.Destination.EncryptionConfiguration")),
    ("replication", "no measure of the lag", cut("storage", "RawBucket", f"{_RULE}.Destination.Metrics")),
    ("replication", "copies without versions", cut("replica", "RawBucket", "VersioningConfiguration")),
    ("lifecycles", "uploads that never end",
     cut("storage", "RawBucket", "LifecycleConfiguration.Rules.0.AbortIncompleteMultipartUpload")),
    ("lifecycles", "no lifecycle", cut("storage", "CodeBucket", "LifecycleConfiguration")),
)  # fmt: skip
_TRUST = (
    ("confused-deputies", "Glue on behalf of anybody",
     cut("machines", "IngestRole", "AssumeRolePolicyDocument.Statement.0.Condition")),
    ("second-factors", "people with a password alone",
     cut("people", "AnalystRole", "AssumeRolePolicyDocument.Statement.0.Condition")),
    ("open-principals", "a role for anybody",
     put("machines", "IngestRole", "AssumeRolePolicyDocument.Statement.0",
         {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})),
    ("open-principals", "a key for anybody",
     put("keys", "RawKey", "KeyPolicy.Statement.0.Principal", {"AWS": "*"})),
    ("wide-statements", "a whole service",
     put("machines", "IngestWorkPolicy", "PolicyDocument.Statement.0.Action", ["s3:*"])),
    ("wide-statements", "any key",
     put("machines", "IngestKeysPolicy", "PolicyDocument.Statement.0",
         {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["*"]})),
    ("no-people", "a user", lambda b: b["people"]["Resources"].update(
        Eve={"Type": "AWS::IAM::User", "Properties": {}})),
    ("no-people", "a policy inside a role", put("machines", "IngestRole", "Policies", [{}])),
    ("keys", "a key that does not rotate", put("keys", "RawKey", "EnableKeyRotation", False)),
    ("keys", "a key gone in a week", put("keys", "RawKey", "PendingWindowInDays", 7)),
    ("keys", "grants for anybody",
     cut("keys", "RawKey", "KeyPolicy.Statement.1.Condition")),
    ("keys", "grants to people are not refused",
     without("keys", "RawKey", "KeyPolicy", "NoOtherGrants")),
    ("cross-references", "a topic nobody makes",
     put("observability", "WebErrorsAlarm", "AlarmActions",
         [{"Fn::Sub": "arn:aws:sns:ca-central-1:${AWS::AccountId}:cityline-vancouver-alarm"}])),
    ("cross-references", "a key's alias nobody makes",
     put("storage", "RawBucket", f"{_RULE}.Destination.EncryptionConfiguration.ReplicaKmsKeyID",
         {"Fn::Sub": "arn:aws:kms:ca-west-1:${AWS::AccountId}:alias/cityline-vancouver-rau"})),
    ("dimensions", "an alarm on a bucket nobody makes",
     put("observability", "RawSizeAlarm", "Dimensions.0.Value", "cityline-vancouver-rau")),
    ("named-parts", "a trigger of a job nobody makes",
     put("catalogue", "PrepareTrigger", "Actions.0.JobName", "cityline-vancouver-prepair")),
    ("unused-services", "a container nobody wrote controls for",
     lambda b: b["publish"]["Resources"].update(
         Task={"Type": "AWS::ECS::TaskDefinition", "Properties": {}})),
    ("analyzers", "no access analyzer", gone("people", "Analyzer")),
)  # fmt: skip
_WORK = (
    ("job-encryption", "a job without security", cut("catalogue", "PrepareJob", "SecurityConfiguration")),
    ("job-encryption", "bookmarks in the clear",
     put("catalogue", "PrepareSecurity",
         "EncryptionConfiguration.JobBookmarksEncryption.JobBookmarksEncryptionMode", "DISABLED")),
    ("job-encryption", "no tags", cut("catalogue", "PrepareJob", "Tags")),
    ("catalogue-encryption", "the catalogue in the clear", gone("catalogue", "CatalogueEncryption")),
    ("catalogue-encryption", "a catalogue nobody but a job can look into",
     put("catalogue", "CatalogueEncryption", "DataCatalogEncryptionSettings.EncryptionAtRest"
         ".CatalogEncryptionMode", "SSE-KMS")),
    ("catalogue-encryption", "a catalogue whose role may not use its key",
     without("keys", "LogKey", "KeyPolicy", "CatalogueKeeps")),
    ("databrew-jobs", "DataBrew with S3's key", put("databrew", "InquiryVolumePrepareJob", "EncryptionMode", "SSE-S3")),
    ("databrew-jobs", "DataBrew without an end", cut("databrew", "InquiryVolumePrepareJob", "Timeout")),
    ("check-expressions", "a check of a value that is not given",
     cut("databrew", "InquiryVolumeRules", "Rules.0.SubstitutionMap.0")),
    ("workgroups", "results where a client likes",
     put("query", "AnalysisGroup", "WorkGroupConfiguration.EnforceWorkGroupConfiguration", False)),
    ("workgroups", "results in the clear",
     cut("query", "AnalysisGroup", "WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration")),
    ("workgroups", "a workgroup that cannot go",
     put("query", "AnalysisGroup", "RecursiveDeleteOption", False)),
    ("workgroups", "queries nobody measures",
     put("query", "AnalysisGroup", "WorkGroupConfiguration.PublishCloudWatchMetricsEnabled", False)),
    ("positive-amounts", "no cut-off",
     cut("query", "AnalysisGroup", "WorkGroupConfiguration.BytesScannedCutoffPerQuery")),
)  # fmt: skip
_WATCH = (
    ("trails", "one region only", put("audit", "Trail", "IsMultiRegionTrail", False)),
    ("trails", "no digests", put("audit", "Trail", "EnableLogFileValidation", False)),
    ("trails", "a trail without a key", cut("audit", "Trail", "KMSKeyId")),
    ("trails", "objects of one zone only",
     selector([{"Fn::Sub": "arn:aws:s3:::cityline-vancouver-raw-${AWS::AccountId}-ca-central-1/"}])),
    ("trails", "copies nobody watches", cut("audit", "Trail", f"{_OBJECTS}.-1")),
    ("trails", "no trail", gone("audit", "Trail")),
    ("trail-regions", "a region that is not read", lambda b: _parameters(b).update(
        {"projection.region.values": "ca-central-1,ca-west-1,us-east-1"})),
    ("trail-regions", "our second region is not read", lambda b: _parameters(b).update(
        {"projection.region.values": ",".join(DEFAULT_REGIONS)})),
    ("event-kinds", "another role of emergencies", put("people", "AdministratorRole", "RoleName", "x")),
    ("event-kinds", "a role of emergencies nobody watches",
     put("audit", "EmergenciesFilter", "FilterPattern", emergencies([]).pattern)),
    ("job-failures", "no rule", gone("observability", "JobFailures")),
    ("job-failures", "a rule of other jobs",
     put("observability", "JobFailures", "EventPattern.detail.jobName", ["cityline-vancouver-ingest"])),
    ("job-failures", "a rule that tells a condition EventBridge cannot meet",
     stated("audit", "AlarmsPolicy", "PolicyDocument", "Rules",
            Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})),
    ("job-silence", "silence that is taken for peace",
     put("observability", "IngestSilentAlarm", "TreatMissingData", "notBreaching")),
    ("job-silence", "an alarm on what Glue does not write",
     put("observability", "IngestSilentAlarm", "MetricName", "glue.driver.aggregate.numCompletedTasks")),
    ("known-metrics", "a metric that only a GlueContext writes",
     put("observability", "IngestSilentAlarm", "Namespace", "Glue")),
    ("log-groups", "a job's log that Glue makes itself", gone("catalogue", "IngestErrorLog")),
    ("event-kinds", "an event kind nobody watches", gone("audit", "RootUseFilter")),
    ("event-kinds", "a filter without an alarm", gone("audit", "RootUseAlarm")),
    ("event-kinds", "a pattern that finds nothing",
     put("audit", "RootUseFilter", "FilterPattern", '{ $.userIdentity.type = "root" }')),
    ("alarm-actions", "an alarm that tells nobody", put("audit", "RootUseAlarm", "AlarmActions", [])),
    ("alarm-actions", "an alarm that is off", put("audit", "RootUseAlarm", "ActionsEnabled", False)),
    ("alarm-periods", "a period of 61 seconds", put("audit", "RootUseAlarm", "Period", 61)),
    ("alarm-periods", "a daily metric by the hour", put("observability", "RawSizeAlarm", "Period", 3600)),
    ("log-groups", "logs for a month", put("audit", "TrailLog", "RetentionInDays", 30)),
    ("log-groups", "logs in the clear", cut("publish", "ServeLogs", "KmsKeyId")),
    ("log-groups", "a log group its key is not for",
     put("publish", "FirewallLogs", "LogGroupName", "aws-waf-logs-cityline")),
    ("topics", "a topic in the clear", cut("audit", "Alarms", "KmsMasterKeyId")),
    ("topics", "a topic over plain HTTP", without("audit", "AlarmsPolicy", "PolicyDocument", "TlsOnly")),
    ("topics", "a scaling group that sends to an encrypted topic by itself",
     put("publish", "Servers", "NotificationConfigurations", [{"TopicARN": {
         "Fn::Sub": "arn:aws:sns:ca-central-1:${AWS::AccountId}:cityline-vancouver-alarms"}}])),
    ("topics", "EventBridge asked by the key for whom it sends",
     stated("keys", "LogKey", "KeyPolicy", "RulesSend",
            Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})),
    ("topics", "EventBridge asked by the topic for whom it sends",
     stated("audit", "AlarmsPolicy", "PolicyDocument", "Rules",
            Condition={"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})),
)  # fmt: skip
_NETWORK = (
    ("open-ports", "SSH", put("publish", "ServerFromBalancerIngress", "FromPort", 22)),
    ("open-ports", "the server open to the world", put("publish", "HttpIngress", "ToPort", 8310)),
    ("open-ports", "the server may call anybody",
     put("publish", "ServerToS3Egress", "CidrIp", "0.0.0.0/0")),
    ("public-addresses", "a public address",
     put("publish", "Launch", f"{_DATA}.NetworkInterfaces.0.AssociatePublicIpAddress", True)),
    ("public-addresses", "a subnet of public addresses", put("publish", "PrivateA", "MapPublicIpOnLaunch", True)),
    ("public-addresses", "a way out of the private subnets",
     put("publish", "PublicRoute", "RouteTableId", {"Ref": "PrivateRoutes"})),
    ("instances", "metadata without a token",
     put("publish", "Launch", f"{_DATA}.MetadataOptions.HttpTokens", "optional")),
    ("instances", "a disk in the clear",
     put("publish", "Launch", f"{_DATA}.BlockDeviceMappings.0.Ebs.Encrypted", False)),
    ("listeners", "TLS 1.0", put("publish", "HttpsListener", "SslPolicy", "ELBSecurityPolicy-2016-08")),
    ("listeners", "plain HTTP", put("publish", "HttpListener", "DefaultActions.0.Type", "forward")),
    ("listeners", "no firewall", gone("publish", "FirewallAssociation")),
    ("default-groups", "a default group nobody is told of", lambda b: b["publish"].pop("Outputs")),
    ("flow-logs", "flows nobody records", gone("publish", "Flows")),
    ("endpoints", "no endpoint for sessions", gone("publish", "SsmEndpoint")),
    ("sizes", "a template too large to be sent",
     put("quality", "LandingInquiryVolumeRules", "Description", "x" * 52_000)),
)  # fmt: skip

MUTANTS: tuple[tuple[str, str, Change], ...] = (
    *_NAMED, *_STORAGE, *_TRUST, *_WORK, *_WATCH, *_NETWORK,
)  # fmt: skip
"""Check, mistake, and the change that makes it."""
