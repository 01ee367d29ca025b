"""The committed templates, read as a reader of the repository would."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from cityline.deploy.estate import Estate
from cityline.deploy.render import render
from cityline.deploy.template import Template
from cityline.wiring import open_estate
from tests.conftest import ROOT

CITY = ROOT / "cities" / "vancouver"
TEMPLATES = CITY / "templates" / "aws"
Bodies = dict[str, dict[str, Any]]


def committed() -> Bodies:
    """Every template by its stack."""
    order = json.loads((TEMPLATES / "order.json").read_text(encoding="utf-8"))
    return {
        entry["stack"]: json.loads((TEMPLATES / f"{entry['stack']}.json").read_text("utf-8"))
        for entry in order
    }


_READ = committed()


@pytest.fixture
def bodies() -> Bodies:
    """The committed templates, a copy to be changed."""
    return copy.deepcopy(_READ)


@pytest.fixture(scope="session")
def estate() -> Estate:
    """Vancouver on AWS."""
    return open_estate(CITY)


@pytest.fixture(scope="session")
def rendered(estate: Estate) -> dict[str, Template]:
    """Its templates."""
    return render(estate)
