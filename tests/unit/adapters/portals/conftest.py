"""A sample portal per module, without its earlier faults, and a quick client for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.adapters.portals.sample import SamplePortal

QUICK = Timing(deadline=10, attempts=3, pause=0.01)


@pytest.fixture(scope="module")
def opened() -> Iterator[SamplePortal]:
    with SamplePortal(today=date(2010, 3, 15)) as portal:
        yield portal


@pytest.fixture
def sample(opened: SamplePortal) -> SamplePortal:
    opened.faults.clear()
    opened.requests.clear()
    opened.headers.clear()
    return opened


@pytest.fixture
def client(sample: SamplePortal) -> OpendatasoftPortal:
    return OpendatasoftPortal(Settings(sample.base_url, QUICK))
