"""The emulator for the tests of the AWS side."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.aws.emulator import PYTHON, Emulator, emulator

WANTED = "make test-aws installs it"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that enforces policies, shared by tests that keep to names of their own."""
    installed()
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


def installed() -> None:
    """Skip where the emulator is not installed; fail where everything must run."""
    pytest.importorskip("boto3", reason=f"Amazon's Python package is not installed: {WANTED}")
    if PYTHON.exists():
        return
    told = f"the emulator is not installed: {WANTED}"
    if "all" in (os.environ.get("CITYLINE_AWS"), os.environ.get("CITYLINE_ENGINES")):
        pytest.fail(told)
    pytest.skip(told)
