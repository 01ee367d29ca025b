"""Templates without what the emulator cannot make."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from typing import Any

from cityline.deploy.template import Template

_NONE = "the emulator's CloudFormation does not make it"
_NO_SERVICE = "the emulator has no such service"

UNSUPPORTED: Mapping[str, str] = {
    "AWS::AccessAnalyzer::Analyzer": _NO_SERVICE,
    "AWS::Athena::NamedQuery": _NONE,
    "AWS::Budgets::Budget": _NONE,
    "AWS::CloudTrail::Trail": _NONE,
    "AWS::DataBrew::Dataset": _NO_SERVICE,
    "AWS::DataBrew::Job": _NO_SERVICE,
    "AWS::DataBrew::Recipe": _NO_SERVICE,
    "AWS::DataBrew::Ruleset": _NO_SERVICE,
    "AWS::DataBrew::Schedule": _NO_SERVICE,
    "AWS::EC2::FlowLog": _NONE,
    "AWS::EC2::SecurityGroupEgress": _NONE,
    "AWS::EC2::SecurityGroupIngress": _NONE,
    "AWS::Glue::DataCatalogEncryptionSettings": _NONE,
    "AWS::Glue::DataQualityRuleset": _NONE,
    "AWS::Glue::SecurityConfiguration": _NONE,
    "AWS::WAFv2::LoggingConfiguration": _NONE,
    "AWS::WAFv2::WebACLAssociation": _NONE,
}
"""Resource types left out → why. A test fails as soon as the emulator makes one of them."""


def supported(template: Template) -> Template:
    """The same template without them, and without what names them."""
    made = copy.deepcopy(template)
    gone = {n for n, r in made.resources.items() if r["Type"] in UNSUPPORTED}
    kept = {n: r for n, r in made.resources.items() if n not in gone}
    made.resources = _without(kept, gone)
    for resource in made.resources.values():
        if "DependsOn" in resource:
            resource["DependsOn"] = [x for x in resource["DependsOn"] if x not in gone]
    made.outputs = _without(made.outputs, gone)
    if not made.resources:  # a stack of nothing is no template
        made.resources["Nothing"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    return made


def _without(value: Any, gone: Collection[str]) -> Any:
    """References to what is left out become a text."""
    if isinstance(value, Mapping):
        match value:
            case {"Ref": str(name)} if name in gone:
                return f"left-out-{name}"
            case {"Fn::GetAtt": [str(name), _]} if name in gone:
                return f"left-out-{name}"
        return {k: _without(v, gone) for k, v in value.items()}
    return [_without(v, gone) for v in value] if isinstance(value, list) else value
