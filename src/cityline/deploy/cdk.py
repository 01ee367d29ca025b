"""The templates through the AWS CDK: typed constructs, its validation, and the proof that nothing
was lost on the way.

A stack module writes properties as CloudFormation spells them; here each becomes the CDK's own
construct of that type (`aws_s3.CfnBucket`), so that the CDK's types, its validation and cdk-nag all
see it. The CDK drops a nested key it does not know without a word; therefore the synthesised
template is compared with what was written, and any difference is an error.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cityline.deploy.template import Template
from cityline.errors import MissingExtra, StepError

_FREE = {
    "AssumeRolePolicyDocument", "DefaultArguments", "EventPattern", "FilterPattern", "KeyPolicy",
    "Parameters", "PolicyDocument", "Tags",
}  # fmt: skip
"""Properties whose keys are data, and not CloudFormation's words, where they are maps."""

_PARAMETERS = {
    "Default": "default", "AllowedPattern": "allowed_pattern", "AllowedValues": "allowed_values",
    "Description": "description", "Type": "type", "NoEcho": "no_echo",
}  # fmt: skip
_INTRINSIC = re.compile(r"Ref|Fn::\w+")


def synthesise(
    templates: Mapping[str, Template],
    out: Path,
    *,
    prepare: Callable[[Any, Mapping[str, Any]], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """Put all templates through the CDK into the folder `out` and return what it wrote, by stack.

    `prepare` is called with the app and its stacks before synthesis, to add validations.
    Raises MissingExtra without the CDK, StepError when it refuses or changes something.
    """
    cdk = _cdk()
    app = cdk.App(
        analytics_reporting=False,
        default_stack_synthesizer=cdk.BootstraplessSynthesizer(),
        outdir=str(out),
        context={"@aws-cdk/core:validateAgainstDefaultRules": True},
    )
    stacks = {name: _stack(cdk, app, name, template) for name, template in templates.items()}
    if prepare is not None:
        prepare(app, stacks)
    made = app.synth()
    found = {name: made.get_stack_by_name(_stack_name(name)).template for name in templates}
    for name, template in templates.items():
        difference = _difference(template.body(), found[name], name)
        if difference:
            hint = "see the spelling in deploy/stacks and the rule in deploy/cdk.py"
            raise StepError(f"the CDK changed {difference}", where=name, hint=hint)
    return {name: template.body() for name, template in templates.items()}


def _cdk() -> Any:
    try:
        return importlib.import_module("aws_cdk")
    except ModuleNotFoundError as error:
        hint = "pip install 'cityline[deploy]'"
        raise MissingExtra("the AWS CDK is not installed", hint=hint) from error


def _stack_name(name: str) -> str:
    return f"cityline-{name}"


def _stack(cdk: Any, app: Any, name: str, template: Template) -> Any:
    stack = cdk.Stack(
        app,
        name,
        stack_name=_stack_name(name),
        description=template.description,
        env=cdk.Environment(region=template.region),
    )
    stack.template_options.template_format_version = "2010-09-09"
    for key, told in template.parameters.items():
        options = {_PARAMETERS[k]: v for k, v in told.items()}
        cdk.CfnParameter(stack, key, **options)
    made: dict[str, Any] = {}
    for key, body in template.resources.items():
        made[key] = _construct(cdk, stack, key, body)
    for key, body in template.resources.items():
        for other in body.get("DependsOn", ()):
            made[key].add_resource_dependency(made[other])
    for key, told in template.outputs.items():
        _output(cdk, stack, key, told)
    return stack


def _output(cdk: Any, stack: Any, key: str, told: Mapping[str, Any]) -> None:
    export = told.get("Export", {}).get("Name")
    output = cdk.CfnOutput(
        stack,
        f"{key}Output",
        value=_told(cdk, told["Value"]),
        description=told.get("Description"),
        export_name=export,
    )
    output.override_logical_id(key)


def _told(cdk: Any, value: Any) -> Any:
    return cdk.Token.as_string(value) if isinstance(value, Mapping) else value


def _construct(cdk: Any, stack: Any, key: str, body: Mapping[str, Any]) -> Any:
    """The CDK's own construct for a resource."""
    _, service, kind = body["Type"].split("::")
    module = importlib.import_module(f"aws_cdk.aws_{service.lower()}")
    made = getattr(module, f"Cfn{kind}")
    known = {_plain(p): p for p in inspect.signature(made.__init__).parameters}
    speller = _Speller(cdk, made, f"{body['Type']} {key}")
    given = {}
    for name, value in body["Properties"].items():
        if _plain(name) not in known:
            raise StepError(f"{body['Type']} has no property {name!r}", where=key)
        given[known[_plain(name)]] = speller.value(value, free=_data(name, value))
    construct = made(stack, f"{key}Resource", **given)
    construct.override_logical_id(key)
    if body.get("DeletionPolicy") == "RetainExceptOnCreate":
        construct.apply_removal_policy(cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
    for policy in ("CreationPolicy", "UpdatePolicy"):
        if policy in body:
            construct.add_override(policy, body[policy])
    return construct


class _Speller:
    """Nested properties as the CDK spells them, by the property classes of one construct."""

    def __init__(self, cdk: Any, construct: Any, where: str) -> None:
        self._cdk = cdk
        self._where = where
        self._known = {"equals": "equalTo", "key": "key", "value": "value"}
        for part in vars(construct).values():
            if inspect.isclass(part):
                for name in inspect.signature(part.__init__).parameters:
                    first, *rest = name.split("_")
                    self._known[_plain(name)] = first + "".join(w.capitalize() for w in rest)

    def value(self, value: Any, *, free: bool = False) -> Any:
        """A value with intrinsics as tokens and its keys respelled, unless they are data."""
        if isinstance(value, Mapping):
            if len(value) == 1 and _INTRINSIC.fullmatch(next(iter(value))):
                return self._cdk.Token.as_string(value)
            return {
                (k if free else self._key(k)): self.value(v, free=free or _data(k, v))
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [self.value(v, free=free) for v in value]
        return value

    def _key(self, name: str) -> str:
        if _plain(name) not in self._known:
            raise StepError(f"{self._where}: the CDK has no nested property {name!r}")
        return self._known[_plain(name)]


def _data(name: str, value: Any) -> bool:
    return name in _FREE and isinstance(value, Mapping)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _difference(wanted: Any, found: Any, where: str) -> str:
    """The first place where two templates differ, or nothing."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted, *found}):
            if key not in found or key not in wanted:
                lost = "lost" if key not in found else "added"
                return f"{where}.{key}: {lost}"
            told = _difference(wanted[key], found[key], f"{where}.{key}")
            if told:
                return told
        return ""
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        ordered = where.rpartition(".")[2] not in {"Tags", "DependsOn"}
        pairs = zip(wanted, found, strict=True) if ordered else zip(sorted(wanted, key=str), sorted(found, key=str), strict=True)  # fmt: skip # noqa: E501
        return next(
            (t for n, (w, f) in enumerate(pairs) if (t := _difference(w, f, f"{where}[{n}]"))), ""
        )
    if wanted == found or str(wanted) == str(found):
        return ""
    return f"{where}: {wanted!r:.120} became {found!r:.120}"
