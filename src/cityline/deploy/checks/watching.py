"""Who is told: alarms with an action, log groups that last, the trail, and the CIS event kinds."""

from __future__ import annotations

from collections.abc import Iterator

from cityline.deploy.checks.reading import Finding, Stacks
from cityline.deploy.cis import WATCHES

_YEAR = 365


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
    """Logs are kept a year and encrypted with a key of ours."""
    for group in stacks.of("Logs::LogGroup"):
        if int(group.get("RetentionInDays", 0)) < _YEAR:
            yield group.fault("log-groups", "not kept for a year")
        if not group.get("KmsKeyId"):
            yield group.fault("log-groups", "not encrypted with a key of ours")


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


def _selected(stacks: Stacks, stack: str, selectors: list[dict[str, object]]) -> Iterator[Finding]:
    told = stacks.text(stack, selectors)
    if '"Management"' not in told:
        yield Finding("trails", stack, "Trail", "management events are not recorded")
    if '"readOnly"' in told:
        yield Finding("trails", stack, "Trail", "only reads or only writes are recorded")
    for bucket in stacks.of("S3::Bucket"):
        name = stacks.text(bucket.stack, bucket.get("BucketName", ""))
        data = bucket.stack == "storage"
        if data and f":::{name}/" not in told:
            yield Finding("trails", stack, "Trail", f"objects of {name} are not recorded")


def event_kinds(stacks: Stacks) -> Iterator[Finding]:
    """The fourteen event kinds of CIS: each with its pattern over the trail's log, and an alarm."""
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
    for watch in WATCHES:
        found = filters.get(watch.pattern)
        if found is None:
            yield Finding("event-kinds", "audit", watch.name, "no filter finds this kind of event")
            continue
        counted = found.get("MetricTransformations", [{}])[0]
        if (counted.get("MetricNamespace"), counted.get("MetricName")) not in alarms:
            yield found.fault("event-kinds", "no alarm watches what it counts")


def topics(stacks: Stacks) -> Iterator[Finding]:
    """Topics are encrypted, take nothing over plain HTTP, and somebody listens."""
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
