"""A real server that speaks S3, for the tests: versitygw over a folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT
from tests.ports import free_port

BUILT = ROOT / "build" / "engines" / "versitygw"
REGION = "eu-west-1"
_PATIENCE = 30.0


@dataclass
class Server:
    """A server on a port of its own; its objects outlive `kill` and are there after `start`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    keys: Mapping[str, str] = field(
        default_factory=lambda: {
            "AWS_ACCESS_KEY_ID": "cityline-root",
            "AWS_SECRET_ACCESS_KEY": "cityline-root-secret",
        }
    )

    @property
    def endpoint(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        places = {name: self.folder / name for name in ("objects", "versions", "users")}
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = [
                   BUILT, "--port", f"127.0.0.1:{self.port}", "--region", REGION, "--quiet",
                   "--iam-dir", places["users"], "--iam-cache-disable", "--health", "/health",
                   "posix", "--versioning-dir", places["versions"], places["objects"]]  # fmt: skip
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **self._root()}
            )
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.endpoint}/health", timeout=1)  # noqa: S310
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
            else:
                return
        told = (self.folder / "server.log").read_text("utf-8")[-2000:]
        raise RuntimeError(f"versitygw did not start: {told}")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def pause(self) -> None:
        """It takes connections and never answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it was."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def client(self, keys: Mapping[str, str] | None = None) -> Any:
        """A client with the root's keys, or those of a user."""
        import boto3  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415

        keys = keys or self.keys
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )

    def bucket(self, name: str) -> str:
        """Make a bucket that keeps versions."""
        client = self.client()
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def user(self, name: str) -> dict[str, str]:
        """Make a user who may do nothing yet; returns the keys as environment variables."""
        secret = f"{name}-secret"
        subprocess.run(
            [BUILT, "admin", "--endpoint-url", self.endpoint, "create-user",
             "--access", name, "--secret", secret, "--role", "user"],
            check=True, capture_output=True,
            env={**os.environ, "ADMIN_ACCESS_KEY_ID": self.keys["AWS_ACCESS_KEY_ID"],
                 "ADMIN_SECRET_ACCESS_KEY": self.keys["AWS_SECRET_ACCESS_KEY"],
                 "ADMIN_ACCESS_KEY": self.keys["AWS_ACCESS_KEY_ID"],
                 "ADMIN_SECRET_KEY": self.keys["AWS_SECRET_ACCESS_KEY"], "ADMIN_REGION": REGION},
        )  # fmt: skip
        return {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": secret}

    def policy(self, bucket: str, user: str, *, allow: list[str], deny: list[str]) -> None:
        """What a user may and may not do in a bucket."""
        places = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        told = [
            {"Effect": effect, "Principal": {"AWS": [user]}, "Action": actions, "Resource": places}
            for effect, actions in (("Allow", allow), ("Deny", deny))
            if actions
        ]
        text = json.dumps({"Version": "2012-10-17", "Statement": told})
        self.client().put_bucket_policy(Bucket=bucket, Policy=text)

    def _root(self) -> dict[str, str]:
        return {
            "ROOT_ACCESS_KEY": self.keys["AWS_ACCESS_KEY_ID"],
            "ROOT_SECRET_KEY": self.keys["AWS_SECRET_ACCESS_KEY"],
        }


@contextmanager
def s3_server(folder: Path) -> Iterator[Server]:
    """A server that lives as long as the context."""
    server = Server(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()
