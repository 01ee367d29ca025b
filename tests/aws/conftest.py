"""The emulator for the tests of the AWS side."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.aws.emulator import PYTHON, Emulator, emulator

if TYPE_CHECKING:
    from cityline.adapters.portals.sample import SamplePortal
    from tests.aws.standing import Standing

WANTED = "make test-aws installs it"


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that enforces policies, shared by tests that keep to names of their own."""
    installed()
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield running


@pytest.fixture(scope="session")
def published(
    aws: Emulator, tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal
) -> Standing:
    """A platform on which the way was run once, shared by tests that only read."""
    from tests.aws.running import publish  # noqa: PLC0415 - heavy, and an extra
    from tests.aws.standing import stand  # noqa: PLC0415

    work = tmp_path_factory.mktemp("platform")
    made = stand(aws, work / "city", "cityline-verbs")
    publish(made, work, portal.base_url)
    return made


def installed() -> None:
    """Skip where the emulator is not installed; fail where everything must run."""
    pytest.importorskip("boto3", reason=f"Amazon's Python package is not installed: {WANTED}")
    if PYTHON.exists():
        return
    told = f"the emulator is not installed: {WANTED}"
    if "all" in (os.environ.get("CITYLINE_AWS"), os.environ.get("CITYLINE_ENGINES")):
        pytest.fail(told)
    pytest.skip(told)
