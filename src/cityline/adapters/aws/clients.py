"""Clients of AWS's services; credentials and endpoint as every AWS program finds them."""

from __future__ import annotations

import os
import threading
from typing import Any

from cityline.adapters.aws.answers import cloud_errors

_ATTEMPTS = 6
"""How often botocore asks before it gives up: it waits longer each time when AWS is asked too
often."""
_WHO = ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL")
_ROLES: dict[tuple[str, ...], dict[str, Any]] = {}
"""Roles that were taken on, until they end, by what names them in the environment."""


def client(service: str, region: str) -> Any:
    """A client of a service in a region; what may pass is asked again a few times.

    Raises MissingExtra without boto3, CloudSignIn without credentials.
    """
    with cloud_errors(f"{service} in {region}"):
        from botocore.config import Config  # noqa: PLC0415 - an extra

        retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
        patience = Config(connect_timeout=5, read_timeout=60, retries=retries)
        return session().client(service, region_name=region, config=patience)


def session() -> Any:
    """A session of this environment. The roles it takes on are those of the whole process: with
    `mfa_serial` each would ask for a code, and AWS takes a code once."""
    import boto3  # noqa: PLC0415 - an extra, and heavy
    from botocore.session import get_session  # noqa: PLC0415

    made = get_session()
    environment = tuple(os.environ.get(name, "") for name in _WHO)
    assumed = made.get_component("credential_provider").get_provider("assume-role")
    assumed.cache = _ROLES.setdefault(environment, {})
    return boto3.Session(botocore_session=made)


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
