"""Jobs: Glue's versions, arguments and schedules, DQDL, and what DataBrew is asked to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cityline.declarations import dqdl
from cityline.declarations.schedules import cron_fault
from cityline.deploy import rules
from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.deploy.recipes import databrew_operations
from cityline.errors import DeclarationError
from cityline.stages.prepare.operations.registry import OPERATIONS

GLUE_VERSIONS = frozenset({"5.0", "5.1"})
"""Supported, and with the Python and Java the wheel is tested on; 5.1 is used."""

_ARGUMENT = re.compile(r"--[A-Za-z][\w-]*")
_REFERENCE = re.compile(r":[A-Za-z0-9_]+")


def glue_versions(stacks: Stacks) -> Iterator[Finding]:
    """Spark jobs say a version of Glue that exists and is supported."""
    for job in stacks.of("Glue::Job"):
        version = job.get("GlueVersion")
        if version not in GLUE_VERSIONS:
            yield job.fault(
                "glue-versions", f"GlueVersion {version!r} is not one that is supported"
            )


def glue_arguments(stacks: Stacks) -> Iterator[Finding]:
    """Arguments begin with two dashes, or Glue drops them without a word."""
    for job in stacks.of("Glue::Job"):
        for key, value in job.get("DefaultArguments", {}).items():
            if not _ARGUMENT.fullmatch(key):
                yield job.fault("glue-arguments", f"{key!r} is no argument: it needs two dashes")
            if value == "":
                yield job.fault("glue-arguments", f"{key} is empty")


def schedules(stacks: Stacks) -> Iterator[Finding]:
    """Schedules are cron expressions of AWS: six fields, one of day and weekday a question mark."""
    for kind, key in (
        ("Glue::Trigger", "Schedule"),
        ("DataBrew::Schedule", "CronExpression"),
        ("Events::Rule", "ScheduleExpression"),
    ):
        for resource in stacks.of(kind):
            expression = resource.get(key)
            if expression is not None:
                fault = cron_fault(str(expression))
                if fault:
                    yield resource.fault("schedules", f"{expression}: {fault}")
            elif kind == "Glue::Trigger" and resource.get("Type") == "SCHEDULED":
                yield resource.fault("schedules", "a scheduled trigger without a schedule")


def dqdl_rules(stacks: Stacks) -> Iterator[Finding]:
    """Rule sets of Glue Data Quality are DQDL by our own grammar."""
    for ruleset in stacks.of("Glue::DataQualityRuleset"):
        try:
            dqdl.parse(stacks.text(ruleset.stack, ruleset.get("Ruleset", "")), ruleset.id)
        except DeclarationError as error:
            yield ruleset.fault("dqdl-rules", error.what)


def recipe_operations(stacks: Stacks) -> Iterator[Finding]:
    """A recipe names operations that DataBrew has, with their parameters, all of them texts."""
    known = databrew_operations()
    for recipe in stacks.of("DataBrew::Recipe"):
        for number, step in enumerate(recipe.get("Steps", []), 1):
            operation = step["Action"]["Operation"]
            if operation not in known:
                told = f"step {number}: DataBrew has no operation {operation!r}"
                yield recipe.fault("recipe-operations", told)
                continue
            yield from _parameters(recipe, number, operation, step["Action"].get("Parameters", {}))


def check_expressions(stacks: Stacks) -> Iterator[Finding]:
    """DataBrew's checks are expressions it reads, and every `:name` in them is given."""
    for ruleset in stacks.of("DataBrew::Ruleset"):
        for rule in ruleset.get("Rules", []):
            expression = rule["CheckExpression"]
            given = {v["ValueReference"] for v in rule.get("SubstitutionMap", [])}
            told = f"{rule['Name']}: {expression}"
            if not re.fullmatch(rules.EXPRESSION, expression):
                yield ruleset.fault("check-expressions", f"{told} is not a check")
            if set(_REFERENCE.findall(expression)) != given:
                yield ruleset.fault("check-expressions", f"{told} names what is not given")
            aggregate = expression.startswith("AGG(") and ":col1" not in expression
            if bool(rule.get("ColumnSelectors")) and not aggregate:
                yield ruleset.fault("check-expressions", f"{told} names its column twice")


def databrew_jobs(stacks: Stacks) -> Iterator[Finding]:
    """DataBrew jobs encrypt with a key of ours, write a log, and have an end and a size."""
    for job in stacks.of("DataBrew::Job"):
        wanted: dict[str, Any] = {"EncryptionMode": "SSE-KMS", "LogSubscription": "ENABLE"}
        for key, value in wanted.items():
            if job.get(key) != value:
                yield job.fault("databrew-jobs", f"{key} is not {value}")
        missing = [
            k for k in ("EncryptionKeyArn", "MaxCapacity", "Timeout", "Tags") if not job.get(k)
        ]
        for key in missing:
            yield job.fault("databrew-jobs", f"{key} is missing")


def _parameters(
    recipe: Resource, number: int, operation: str, given: dict[str, Any]
) -> Iterator[Finding]:
    declared = OPERATIONS[operation].parameters
    for name, value in given.items():
        if name not in declared:
            told = f"step {number}: {operation} has no parameter {name!r}"
            yield recipe.fault("recipe-operations", told)
        if not isinstance(value, str):
            told = f"step {number}: {name} of {operation} is not a text"
            yield recipe.fault("recipe-operations", told)
    for name, parameter in declared.items():
        if parameter.required and name not in given:
            told = f"step {number}: {operation} needs {name!r}"
            yield recipe.fault("recipe-operations", told)
