"""What a role does besides the zones: logs, metrics, queries, runs, the trail's own look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cityline.declarations.access import Access, AccessZone, Verb
from cityline.deploy.naming import Names
from cityline.deploy.policies.statements import Statement, statement, taken_by_people
from cityline.guards.protect import may


def work(access: Access, names: Names, role: str) -> Iterator[Statement]:
    """The statements of a role's work, from who takes it on, what it asks and its duties."""
    declared = access.roles[role]
    for by in declared.assumed_by:
        if by in _BY:
            yield from _BY[by](names)
    if declared.asks_in:
        yield _asking(names, declared.asks_in)
    for duty in declared.duties:
        yield from _DUTIES[duty](names)
    if taken_by_people(declared) and may(access, role, Verb.READ, AccessZone.TRAIL):
        looking = ["cloudtrail:LookupEvents", "cloudtrail:DescribeTrails"]
        yield statement("LookUp", "Allow", looking, ["*"])
        on = [names.trail_arn()]
        status = ["cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors"]
        yield statement("TrailStatus", "Allow", status, on)


def _writing_logs(names: Names, group: str, sid: str) -> Statement:
    on = [names.log_group_arn(group)]
    return statement(sid, "Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], on)


def _glue(names: Names) -> Iterator[Statement]:
    """A job's logs, encrypted, and its metrics. Metrics know no resource, only a namespace."""
    yield statement(
        "GlueLogs", "Allow",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents",
         "logs:AssociateKmsKey"],
        [names.log_group_arn("/aws-glue/*")],
    )  # fmt: skip
    yield statement(
        "Metrics", "Allow", ["cloudwatch:PutMetricData"], ["*"],
        condition={"StringEquals": {"cloudwatch:namespace": ["Glue", "Cityline"]}},
    )  # fmt: skip
    yield statement("Itself", "Allow", ["glue:GetJob", "glue:GetJobRun"], [names.jobs_arn("glue")])


def _databrew(names: Names) -> Iterator[Statement]:
    yield statement(
        "DataBrewLogs", "Allow",
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        [names.log_group_arn("/aws-glue-databrew/*")],
    )  # fmt: skip


def _ec2(names: Names) -> Iterator[Statement]:
    """Logs of the server, and the agent that replaces SSH, whose calls know no resource."""
    yield _writing_logs(names, f"{names.log_group('serve')}:*", "ServeLogs")
    yield statement(
        "SessionAgent", "Allow",
        ["ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
         "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
         "ssmmessages:OpenDataChannel"],
        ["*"],
    )  # fmt: skip


def _cloudtrail(names: Names) -> Iterator[Statement]:
    yield _writing_logs(names, f"{names.log_group('trail')}:*", "TrailLogs")


def _asking(names: Names, workgroup: str) -> Statement:
    return statement(
        "Ask", "Allow",
        ["athena:BatchGetNamedQuery", "athena:GetNamedQuery", "athena:GetQueryExecution",
         "athena:GetQueryResults", "athena:GetWorkGroup", "athena:ListNamedQueries",
         "athena:StartQueryExecution", "athena:StopQueryExecution"],
        [names.workgroup_arn(workgroup)],
    )  # fmt: skip


def _run(names: Names) -> Iterator[Statement]:
    yield statement(
        "RunJobs", "Allow",
        ["glue:BatchStopJobRun", "glue:GetJob", "glue:GetJobRun", "glue:GetJobRuns",
         "glue:StartJobRun"],
        [names.jobs_arn("glue")],
    )  # fmt: skip
    yield statement(
        "RunRecipes", "Allow",
        ["databrew:DescribeJob", "databrew:DescribeJobRun", "databrew:ListJobRuns",
         "databrew:StartJobRun", "databrew:StopJobRun"],
        [names.jobs_arn("databrew")],
    )  # fmt: skip


def _watch(names: Names) -> Iterator[Statement]:
    """Reading logs, the state of keys, metrics, alarms and charges. The last three know no
    resource."""
    groups = [f"{names.log_group('')}*", "/aws-glue/*", "/aws-glue-databrew/*"]
    aliases = [names.key_alias(z) for z in AccessZone]
    yield statement(
        "WatchLogs", "Allow", ["logs:FilterLogEvents", "logs:GetLogEvents"],
        [names.log_group_arn(g) for g in groups],
    )  # fmt: skip
    yield statement(
        "WatchKeys", "Allow", ["kms:DescribeKey", "kms:GetKeyRotationStatus"],
        [names.any_key_arn(), names.any_key_arn(replica=True)],
        condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}},
    )  # fmt: skip
    yield statement(
        "WatchFigures", "Allow",
        ["ce:GetCostAndUsage", "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData",
         "cloudwatch:ListMetrics"],
        ["*"],
    )  # fmt: skip


_BY: dict[str, Callable[[Names], Iterator[Statement]]] = {
    "glue": _glue,
    "databrew": _databrew,
    "ec2": _ec2,
    "cloudtrail": _cloudtrail,
}
_DUTIES: dict[str, Callable[[Names], Iterator[Statement]]] = {"run": _run, "watch": _watch}
