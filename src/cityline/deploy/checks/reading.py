"""Reading templates: resources of all stacks, and intrinsics as the text they will become.

What is known only in an account stays as `${AWS::AccountId}` and the like, so that two spellings
of one name are equal texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

Templates: TypeAlias = Mapping[str, Mapping[str, Any]]
"""Templates by the stack's short name, e.g. `storage`."""

_NAMED = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::%s"),
    "AWS::IAM::Role": ("RoleName", "arn:aws:iam::${AWS::AccountId}:role/%s"),
    "AWS::IAM::ManagedPolicy": (
        "ManagedPolicyName",
        "arn:aws:iam::${AWS::AccountId}:policy/%s",
    ),
    "AWS::SNS::Topic": (
        "TopicName",
        "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:%s",
    ),
    "AWS::Logs::LogGroup": (
        "LogGroupName",
        "arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:%s:*",
    ),
    "AWS::Glue::Job": ("Name", "%s"),
    "AWS::Glue::SecurityConfiguration": ("Name", "%s"),
    "AWS::Athena::WorkGroup": ("Name", "%s"),
    "AWS::DataBrew::Dataset": (
        "Name",
        "arn:aws:databrew:${AWS::Region}:${AWS::AccountId}:dataset/%s",
    ),
    "AWS::DataBrew::Recipe": ("Name", "%s"),
    "AWS::DataBrew::Job": ("Name", "%s"),
    "AWS::DataBrew::Ruleset": (
        "Name",
        "arn:aws:databrew:${AWS::Region}:${AWS::AccountId}:ruleset/%s",
    ),
    "AWS::KMS::Alias": ("AliasName", "%s"),
}
_INTRINSICS = {"Ref", "Fn::GetAtt", "Fn::Join", "Fn::Sub", "Fn::ImportValue"}
_REGION = re.compile(r"(arn:aws:\w+:)[a-z]{2}-[a-z]+-\d:")
_PLACE = re.compile(r"\$\{([^}!]+)\}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong: which check says so, where, and what."""

    check: str
    stack: str
    resource: str
    what: str

    def __str__(self) -> str:
        return f"{self.check}: {self.stack}/{self.resource}: {self.what}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one stack."""

    stack: str
    id: str
    type: str
    properties: Mapping[str, Any]
    whole: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """What lies at a dotted path of the properties, or the default."""
        found: Any = self.properties
        for part in path.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return default
            found = found[part]
        return found

    def fault(self, check: str, what: str) -> Finding:
        """A finding about this resource."""
        return Finding(check, self.stack, self.id, what)


class Stacks:
    """All templates, read once."""

    def __init__(self, templates: Templates) -> None:
        self.templates = templates

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource of every stack."""
        return tuple(
            Resource(stack, name, body.get("Type", ""), body.get("Properties", {}), body)
            for stack, template in self.templates.items()
            for name, body in template.get("Resources", {}).items()
        )

    @cached_property
    def exports(self) -> Mapping[str, tuple[str, str]]:
        """What stacks export, by the export's name: the stack, and the value as text."""
        return {
            self.text(stack, output["Export"]["Name"]): (stack, self.text(stack, output["Value"]))
            for stack, template in self.templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }

    def of(self, *types: str) -> Iterator[Resource]:
        """Resources of these types, without the prefix `AWS::`."""
        wanted = {f"AWS::{t}" for t in types}
        return (r for r in self.resources if r.type in wanted)

    def names(self, kind: str) -> set[str]:
        """The names given to resources of a type, as text."""
        key = _NAMED[f"AWS::{kind}"][0]
        return {self.text(r.stack, r.properties.get(key, "")) for r in self.of(kind)}

    def named(self, kind: str, name: str) -> Resource | None:
        """The resource of a type with this name or ARN."""
        key, arn = _NAMED[f"AWS::{kind}"]
        name = _REGION.sub(r"\1${AWS::Region}:", name)
        for resource in self.of(kind):
            own = self.text(resource.stack, resource.properties.get(key, ""))
            if name in {own, arn.replace("%s", own)}:
                return resource
        return None

    def key(self, stack: str, value: Any) -> Resource | None:
        """The key whose ARN a value is, of the same stack or of the one that exports it."""
        if isinstance(value, Mapping) and "Fn::ImportValue" in value:
            stack = self.exports.get(self.text(stack, value["Fn::ImportValue"]), ("", ""))[0]
        told = self.text(stack, value)
        keys = (k for k in self.of("KMS::Key") if k.stack == stack)
        return next((k for k in keys if told == f"${{{k.id}.Arn}}"), None)

    def text(self, stack: str, value: Any) -> str:
        """A value as the text it becomes. Lists and objects are JSON."""
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return self._ref(stack, name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(stack, name, attribute)
            case {"Fn::Join": [str(glue), list(parts)]}:
                return glue.join(self.text(stack, p) for p in parts)
            case {"Fn::Sub": str(pattern)}:
                return _PLACE.sub(lambda m: self._place(stack, m[1]), pattern)
            case {"Fn::ImportValue": name}:
                return self.exports.get(self.text(stack, name), ("", f"${{no export {name}}}"))[1]
            case _:
                return json.dumps(self.plain(stack, value), ensure_ascii=False)

    def plain(self, stack: str, value: Any) -> Any:
        """A value with every intrinsic inside it replaced by its text."""
        if isinstance(value, Mapping):
            if len(value) == 1 and next(iter(value)) in _INTRINSICS:
                return self.text(stack, value)
            return {k: self.plain(stack, v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.plain(stack, v) for v in value]
        return value

    def resolved(self, resource: Resource) -> Mapping[str, Any]:
        """A resource's properties as plain data."""
        found: Mapping[str, Any] = self.plain(resource.stack, resource.properties)
        return found

    def _place(self, stack: str, name: str) -> str:
        if name.startswith("AWS::"):
            return "${" + name + "}"
        head, _, attribute = name.partition(".")
        return self._attribute(stack, head, attribute) if attribute else self._ref(stack, head)

    def _resource(self, stack: str, name: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.templates[stack].get("Resources", {}).get(name)
        return found

    def _ref(self, stack: str, name: str) -> str:
        body = self._resource(stack, name)
        known = _NAMED.get(body["Type"]) if body else None
        if body is None or known is None or known[0] not in body.get("Properties", {}):
            return "${" + name + "}"
        own = self.text(stack, body["Properties"][known[0]])
        if body["Type"] in {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}:
            return known[1].replace("%s", own)
        return own

    def _attribute(self, stack: str, name: str, attribute: str) -> str:
        body = self._resource(stack, name)
        known = _NAMED.get(body["Type"]) if body else None
        if body is None or known is None or attribute not in {"Arn", "TopicArn"}:
            return "${" + f"{name}.{attribute}" + "}"
        if known[0] not in body.get("Properties", {}):
            return "${" + f"{name}.{attribute}" + "}"
        return known[1].replace("%s", self.text(stack, body["Properties"][known[0]]))
