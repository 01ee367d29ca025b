"""Templates as they will be in an account: for tools that cannot follow an import or a `Fn::Sub`.

Only names are filled in: what another stack exports, the account, the region, parameters, and the
bucket a policy is for. References within a template stay, because the tools do follow those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

ACCOUNT = "111122223333"
"""AWS's own number for examples."""

_SAMPLES = {
    "AlarmEmail": "alarms@city.example",
    "CertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/sample",
    "Domain": "data.city.example",
    "S3PrefixList": "pl-00000000",
}
_PLACE = re.compile(r"\$\{([^}!]+)\}")


def resolved(
    templates: Mapping[str, Mapping[str, Any]], regions: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """The templates of all stacks with their names filled in."""
    exports = {
        output["Export"]["Name"]: _key_arn(regions[stack], output["Value"]["Fn::GetAtt"][0])
        for stack, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    return {
        stack: _Filler(template, regions[stack], exports).template()
        for stack, template in templates.items()
    }


def _key_arn(region: str, name: str) -> str:
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{name}"


class _Filler:
    def __init__(
        self, template: Mapping[str, Any], region: str, exports: Mapping[str, str]
    ) -> None:
        self._template = template
        self._exports = exports
        self._words = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": region,
            "AWS::Partition": "aws",
            **{
                name: str(told.get("Default", _SAMPLES.get(name, "sample")))
                for name, told in template.get("Parameters", {}).items()
            },
        }

    def template(self) -> dict[str, Any]:
        filled: dict[str, Any] = self._fill(dict(self._template))
        for body in filled["Resources"].values():
            if body["Type"] == "AWS::S3::BucketPolicy":
                bucket = body["Properties"]["Bucket"]["Ref"]
                body["Properties"]["Bucket"] = filled["Resources"][bucket]["Properties"][
                    "BucketName"
                ]
        outputs = filled.get("Outputs", {}).values()
        for output in outputs:
            output.pop("Export", None)
        return filled

    def _fill(self, value: Any) -> Any:
        match value:
            case {"Fn::ImportValue": str(name)}:
                return self._exports[name]
            case {"Ref": str(name)} if name in self._words:
                return self._words[name]
            case {"Fn::Sub": str(pattern)}:
                return self._sub(pattern)
            case dict():
                return {k: self._fill(v) for k, v in value.items()}
            case list():
                return [self._fill(v) for v in value]
            case _:
                return value

    def _sub(self, pattern: str) -> Any:
        """The text; a `Fn::Sub` still, where a resource of the template is named in it."""
        filled = _PLACE.sub(lambda m: self._words.get(m[1], m[0]), pattern)
        return {"Fn::Sub": filled} if _PLACE.search(filled) else filled.replace("${!", "${")
