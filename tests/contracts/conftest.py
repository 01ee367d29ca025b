"""The AWS side of the contract suites: an emulator, or a server that says what a test wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.aws.conftest import aws
from tests.aws.emulator import Emulator
from tests.aws.scripted import Script, scripted
from tests.contracts.places import place

__all__ = ["aws", "place"]

HOME = "ca-central-1"


def _asks(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Every AWS client of this process asks there, as the account's owner."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ENDPOINT_URL", endpoint)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def cloud(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, asked by every client of this process."""
    _asks(monkeypatch, aws.plain)
    return aws


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A scripted AWS, asked by every client of this process, and only once."""
    pytest.importorskip("boto3", reason="Amazon's Python package is not installed")
    with scripted() as told:
        _asks(monkeypatch, told.endpoint)
        monkeypatch.setattr("cityline.adapters.aws.clients._ATTEMPTS", 1)
        yield told
