"""`cityline deploy aws apply` puts what the jobs run into its bucket, under its hash, and the jobs
are told; what nobody gives again stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cityline.cli.program import run
from tests.aws.emulator import ACCOUNT, Emulator
from tests.aws.test_smoke_deploys import City, as_deployer, city  # noqa: F401 - fixtures by name
from tests.unit.deploy.test_code import wheels

pytestmark = [pytest.mark.aws, pytest.mark.timeout(600)]

ONLY = [x for name in ("keys", "machines", "storage", "catalogue") for x in ("--only", name)]


def test_code_is_put_up_and_the_jobs_are_told(
    city: Callable[[str], City],  # noqa: F811
    aws: Emulator,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = city("code-city")

    def apply(*more: str) -> dict[str, Any]:
        capsys.readouterr()
        asked = ["deploy", "aws", "apply", "--json", "--yes", "--env", "aws"]
        code = run([*asked, "--city", str(made.folder), *ONLY, *more])
        out, err = capsys.readouterr()
        assert code == 0, err
        told: dict[str, Any] = json.loads(out)["data"]
        return told

    def job() -> dict[str, str]:
        found = aws.client("glue").get_job(JobName="code-city-prepare")["Job"]
        told: dict[str, str] = {
            **found["DefaultArguments"],
            "script": found["Command"]["ScriptLocation"],
        }
        return told

    bucket = f"code-city-code-{ACCOUNT}-ca-central-1"

    def there() -> set[str]:
        found = aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", ())
        return {f"s3://{bucket}/{o['Key']}" for o in found}

    first = wheels(tmp_path / "one", "cityline-1-py3-none-any.whl")
    apply("--wheels", str(first))
    told = job()
    assert {told["script"], told["--city"], told["--additional-python-modules"]} == there()
    assert apply("--wheels", str(first))["changes"] == 0
    assert apply()["changes"] == 0, "wheels that are not given again stay"
    made.change("glue_minutes = 60", "glue_minutes = 61")
    apply()
    after = job()
    assert after["--city"] != told["--city"]
    assert after["--additional-python-modules"] == told["--additional-python-modules"]
    other = wheels(tmp_path / "two", "cityline-2-py3-none-any.whl")
    apply("--wheels", str(other))
    assert job()["--additional-python-modules"] != told["--additional-python-modules"]
    assert len(there()) == 5
