"""The way through the CDK: a difference is told, and a missing CDK is named. The synthesis itself is
run by `make check-aws`, because the CDK and Node are not among what tests need."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from cityline.deploy.cdk import _difference, synthesise
from cityline.errors import MissingExtra

KEY = {"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True, "Tags": ["b", "a"]}}


@pytest.mark.skipif(find_spec("aws_cdk") is not None, reason="the CDK is installed here")
def test_without_the_cdk_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra) as caught:
        synthesise({}, tmp_path)
    assert caught.value.hint == "pip install 'cityline[deploy]'"


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"Type": "AWS::KMS::Key", "Properties": {"EnableKeyRotation": True}}, "Tags: lost"),
        ({**KEY, "Metadata": {}}, "Metadata: added"),
        (
            {**KEY, "Properties": {"EnableKeyRotation": False, "Tags": ["a", "b"]}},
            "EnableKeyRotation: True became False",
        ),
        ({**KEY, "Properties": {"EnableKeyRotation": True, "Tags": ["a"]}}, "became ['a']"),
    ],
)
def test_what_the_cdk_changes_is_told(found: dict[str, Any], told: str) -> None:
    assert told in _difference(KEY, found, "Key")


def test_the_order_of_tags_and_the_kind_of_a_number_do_not_matter() -> None:
    found = {"Type": KEY["Type"], "Properties": {"EnableKeyRotation": True, "Tags": ["a", "b"]}}
    assert _difference(KEY, found, "Key") == ""
    assert _difference({"Threshold": 300.0}, {"Threshold": 300}, "Alarm") == ""
