"""Jobs that really run: the emulator starts each as a process of its own, which does what the
job's script does, with the keys of the job's declared role and nothing else.

The emulator runs a job of kind `glueetl` only in a container, so here they are of kind
`pythonshell`; it gives a script its arguments by the environment, which a shim puts back in order.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cityline import wiring
from cityline.cli import job
from cityline.cli.program import run
from cityline.declarations.access import AccessZone
from cityline.declarations.folder import read_folder
from cityline.deploy.code import pieces
from cityline.deploy.jobs import WAY, part_of
from cityline.errors import ExitCode
from tests.aws.emulator import ROOT
from tests.aws.standing import Standing

_SHIM = """
import json, os, sys
told = json.load(open({told!r}))
given = ("stage", "city", "environment", "run", "portal", "accept")
argv = [x for name in given if os.environ.get(name) for x in ("--" + name, os.environ[name])]
os.execve({python!r}, [{python!r}, {script!r}, *argv], {{**told[os.environ["stage"]]}})
"""


def publish(standing: Standing, work: Path, portal: str) -> None:
    """Run the whole way there once, as the operator. The environment `cloud` beside `aws` is as a
    city is declared: Spark in the jobs, and questions asked of Athena in a workgroup."""
    settings = standing.root / "environments" / "aws.toml"
    declared = settings.read_text(encoding="utf-8")
    declared = declared.replace('engine = "duckdb"', 'engine = "spark"')
    declared = declared.replace('questions = "duckdb"', 'questions = "athena"')
    settings.with_name("cloud.toml").write_text(declared, encoding="utf-8")
    standing.folder = read_folder(standing.root, "aws")
    place = f"s3://{standing.bucket(AccessZone.RESULTS)}/analysis/"
    standing.emulator.client("athena").create_work_group(
        Name=standing.names.workgroup("analysis"),
        Configuration={"ResultConfiguration": {"OutputLocation": place}},
    )
    with_jobs(standing, work)
    told = ["--env", "aws", "--city", str(standing.root), "--home", str(work / "operator")]
    way = wiring.open_way
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "open_way", lambda folder: replace(way(folder), pause=0.2))
        standing.act(patch, "operator")
        assert run(["run", *told, "--portal", portal]) == ExitCode.OK


def put_code(standing: Standing) -> str:
    """Put the script and the city's declarations into the code bucket; returns the city's URI."""
    code = standing.bucket(AccessZone.CODE)
    keys = {}
    for piece in pieces(standing.folder, None):
        standing.emulator.client("s3").put_object(Bucket=code, Key=piece.key, Body=piece.data)
        keys[piece.parameter] = piece.key
    return f"s3://{code}/{keys['CityKey']}"


def with_jobs(standing: Standing, work: Path) -> None:
    """Put the code where the templates say and make the jobs as they say, but for their kind."""
    city = put_code(standing)
    shim = work / "shim.py"
    told = work / "told.json"
    environments = {part_of(r): _environment(standing, r, work) for r in WAY}
    told.write_text(json.dumps(environments), encoding="utf-8")
    script = str(Path(job.__file__))
    shim.write_text(
        _SHIM.format(told=str(told), python=sys.executable, script=script), encoding="utf-8"
    )
    for role in WAY:
        make_job(
            standing,
            role,
            shim,
            {
                "--stage": part_of(role),
                "--city": city,
                "--environment": "aws",
            },
        )


def make_job(standing: Standing, role: str, script: Path, arguments: Mapping[str, str]) -> None:
    """A job as the emulator can run it."""
    described: dict[str, Any] = {
        "Name": standing.names.job(role),
        "Role": standing.names.role(role),
        "Command": {"Name": "pythonshell", "ScriptLocation": str(script)},
        "DefaultArguments": dict(arguments),
        "Timeout": 600,
    }
    standing.emulator.client("glue").create_job(**described)


def _environment(standing: Standing, role: str, work: Path) -> dict[str, str]:
    home = work / f"home-{role}"
    home.mkdir(exist_ok=True)
    return {
        **standing.environment(standing.role(role)),
        "AWS_DEFAULT_REGION": "ca-central-1",
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONWARNINGS": "ignore",
        "LANG": "C.UTF-8",
    }
