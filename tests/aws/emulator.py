"""The emulator as a server of its own, and clients that ask it as somebody."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "build" / "emulator-venv" / "bin" / "python"
ACCOUNT = "000000000000"
OWNER = ("test", "test", "")
"""The account's own root, whom the emulator asks no policy about."""
_PATIENCE = 120.0

Keys = tuple[str, str, str]
"""An access key, its secret, and a session's token or nothing."""


@dataclass
class Emulator:
    """A running emulator, reached over TLS at one port and over plain HTTP at another."""

    tls: str
    plain: str
    certificate: Path
    log: Path
    _clients: dict[tuple[str, str, Keys, bool], Any] = field(default_factory=dict)

    def client(
        self, service: str, region: str = "ca-central-1", keys: Keys = OWNER, *, tls: bool = True
    ) -> Any:
        """A client that asks as the holder of the keys; without any, as nobody."""
        import boto3  # noqa: PLC0415 - an extra
        from botocore import UNSIGNED  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        asked = service, region, keys, tls
        if asked not in self._clients:
            signed: dict[str, Any] = {} if keys[0] else {"signature_version": UNSIGNED}
            key, secret, token = keys
            self._clients[asked] = boto3.Session().client(
                service,
                region_name=region,
                endpoint_url=self.tls if tls else self.plain,
                verify=str(self.certificate) if tls else None,
                aws_access_key_id=key or None,
                aws_secret_access_key=secret or None,
                aws_session_token=token or None,
                config=Config(
                    retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, **signed
                ),
            )
        return self._clients[asked]

    def assume(self, role: str, *, by: Keys = OWNER) -> Keys:
        """The keys of a session of a role."""
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        told = self.client("sts", keys=by).assume_role(RoleArn=arn, RoleSessionName="matrix")
        found = told["Credentials"]
        return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


@contextmanager
def emulator(work: Path, *, auth: bool = True) -> Iterator[Emulator]:
    """A fresh emulator, with nothing in it; with `auth` it enforces every policy."""
    certificate, key = _certificate(work)
    tls, plain = free_port(), free_port()
    script = Path(__file__).with_name("serve_emulator.py")
    told = {
        "AUTH": "true" if auth else "false",
        "BIND_HOST": "127.0.0.1",
        "CLOUDTRAIL_RECORDING": "1",
        "GATEWAY_PORT": str(plain),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "S3_DATA_DIR": str(work / "s3"),
        "STATE_DIR": str(work / "state"),
        "TMPDIR": str(work),
    }
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    command = [str(x) for x in (PYTHON, script, certificate, key, tls, plain)]
    log = work / "emulator.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env={**clean, **told}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, plain, log)
        yield Emulator(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", certificate, log)
    finally:
        process.kill()  # it keeps nothing, and would wait for connections to end
        process.wait()


def _certificate(work: Path) -> tuple[Path, Path]:
    certificate, key = work / "server.crt", work / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"the emulator did not start: {log.read_text()[-2000:]}")


def everything(aws: Emulator, role: str) -> Keys:
    """The keys of a role that a careless administrator gave everything; made if it is not there."""
    iam = aws.client("iam")
    owner = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Effect": "Allow", "Principal": owner, "Action": "sts:AssumeRole"}
    whole = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trusted, policy = (
        json.dumps({"Version": "2012-10-17", "Statement": [s]}) for s in (trust, whole)
    )
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trusted)
        iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=policy)
    return aws.assume(role)
