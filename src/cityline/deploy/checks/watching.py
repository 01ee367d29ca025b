"""Who is told: alarms with an action, logs that last, the trail, CIS event kinds, failing jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from cityline.deploy.auditing import DEFAULT_REGIONS
from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.deploy.checks.trust import allowing, services
from cityline.deploy.cis import WATCHES, emergencies
from cityline.deploy.jobs import BAD_ENDS, LOG_STREAMS
from cityline.ports.gauges import GAUGES

_YEAR = 365
_REGION = re.compile(r"-([a-z]{2}-[a-z]+-\d)$")
_OF_THE_TRAIL = ("LogBucket", "TrailBucket")
"""Buckets whose every write would be recorded by a further one: logs and the trail itself."""
_LOGGING = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
_SENDERS = {
    "CloudWatch::Alarm": "cloudwatch",
    "Budgets::Budget": "budgets",
    "Events::Rule": "events",
    "AutoScaling::AutoScalingGroup": "autoscaling",
}
"""Who sends to a topic that such a resource names."""

_SILENT = "events.amazonaws.com"
_TOPIC = re.compile(r'"arn:aws:sns:[^"]+"')


def alarm_actions(stacks: Stacks) -> Iterator[Finding]:
    """Every alarm tells a topic that exists, and its actions are on."""
    topics = stacks.names("SNS::Topic")
    for alarm in stacks.of("CloudWatch::Alarm"):
        actions = [stacks.text(alarm.stack, a) for a in alarm.get("AlarmActions", [])]
        if not actions or any(a.rpartition(":")[2] not in topics for a in actions):
            yield alarm.fault("alarm-actions", "nobody is told")
        if alarm.get("ActionsEnabled") is not True:
            yield alarm.fault("alarm-actions", "its actions are off")


def log_groups(stacks: Stacks) -> Iterator[Finding]:
    """Logs are kept a year, encrypted with a key of ours that CloudWatch Logs may use; those too
    whose names Glue chooses."""
    for group in stacks.of("Logs::LogGroup"):
        if int(group.get("RetentionInDays", 0)) < _YEAR:
            yield group.fault("log-groups", "not kept for a year")
        if not group.get("KmsKeyId"):
            yield group.fault("log-groups", "not encrypted with a key of ours")
        elif not _sealed(stacks, group):
            yield group.fault("log-groups", "its key is not for a log group of that name")
    made = stacks.names("Logs::LogGroup")
    for job in stacks.of("Glue::Job"):
        told = stacks.resolved(job)
        role = told.get("Role", "").rpartition("/")[2]
        below = f"/aws-glue/jobs/{told.get('SecurityConfiguration')}-role/{role}"
        for stream in LOG_STREAMS:
            if f"{below}/{stream}" not in made:
                yield job.fault("log-groups", f"Glue makes {below}/{stream}, to be kept for ever")


def _sealed(stacks: Stacks, group: Resource) -> bool:
    """Whether the key of a log group lets CloudWatch Logs use it for a group of that name."""
    key = stacks.key(group.stack, group.get("KmsKeyId"))
    name = stacks.text(group.stack, group.get("LogGroupName", ""))
    for one in allowing(stacks, key, "KeyPolicy", *_LOGGING):
        bound = one.get("Condition", {}).get("ArnLike", {})
        told = bound.get("kms:EncryptionContext:aws:logs:arn", [])
        named = [told] if isinstance(told, str) else told
        service = any(s.startswith("logs.") for s in services(one))
        if service and any(fnmatchcase(name, n.partition(":log-group:")[2]) for n in named):
            return True
    return False


def trails(stacks: Stacks) -> Iterator[Finding]:
    """One trail of every region, on, validated, encrypted, with the objects of every zone."""
    found = list(stacks.of("CloudTrail::Trail"))
    if not found:
        yield Finding("trails", "audit", "Trail", "there is no trail")
    on = (
        "IsMultiRegionTrail",
        "IncludeGlobalServiceEvents",
        "IsLogging",
        "EnableLogFileValidation",
    )
    for trail in found:
        for key in on:
            if trail.get(key) is not True:
                yield trail.fault("trails", f"{key} is off")
        for key in ("KMSKeyId", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn"):
            if not trail.get(key):
                yield trail.fault("trails", f"{key} is missing")
    for trail in found:
        yield from _selected(stacks, trail.stack, trail.get("AdvancedEventSelectors", []))


def trail_regions(stacks: Stacks) -> Iterator[Finding]:
    """The trail's table reads every region that an account has, and those with buckets of ours."""
    buckets = stacks.names("S3::Bucket")
    wanted = {*DEFAULT_REGIONS, *(m[1] for b in buckets if (m := _REGION.search(b)))}
    tables = [
        t
        for t in stacks.of("Glue::Table")
        if t.get("TableInput.Parameters", {}).get("classification") == "cloudtrail"
    ]
    if not tables:
        yield Finding("trail-regions", "audit", "TrailTable", "the trail is no table")
    for table in tables:
        read = table.get("TableInput.Parameters", {}).get("projection.region.values", "").split(",")
        for region in sorted(wanted - set(read)):
            yield table.fault("trail-regions", f"what happens in {region} is not read")


