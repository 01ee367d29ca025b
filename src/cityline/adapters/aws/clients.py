"""A client for one of AWS's services; credentials and endpoint as every AWS program finds them."""

from __future__ import annotations

from typing import Any

from cityline.adapters.aws.answers import cloud_errors


def client(service: str, region: str) -> Any:
    """A client of a service in a region; what may pass is asked again a few times.

    Raises MissingExtra without boto3, CloudSignIn without credentials.
    """
    with cloud_errors(f"{service} in {region}"):
        import boto3  # noqa: PLC0415 - an extra, and heavy
        from botocore.config import Config  # noqa: PLC0415

        patience = Config(
            connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 5}
        )
        return boto3.Session().client(service, region_name=region, config=patience)


def account(region: str) -> str:
    """The number of the account whose credentials are used."""
    with cloud_errors(f"the account, asked in {region}"):
        told: str = client("sts", region).get_caller_identity()["Account"]
        return told
