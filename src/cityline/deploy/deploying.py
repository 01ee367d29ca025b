"""Making, looking at and removing a city's stacks, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cityline.declarations.environment import Aws
from cityline.deploy.planning import stack_name
from cityline.deploy.template import Template, minified
from cityline.errors import CloudRefused, UsageError
from cityline.ports.stacks import Deployed, Stacks

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Standing:
    """One stack: whether it stands, and whether it is what the declarations say."""

    stack: str
    region: str
    status: str
    """CloudFormation's word, or `ABSENT`."""
    as_declared: bool
    why: str = ""


def apply(
    templates: Mapping[str, Template],
    settings: Aws,
    parameters: Mapping[str, str],
    stacks: Stacks,
    note: Note,
) -> list[Deployed]:
    """Create or update every stack, in order. A stack that fails stops the rest: what was made
    before it stands, and the next try goes on from there. Raises UsageError for a parameter without
    a value, CloudError for what AWS refuses."""
    asked = {name: _values(name, t, parameters) for name, t in templates.items()}
    made = []
    for name, template in templates.items():
        full = stack_name(settings, name)
        body = minified(template.body())
        made.append(stacks.put(full, template.region, body, asked[name], note))
        note(f"{full}: {made[-1].status}")
    return made


def status(templates: Mapping[str, Template], settings: Aws, stacks: Stacks) -> list[Standing]:
    """Every stack as it stands."""
    return [
        _standing(stack_name(settings, name), template, stacks)
        for name, template in templates.items()
    ]


def _standing(name: str, template: Template, stacks: Stacks) -> Standing:
    found = stacks.find(name, template.region)
    if found is None:
        return Standing(name, template.region, "ABSENT", as_declared=False)
    same = found.template == template.body()
    return Standing(name, template.region, found.status, as_declared=same, why=found.why)


def destroy(
    templates: Mapping[str, Template], settings: Aws, stacks: Stacks, note: Note
) -> dict[str, int]:
    """Delete every stack, last made first, with its buckets and keys, and look for what is left.

    Refused before anything is touched while a version in a bucket is still locked. A second call
    goes on where one broke off. Returns how many versions were deleted by bucket. Raises
    CloudRefused, naming what is left, when something is.
    """
    account = stacks.account()
    _refuse_while_locked(templates, account, stacks)
    removed: dict[str, int] = {}
    for name, template in reversed(list(templates.items())):
        for bucket in _named(template, "AWS::S3::Bucket", "BucketName", account):
            removed[bucket] = stacks.remove_bucket(bucket, template.region)
            note(f"{bucket}: {removed[bucket]} versions deleted")
        for alias in _named(template, "AWS::KMS::Alias", "AliasName", account):
            when = stacks.end_key(alias, template.region)
            note(f"{alias}: its key ends on {when:%Y-%m-%d}" if when else f"{alias}: gone")
        full = stack_name(settings, name)
        stacks.delete(full, template.region, note)
        note(f"{full}: gone")
    regions = sorted({t.region for t in templates.values()})
    left = [f"{x} ({r})" for r in regions for x in stacks.left(settings.prefix, r)]
    if left:
        hint = "made by hand, or by an older template: remove each and run again"
        raise CloudRefused(f"not everything is gone: {'; '.join(left)}", hint=hint)
    return removed


def _refuse_while_locked(templates: Mapping[str, Template], account: str, stacks: Stacks) -> None:
    for template in templates.values():
        for bucket in _named(template, "AWS::S3::Bucket", "BucketName", account):
            until = stacks.locked_until(bucket, template.region)
            if until is not None:
                told = f"versions are locked until {until:%Y-%m-%d %H:%M} UTC; nothing was deleted"
                hint = "wait until then; a compliance lock can be lifted by nobody"
                raise CloudRefused(told, where=bucket, hint=hint)


def _named(template: Template, kind: str, key: str, account: str) -> list[str]:
    """The names of a template's resources of a kind, in an account."""
    names = []
    for resource in template.resources.values():
        if resource["Type"] == kind:
            named = resource["Properties"][key]
            text: str = named["Fn::Sub"] if isinstance(named, dict) else named
            filled = text.replace("${AWS::AccountId}", account)
            names.append(filled.replace("${AWS::Region}", template.region))
    return names


def _values(name: str, template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters a template asks for. Raises UsageError for one that nobody gave."""
    values = {}
    for parameter, declared in template.parameters.items():
        if given.get(parameter):
            values[parameter] = given[parameter]
        elif "Default" not in declared:
            told = f"the stack {name} needs {parameter}: {declared['Description']}"
            raise UsageError(told, hint=f"--parameter {parameter}=VALUE, or in [aws]")
    return values