def _selected(stacks: Stacks, stack: str, selectors: list[dict[str, object]]) -> Iterator[Finding]:
    told = stacks.text(stack, selectors)
    if '"Management"' not in told:
        yield Finding("trails", stack, "Trail", "management events are not recorded")
    if '"readOnly"' in told:
        yield Finding("trails", stack, "Trail", "only reads or only writes are recorded")
    for bucket in stacks.of("S3::Bucket"):
        name = stacks.text(bucket.stack, bucket.get("BucketName", ""))
        if bucket.id not in _OF_THE_TRAIL and f":::{name}/" not in told:
            yield Finding("trails", stack, "Trail", f"objects of {name} are not recorded")


def event_kinds(stacks: Stacks) -> Iterator[Finding]:
    """The fourteen event kinds of CIS, and emergencies: each with its pattern over the trail's log,
    and an alarm."""
    groups = {
        stacks.text(t.stack, t.get("CloudWatchLogsLogGroupArn", "")).split("log-group:")[-1]
        for t in stacks.of("CloudTrail::Trail")
    }
    watched = {name.removesuffix(":*") for name in groups}
    filters = {
        f.get("FilterPattern"): f
        for f in stacks.of("Logs::MetricFilter")
        if stacks.text(f.stack, f.get("LogGroupName", "")) in watched
    }
    alarms = {
        (stacks.text(a.stack, a.get("Namespace", "")), a.get("MetricName"))
        for a in stacks.of("CloudWatch::Alarm")
    }
    for watch in (*WATCHES, emergencies(_mending(stacks))):
        found = filters.get(watch.pattern)
        if found is None:
            yield Finding("event-kinds", "audit", watch.name, "no filter finds this kind of event")
            continue
        counted = found.get("MetricTransformations", [{}])[0]
        if (counted.get("MetricNamespace"), counted.get("MetricName")) not in alarms:
            yield found.fault("event-kinds", "no alarm watches what it counts")


def _mending(stacks: Stacks) -> Iterator[str]:
    """Names of the roles that may change a bucket's policy."""
    mends = {
        stacks.text(p.stack, {"Ref": p.id})
        for p in stacks.of("IAM::ManagedPolicy")
        for s in p.get("PolicyDocument.Statement", [])
        if s["Effect"] == "Allow" and "s3:PutBucketPolicy" in s["Action"]
    }
    for role in stacks.of("IAM::Role"):
        told = stacks.resolved(role)
        if mends & set(told.get("ManagedPolicyArns", [])):
            yield told["RoleName"]


def topics(stacks: Stacks) -> Iterator[Finding]:
    """Topics are encrypted, take nothing over plain HTTP, somebody listens, and who sends there may
    by the topic's policy and by its key's."""
    refused = {
        (p.stack, stacks.text(p.stack, topic))
        for p in stacks.of("SNS::TopicPolicy")
        if '"aws:SecureTransport": "false"' in stacks.text(p.stack, p.get("PolicyDocument", {}))
        for topic in p.get("Topics", [])
    }
    for topic in stacks.of("SNS::Topic"):
        if not topic.get("KmsMasterKeyId"):
            yield topic.fault("topics", "not encrypted with a key of ours")
        if (topic.stack, stacks.text(topic.stack, {"Ref": topic.id})) not in refused:
            yield topic.fault("topics", "plain HTTP is not refused")
        if not topic.get("Subscription"):
            yield topic.fault("topics", "nobody listens")
    for sender in stacks.of(*_SENDERS):
        service = f"{_SENDERS[sender.type.removeprefix('AWS::')]}.amazonaws.com"
        for topic in _told(stacks, sender):
            if not _sends(stacks, service, topic):
                yield sender.fault("topics", f"{service} cannot send to {topic.stack}/{topic.id}")


def _told(stacks: Stacks, sender: Resource) -> Iterator[Resource]:
    """The topics that a resource names: of its own stack, or of another by ARN."""
    text = stacks.text(sender.stack, sender.properties)
    for arn in {a.strip('"') for a in _TOPIC.findall(text)}:
        own = (t for t in stacks.of("SNS::Topic") if t.stack == sender.stack)
        found = next(own, None) or stacks.named("SNS::Topic", arn)
        if found is not None:
            yield found


