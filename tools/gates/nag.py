"""Run inside the CDK's environment: its validation and cdk-nag, as findings on standard output."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cityline.deploy import cdk
from cityline.deploy.template import Template

REPORT = "validation-report.json"
_NAMES = {"CloudFormation Validate": "cdk-validate"}


def templates_of(
    bodies: Mapping[str, Mapping[str, Any]], regions: Mapping[str, str]
) -> dict[str, Template]:
    """Committed templates as they were before they were written."""
    return {
        stack: Template(
            body.get("Description", ""),
            regions[stack],
            {},
            dict(body.get("Parameters", {})),
            dict(body["Resources"]),
            dict(body.get("Outputs", {})),
        )
        for stack, body in bodies.items()
    }


def findings(out: Path) -> Iterator[dict[str, str]]:
    """What the report in a folder says."""
    path = out / REPORT
    if not path.is_file():
        return
    for report in json.loads(path.read_text(encoding="utf-8"))["pluginReports"]:
        gate = _NAMES.get(report["pluginName"], "cdk-nag")
        for found in report["violations"]:
            for construct in found["violatingConstructs"]:
                where = construct["constructPath"].removesuffix("Resource")
                yield {
                    "gate": gate,
                    "rule": found["ruleName"],
                    "where": where if "/" in where else f"{where}/-",
                    "what": found["description"].split(" - (")[0],
                }


def synthesised(templates: Mapping[str, Template], prepare: Any = None) -> list[dict[str, str]]:
    """Findings of one synthesis. It is refused when something is found, and says so by raising."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        try:
            cdk.synthesise(templates, out, prepare=prepare)
        except RuntimeError as error:  # how jsii tells of a refusal
            if not (out / REPORT).is_file():
                raise
            print(str(error).splitlines()[0], file=sys.stderr)
        return list(findings(out))


def main() -> None:
    """Judge the templates in the file that is named."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    import aws_cdk  # noqa: PLC0415 - only here
    import cdk_nag  # noqa: PLC0415

    def add(app: Any, _stacks: Any) -> None:
        packs = (cdk_nag.AwsSolutionsChecks(app), cdk_nag.NIST80053R5Checks(app))
        aws_cdk.Validations.of(app).add_plugins(*packs)

    found = synthesised(templates_of(given["committed"], given["regions"]))
    judged = synthesised(templates_of(given["resolved"], given["regions"]), add)
    found += [f for f in judged if f["gate"] == "cdk-nag"]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
