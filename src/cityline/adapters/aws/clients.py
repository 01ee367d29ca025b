"""Clients of AWS's services; credentials and endpoint as every AWS program finds them."""

from __future__ import annotations

import threading
from typing import Any

from cityline.adapters.aws.answers import cloud_errors

_ATTEMPTS = 6
"""How often botocore asks before it gives up: it waits longer each time when AWS is asked too
often."""


class Clients:
    """One client for each service and region, made when it is first asked."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def __call__(self, service: str, region: str) -> Any:
        """The client. Raises MissingExtra without boto3, CloudError for a broken configuration."""
        with self._lock:
            key = service, region
            if key not in self._made:
                with cloud_errors(region):
                    import boto3  # noqa: PLC0415 - an extra, and heavy
                    from botocore.config import Config  # noqa: PLC0415

                    retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
                    self._made[key] = boto3.Session().client(
                        service,
                        region_name=region,
                        config=Config(connect_timeout=10, read_timeout=60, retries=retries),
                    )
            return self._made[key]

    def account(self) -> str:
        """The number of the account whose credentials are used."""
        with cloud_errors("the account"):
            told: str = self("sts", "us-east-1").get_caller_identity()["Account"]
            return told


def client(service: str, region: str) -> Any:
    """One client, for a door that asks only once."""
    return Clients()(service, region)


def account() -> str:
    """The number of the account whose credentials are used."""
    return Clients().account()
