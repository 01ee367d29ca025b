"""A template as plain data: what a stack module writes, and what the CDK is given.

Properties are spelled as CloudFormation spells them, so a template can be read beside AWS's own
reference, and checked without the CDK.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

INLINE_LIMIT = 51_200
"""Bytes of a template that CloudFormation takes without a bucket."""


@dataclass(slots=True)
class Template:
    """One stack's template. `region` is where it is deployed."""

    description: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        kind: str,
        properties: Mapping[str, Any],
        *,
        after: Sequence[str] = (),
        keep: bool = False,
        policies: Mapping[str, Any] | None = None,
    ) -> str:
        """Add a resource of type `AWS::<kind>` and return its name. `after` are resources made
        before it without being named in it; `keep` leaves it in place when the stack goes,
        but not when making the stack fails; `policies` are its creation and update policies."""
        if name in self.resources:
            raise ValueError(f"two resources are called {name}")
        body: dict[str, Any] = {"Type": f"AWS::{kind}", "Properties": dict(properties)}
        if after:
            body["DependsOn"] = list(after)
        if keep:
            body |= {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
        body |= policies or {}
        self.resources[name] = body
        return name

    def parameter(self, name: str, says: str, kind: str = "String", **options: Any) -> Any:
        """Declare a parameter, with options as CloudFormation spells them, and refer to it."""
        self.parameters[name] = {"Type": kind, "Description": says, **options}
        return {"Ref": name}

    def output(self, name: str, value: Any, *, export: str = "", says: str = "") -> None:
        """Tell a value; under `export` other stacks of the region can import it."""
        told: dict[str, Any] = {"Value": value}
        if says:
            told["Description"] = says
        if export:
            told["Export"] = {"Name": export}
        self.outputs[name] = told

    def labels(self) -> list[dict[str, str]]:
        """The tags, as most resources take them."""
        return [{"Key": k, "Value": v} for k, v in sorted(self.tags.items())]

    def body(self) -> dict[str, Any]:
        """The whole template."""
        found: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self.description,
        }
        parts = (self.parameters, self.resources, self.outputs)
        for key, part in zip(("Parameters", "Resources", "Outputs"), parts, strict=True):
            if part:
                found[key] = part
        return found


def ref(name: str) -> dict[str, str]:
    """`Ref`."""
    return {"Ref": name}


def att(name: str, attribute: str = "Arn") -> dict[str, list[str]]:
    """`Fn::GetAtt`."""
    return {"Fn::GetAtt": [name, attribute]}


def minified(body: Mapping[str, Any]) -> str:
    """A template as it is committed: one line, keys in order."""
    return json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