def _sends(stacks: Stacks, service: str, topic: Resource) -> bool:
    """Whether a service may publish to a topic and use its key. EventBridge tells neither for whom
    it sends, so a condition on that would shut it out."""
    ref = stacks.text(topic.stack, {"Ref": topic.id})
    policies = [
        p
        for p in stacks.of("SNS::TopicPolicy")
        if p.stack == topic.stack and ref in stacks.text(p.stack, p.get("Topics", []))
    ]
    published = [s for p in policies for s in allowing(stacks, p, "PolicyDocument", "sns:Publish")]
    key = stacks.key(topic.stack, topic.get("KmsMasterKeyId"))
    used = allowing(stacks, key, "KeyPolicy", "kms:Decrypt", "kms:GenerateDataKey")

    def may(one: Mapping[str, Any]) -> bool:
        return service in services(one) and not (service == _SILENT and one.get("Condition"))

    return any(map(may, published)) and any(map(may, used))


def job_failures(stacks: Stacks) -> Iterator[Finding]:
    """A rule tells a topic of every bad end of every job, and the topic takes it."""
    heard = [
        told["EventPattern"]
        for rule in stacks.of("Events::Rule")
        if (told := stacks.resolved(rule)).get("State") == "ENABLED"
        and any(_takes(stacks, target.get("Arn", "")) for target in told.get("Targets", []))
    ]
    for kind, service in (("Glue::Job", "Glue"), ("DataBrew::Job", "DataBrew")):
        for job in stacks.of(kind):
            name = stacks.text(job.stack, job.get("Name", ""))
            if not any(_hears(pattern, service, name) for pattern in heard):
                yield job.fault("job-failures", "nobody is told when it fails")


def _hears(pattern: Mapping[str, Any], service: str, job: str) -> bool:
    detail = pattern.get("detail", {})
    names = detail.get("jobName", [])
    return (
        f"aws.{service.lower()}" in pattern.get("source", [])
        and f"{service} Job State Change" in pattern.get("detail-type", [])
        and set(BAD_ENDS) <= set(detail.get("state", []))
        and any(job == n or (isinstance(n, dict) and job.startswith(n["prefix"])) for n in names)
    )


def _takes(stacks: Stacks, topic: str) -> bool:
    """Whether a topic is there and EventBridge may publish to it: it sends no source with what it
    publishes, so no condition may ask for one."""
    name = topic.rpartition(":")[2]
    return name in stacks.names("SNS::Topic") and any(
        s["Effect"] == "Allow"
        and "Condition" not in s
        and "events.amazonaws.com" in s["Principal"].get("Service", [])
        and any(on.rpartition(":")[2] == name for on in s["Resource"])
        for policy in stacks.of("SNS::TopicPolicy")
        for s in stacks.resolved(policy)["PolicyDocument"]["Statement"]
        if isinstance(s["Principal"], dict)
    )


def job_silence(stacks: Stacks) -> Iterator[Finding]:
    """An alarm rings for every job of the way that tells no success."""
    succeeded = GAUGES["job successes"]
    watched = {
        dimension["Value"]
        for alarm in stacks.of("CloudWatch::Alarm")
        if (alarm.get("Namespace"), alarm.get("MetricName"))
        == (succeeded.namespace, succeeded.name)
        and alarm.get("ComparisonOperator") == "LessThanThreshold"
        and alarm.get("TreatMissingData") == "breaching"
        and float(alarm.get("Threshold", 0)) > 0
        for dimension in stacks.resolved(alarm).get("Dimensions", [])
        if dimension["Name"] in succeeded.dimensions
    }
    for job in stacks.of("Glue::Job"):
        if stacks.text(job.stack, job.get("Name", "")) not in watched:
            yield job.fault("job-silence", "nobody is told when it does not run")


def analyzers(stacks: Stacks) -> Iterator[Finding]:
    """An analyzer of what strangers can reach is on."""
    if not any(a.get("Type") == "ACCOUNT" for a in stacks.of("AccessAnalyzer::Analyzer")):
        yield Finding("analyzers", "people", "Analyzer", "there is no access analyzer")


_UNUSED = ("ECS", "ECR", "SecretsManager", "Lambda", "RDS")


def unused_services(stacks: Stacks) -> Iterator[Finding]:
    """No resource of a service whose controls nobody wrote down for this platform."""
    for resource in stacks.resources:
        service = resource.type.split("::")[1] if resource.type.startswith("AWS::") else ""
        if service in _UNUSED or not service or resource.type == "AWS::Glue::MLTransform":
            yield resource.fault("unused-services", f"{resource.type} has no controls here")
