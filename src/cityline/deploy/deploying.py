"""Making, looking at and removing a city's stacks, in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cityline.declarations.environment import Aws
from cityline.deploy.code import Piece
from cityline.deploy.naming import DEFAULT_GROUP
from cityline.deploy.planning import stack_name
from cityline.deploy.template import Template, minified
from cityline.errors import CloudRefused, UsageError
from cityline.ports.stacks import FOR_EVER, Deployed, Leftovers, Stacks

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


@dataclass(frozen=True, slots=True)
class Code:
    """What the jobs run, and the bucket it is put into."""

    bucket: str
    region: str
    pieces: Sequence[Piece]

    def parameters(self) -> dict[str, str]:
        """The keys of the pieces, by the parameter that takes each."""
        return {p.parameter: p.key for p in self.pieces}


ALTERNATIVE = {"server": "static-site", "static": "publish"}
"""The stack that is left out, by how the site is published."""
LATER = ("quality",)
"""Stacks that name tables, which only a first run makes."""


def selected(
    templates: Mapping[str, Template], settings: Aws, only: Sequence[str] = ()
) -> dict[str, Template]:
    """The stacks to deploy, in order: those named, or all that a first deployment can make.

    Raises UsageError for a name that is no stack.
    """
    for name in only:
        if name not in templates:
            told = f"there is no stack {name!r}"
            raise UsageError(told, where="--only", hint=f"known: {', '.join(templates)}")
    left_out = () if only else (*LATER, ALTERNATIVE[settings.site])
    return {
        name: template
        for name, template in templates.items()
        if name not in left_out and (not only or name in only)
    }


def apply(
    templates: Mapping[str, Template],
    settings: Aws,
    parameters: Mapping[str, str],
    stacks: Stacks,
    note: Note,
    code: Code | None = None,
) -> list[Deployed]:
    """Create or update stacks, in order. `code` is put into its bucket before the first stack that
    names it. A parameter that nobody gives keeps the value it has; what a stack tells (its outputs)
    others take as a parameter of the same name: later ones at once, earlier ones at the end. The
    default security group of a network is closed as soon as its stack stands.

    A stack that fails stops the rest: what was made before it stands, and the next try goes on from
    there. Raises UsageError, before anything is made, for a parameter without a value or with one
    that its template does not allow; CloudError for what AWS refuses."""
    told = {o for t in templates.values() for o in t.outputs}
    given = {**(code.parameters() if code else {}), **parameters}
    for name, template in templates.items():
        _refuse_misfits(name, template, given)
    standing: dict[str, Mapping[str, str]] = {}
    for name, template in templates.items():
        before = stacks.find(stack_name(settings, name), template.region)
        standing[name] = before.parameters if before else {}
        _values(name, template, {**standing[name], **dict.fromkeys(told, "later"), **given})
    made: dict[str, Deployed] = {}
    outputs: dict[str, str] = {}
    left = list(code.pieces) if code else []
    for name, template in templates.items():
        full = stack_name(settings, name)
        if code and any(p.parameter in template.parameters for p in left):
            _put(code, left, stacks, note)
            left = []
        values = _values(name, template, {**standing[name], **outputs, **given})
        made[name] = stacks.put(full, template.region, minified(template.body()), values, note)
        outputs |= made[name].outputs
        note(f"{full}: {made[name].status}")
        _close(made[name], stacks, note)
    wanted = {**outputs, **given}
    return [_told(n, t, made[n], wanted, stacks, note) for n, t in templates.items()]


def _told(
    name: str,
    template: Template,
    stands: Deployed,
    wanted: Mapping[str, str],
    stacks: Stacks,
    note: Note,
) -> Deployed:
    """A stack once it has been told what those after it made."""
    late = _late(template, stands, wanted)
    if not late:
        return stands
    values = _values(name, template, {**stands.parameters, **late})
    note(f"{stands.name}: told {', '.join(late)}")
    return stacks.put(stands.name, template.region, minified(template.body()), values, note)


def _late(template: Template, stands: Deployed, wanted: Mapping[str, str]) -> dict[str, str]:
    """Parameters of a stack that have another value than they should have by now; but for those
    that name a parameter of Systems Manager, which AWS looks up whenever the stack is put."""
    named = {
        k: wanted[k]
        for k, declared in template.parameters.items()
        if wanted.get(k) and "AWS::SSM::" not in declared["Type"]
    }
    return {k: v for k, v in named.items() if stands.parameters.get(k) != v}


def _close(deployed: Deployed, stacks: Stacks, note: Note) -> None:
    """Take the rules out of the default group of a stack's network, which no template can."""
    group = deployed.outputs.get(DEFAULT_GROUP)
    rules = stacks.close_group(group, deployed.region) if group else 0
    if rules:
        note(f"{deployed.name}: {rules} rules taken out of the default security group {group}")


