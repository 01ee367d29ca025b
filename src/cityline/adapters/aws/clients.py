"""Clients of AWS's services; credentials and endpoint as every AWS program finds them."""

from __future__ import annotations

import threading
from typing import Any

from cityline.adapters.aws.answers import cloud_errors

_ATTEMPTS = 6
"""How often botocore asks before it gives up: it waits longer each time when AWS is asked too
often."""


def client(service: str, region: str) -> Any:
    """A client of a service in a region; what may pass is asked again a few times.

    Raises MissingExtra without boto3, CloudSignIn without credentials.
    """
    with cloud_errors(f"{service} in {region}"):
        import boto3  # noqa: PLC0415 - an extra, and heavy
        from botocore.config import Config  # noqa: PLC0415

        retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
        patience = Config(connect_timeout=5, read_timeout=60, retries=retries)
        return boto3.Session().client(service, region_name=region, config=patience)


def account(region: str) -> str:
    """The number of the account whose credentials are used."""
    with cloud_errors(f"the account, asked in {region}"):
        told: str = client("sts", region).get_caller_identity()["Account"]
        return told


class Clients:
    """One client for each service and region, made when it is first asked."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str, region: str) -> Any:
        """The client."""
        with self._lock:
            key = service, region
            if key not in self._made:
                self._made[key] = client(service, region)
            return self._made[key]
