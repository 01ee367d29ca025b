"""Policies to try: Vancouver's own, and a city with more to protect."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import Access, AccessZone
from cityline.declarations.folder import read_folder
from cityline.declarations.reading import parse
from cityline.declarations.retention import Retention
from tests.conftest import ROOT

_FOLDER = read_folder(ROOT / "cities" / "vancouver")
assert _FOLDER.access is not None
assert _FOLDER.retention is not None
VANCOUVER: Access = _FOLDER.access
KEPT: Retention = _FOLDER.retention


def access(**changes: Any) -> Access:
    """Vancouver's policy with whole keys replaced."""
    return parse(Access, VANCOUVER.model_dump(mode="json") | changes, "policies/access.toml")


def retention(**changes: Any) -> Retention:
    """Vancouver's retention with whole keys replaced."""
    data = KEPT.model_dump(mode="json", by_alias=True) | changes
    return parse(Retention, data, "policies/retention.toml")


def careful() -> Access:
    """Personal and internal datasets, grants of one dataset, a denial for one role."""
    plain = VANCOUVER.model_dump(mode="json")
    grants = [
        *plain["grants"],
        {"role": "analyst", "verbs": ["read"], "zones": ["landing"],
         "datasets": ["inquiry-volume"], "why": "One dataset is looked into while it is new."},
        {"role": "operator", "verbs": ["read"], "zones": ["curated"], "classes": ["public"],
         "why": "Only what is public anyway, for a smoke test."},
    ]  # fmt: skip
    denials = [
        *plain["denials"],
        {"roles": ["analyst", "structure"], "verbs": ["read"], "zones": ["curated", "landing"],
         "datasets": ["payroll"], "why": "Under review until the assessment is done."},
    ]  # fmt: skip
    datasets = plain["datasets"] | {"service-requests": "personal", "payroll": "internal"}
    return access(grants=grants, denials=denials, datasets=datasets, tests=[])


CAREFUL_READERS = {AccessZone.LANDING: {"analyst"}, AccessZone.CURATED: {"operator"}}
"""Who reads tables there, and does not in Vancouver."""

SIGN_IN = {"analyst": ["CityAnalyst", "City.Reader"], "administrator": ["CityEmergency"]}
"""Permission sets whose sessions take a role on there; in Vancouver a second factor is shown."""
