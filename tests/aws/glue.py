"""What AWS Glue does around a job's script: a fresh Python with the zip of wheels and nothing else
of ours, Spark 3.5.6 with Iceberg 1.10 and the template's own `--conf`, and the job's arguments."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cityline.adapters.spark.bucket import bucket_settings
from cityline.declarations.environment import Lake
from cityline.deploy.estate import Estate
from cityline.deploy.stacks import catalogue
from tests.aws.emulator import ACCOUNT, ROOT
from tests.aws.standing import Standing

ENGINES = ROOT / "build" / "engines"
JARS = (ENGINES / "spark-3.5", ENGINES / "glue-5.1")
SPARK = "pyspark==3.5.6"


def fresh_python(work: Path) -> Path:
    """A Python of its own, made from the zip of wheels alone, and Spark as Glue 5.1 has it."""
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "wheels.py", "--out", work],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    with zipfile.ZipFile(made.stdout.strip()) as archive:
        archive.extractall(work)
    subprocess.run(["python3.11", "-m", "venv", work / "venv"], check=True)
    python = work / "venv" / "bin" / "python"
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    wheels = work / "wheels"
    subprocess.run(
        [*pip, "--no-index", "--find-links", wheels, "-r", wheels / "requirements.txt"], check=True
    )
    subprocess.run([*pip, SPARK], check=True)
    return python


@dataclass(frozen=True)
class Runner:
    """Runs jobs of a standing platform as Glue would."""

    standing: Standing
    python: Path
    work: Path

    def __call__(self, role: str, more: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """One job, as its role. The script is the file itself, outside of the package."""
        told = catalogue.build(Estate(self.standing.folder, {})).resources
        job = next(
            r["Properties"]
            for r in told.values()
            if r["Type"] == "AWS::Glue::Job" and r["Properties"]["Name"] == self.job(role)
        )
        declared = {k: _plain(v) for k, v in job["DefaultArguments"].items()}
        script = self.work / "way.py"
        script.write_bytes((ROOT / "src" / "cityline" / "cli" / "job.py").read_bytes())
        given = {**declared, "--JOB_NAME": self.job(role), **more}
        arguments = [x for pair in given.items() for x in pair]
        home = self.work / f"home-{role}"
        home.mkdir(exist_ok=True)
        environment = self._environment(role, home, declared["--conf"])
        command = [self.python, script, *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=home
        )

    def job(self, role: str) -> str:
        """A role's job."""
        return self.standing.names.job(role)

    def _environment(self, role: str, home: Path, conf: str) -> dict[str, str]:
        return {
            **self.standing.environment(self.standing.role(role)),
            "AWS_DEFAULT_REGION": "ca-central-1",
            "AWS_REGION": "ca-central-1",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYSPARK_SUBMIT_ARGS": shlex.join(self._submit(conf)),
            "TMPDIR": str(home),
        }

    def _submit(self, conf: str) -> list[str]:
        """The template's settings, and what Glue has by itself: jars, memory, S3, endpoints."""
        endpoint = self.standing.emulator.tls
        there = Lake(
            address="s3://any-bucket", endpoint=endpoint, region="ca-central-1", path_style=True
        )
        catalog = "spark.sql.catalog.cityline"
        ssl = "-Djavax.net.ssl.trustStore"
        trust = f"{ssl}={self._trusted()} {ssl}Password=changeit"
        own = {
            **bucket_settings(there),
            f"{catalog}.client.region": "ca-central-1",
            f"{catalog}.glue.endpoint": endpoint,
            f"{catalog}.s3.endpoint": endpoint,
            f"{catalog}.s3.path-style-access": "true",
            "spark.driver.extraJavaOptions": trust,
            "spark.driver.memory": "2g",
            "spark.jars": ",".join(str(j) for folder in JARS for j in sorted(folder.glob("*.jar"))),
            "spark.master": "local[2]",
            "spark.sql.shuffle.partitions": "2",
            "spark.ui.enabled": "false",
        }
        pairs = [p.strip() for p in f" {conf}".split(" --conf ")]
        pairs += [f"{k}={v}" for k, v in own.items()]
        return [*(x for pair in pairs for x in ("--conf", pair)), "pyspark-shell"]

    def _trusted(self) -> Path:
        """The emulator's certificate as Java reads it."""
        store = self.work / "trusted.p12"
        if not store.exists():
            subprocess.run(
                ["keytool", "-importcert", "-noprompt", "-alias", "emulator", "-storetype",
                 "PKCS12", "-storepass", "changeit", "-keystore", store,
                 "-file", self.standing.emulator.certificate],
                check=True, capture_output=True,
            )  # fmt: skip
        return store


def _plain(value: object) -> str:
    text = value["Fn::Sub"] if isinstance(value, dict) else value
    return str(text).replace("${AWS::AccountId}", ACCOUNT)