def unfinished(
    templates: Mapping[str, Template],
    settings: Aws,
    parameters: Mapping[str, str],
    stacks: Stacks,
    code: Code,
) -> bool:
    """Whether standing stacks lack what their templates do not say: a parameter's new value, what
    another stack tells, newer code, a closed default group."""
    found = {n: stacks.find(stack_name(settings, n), t.region) for n, t in templates.items()}
    standing = {n: one for n, one in found.items() if one is not None}
    outputs = {k: v for one in standing.values() for k, v in one.outputs.items()}
    wanted = {**outputs, **code.parameters(), **parameters}
    return any(
        _late(templates[n], one, wanted) or _open(one, stacks) for n, one in standing.items()
    )


def _open(deployed: Deployed, stacks: Stacks) -> int:
    """How many rules the default group of a stack's network has."""
    group = deployed.outputs.get(DEFAULT_GROUP)
    return stacks.open_rules(group, deployed.region) if group else 0


def _put(code: Code, pieces: Sequence[Piece], stacks: Stacks, note: Note) -> None:
    for piece in pieces:
        new = stacks.upload(code.bucket, piece.key, code.region, piece.data)
        note(f"{piece.key}: {'put' if new else 'there already'}")


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
    same, why = found.template == template.body(), found.why
    rules = _open(found, stacks)
    if rules:
        same, why = False, f"its default security group has {rules} rules: apply takes them out"
    return Standing(name, template.region, found.status, as_declared=same, why=why)


def destroy(
    templates: Mapping[str, Template],
    settings: Aws,
    stacks: Stacks,
    leftovers: Leftovers,
    note: Note,
) -> dict[str, int]:
    """Delete every stack, last made first, with its buckets and keys, and look for what is left.

    Refused before anything is touched while a stack is protected or somebody changes it, or a
    version in a bucket is still locked. A second call goes on where one broke off. Returns how
    many versions were deleted by bucket. Raises CloudRefused, naming what is left, when something
    is.
    """
    account = stacks.account()
    _refuse_while_held(templates, settings, stacks)
    _refuse_while_locked(templates, account, leftovers)
    removed: dict[str, int] = {}
    for name, template in reversed(list(templates.items())):
        for bucket in _named(template, "AWS::S3::Bucket", "BucketName", account):
            removed[bucket] = leftovers.remove_bucket(bucket, template.region)
            note(f"{bucket}: {removed[bucket]} versions deleted")
        for alias in _named(template, "AWS::KMS::Alias", "AliasName", account):
            when = leftovers.end_key(alias, template.region)
            note(f"{alias}: its key ends on {when:%Y-%m-%d}" if when else f"{alias}: gone")
        full = stack_name(settings, name)
        stacks.delete(full, template.region, note)
        note(f"{full}: gone")
    regions = sorted({t.region for t in templates.values()})
    left = [f"{x} ({r})" for r in regions for x in leftovers.left(settings.prefix, r)]
    if left:
        hint = "made by hand, or by an older template: remove each and run again"
        raise CloudRefused(f"not everything is gone: {'; '.join(left)}", hint=hint)
    return removed


def _refuse_while_held(templates: Mapping[str, Template], settings: Aws, stacks: Stacks) -> None:
    """CloudFormation itself would say so only when the stack's buckets are gone."""
    for name, template in templates.items():
        found = stacks.find(stack_name(settings, name), template.region)
        if found is None:
            continue
        where = f"{found.name} in {found.region}"
        if found.protected:
            told = "the stack is protected against deletion; nothing was deleted"
            named = f"--region {found.region} --stack-name {found.name}"
            hint = (
                "who protected it must lift that first: aws cloudformation "
                f"update-termination-protection --no-enable-termination-protection {named}"
            )
            raise CloudRefused(told, where=where, hint=hint)
        if found.in_motion and found.status != "DELETE_IN_PROGRESS":
            told = f"somebody is changing it ({found.status}); nothing was deleted"
            hint = "wait until it is done: cityline deploy aws status"
            raise CloudRefused(told, where=where, hint=hint)


def _refuse_while_locked(
    templates: Mapping[str, Template], account: str, leftovers: Leftovers
) -> None:
    for template in templates.values():
        for bucket in _named(template, "AWS::S3::Bucket", "BucketName", account):
            until = leftovers.locked_until(bucket, template.region)
            if until is None:
                continue
            told = f"versions are locked until {until:%Y-%m-%d %H:%M} UTC; nothing was deleted"
            hint = (
                "wait until then; a compliance lock can be lifted by nobody. What still writes "
                "makes it later: stop that first, as docs/how-to/aws.md says"
            )
            if until == FOR_EVER:
                told = "a version is on legal hold; nothing was deleted"
                hint = "who put the hold must lift it first"
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


def _refuse_misfits(name: str, template: Template, given: Mapping[str, str]) -> None:
    """Raises UsageError for a value the template's own pattern does not allow: AWS would say so
    only when it comes to that stack, with those before it made."""
    for parameter, declared in template.parameters.items():
        value, pattern = given.get(parameter, ""), declared.get("AllowedPattern", "")
        if value and pattern and not re.fullmatch(pattern, value):
            told = f"{parameter} is {value}, and the stack {name} takes {pattern}"
            raise UsageError(told, where=f"{name}: {parameter}", hint=declared["Description"])
