"""Nothing is deployed where the city's data may not lie, or by a policy that fails its own tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cityline.cli.program import run
from cityline.deploy import deploying
from cityline.deploy.render import render
from cityline.errors import DeclarationError, ExitCode, UsageError
from cityline.wiring import open_estate
from tests.conftest import copy_vancouver

_PLACES = "environments/aws.toml"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """Vancouver, to be changed."""
    return copy_vancouver(tmp_path / "vancouver", whole=True)


def change(city: Path, file: str, old: str, new: str) -> None:
    text = (city / file).read_text(encoding="utf-8")
    assert old in text
    (city / file).write_text(text.replace(old, new), encoding="utf-8")


def test_a_copy_outside_the_allowed_regions_is_refused(city: Path) -> None:
    change(city, _PLACES, '"ca-west-1"', '"us-east-1"')
    with pytest.raises(DeclarationError) as told:
        open_estate(city)
    problem = told.value.problems[0]
    assert (problem.file, problem.key) == (_PLACES, "aws.replica_region")
    assert "us-east-1" in problem.what
    assert "ca-central-1, ca-west-1" in problem.hint


def test_personal_data_abroad_needs_a_recorded_assessment(city: Path) -> None:
    change(city, _PLACES, '"ca-west-1"', '"us-east-1"')
    allowed = 'allowed = ["ca-central-1", "ca-west-1"]'
    abroad = allowed.replace("]", ', "us-east-1"]')
    change(city, "policies/retention.toml", allowed, abroad)
    open_estate(city)  # nothing personal is declared
    change(city, "policies/access.toml", 'inquiry-volume = "public"', 'inquiry-volume = "personal"')
    with pytest.raises(DeclarationError) as told:
        open_estate(city)
    told_of = [p for p in told.value.problems if p.key == "aws.replica_region"]
    assert told_of
    assert "inquiry-volume" in told_of[0].what


@pytest.mark.parametrize("verb", ["plan", "apply", "destroy"])
def test_the_command_says_so_and_touches_nothing(
    city: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(city, _PLACES, '"ca-central-1"', '"us-west-2"')
    sure = [] if verb == "plan" else ["--yes"]
    assert run(["deploy", "aws", verb, "--city", str(city), *sure]) == ExitCode.USAGE
    assert "home_region" in capsys.readouterr().err


def test_a_policy_that_fails_its_own_test_is_not_deployed(city: Path) -> None:
    change(city, "policies/access.toml", 'who = "server"\nverb = "read"\nzone = "raw"\nexpect = "denied"',
           'who = "server"\nverb = "read"\nzone = "raw"\nexpect = "allowed"')  # fmt: skip
    with pytest.raises(DeclarationError):
        open_estate(city)


def test_a_certificate_of_another_region_is_refused_before_anything_is_made(city: Path) -> None:
    estate = open_estate(city)
    chosen = deploying.selected(render(estate), estate.settings, ("publish",))
    elsewhere = "arn:aws:acm:us-east-1:123456789012:certificate/x"
    given = {"CertificateArn": elsewhere, "S3PrefixList": "pl-1", "Domain": "311.example.ca"}
    untouched: Any = object()  # anything asked of the account would be an AttributeError
    with pytest.raises(UsageError) as told:
        deploying.apply(chosen, estate.settings, given, untouched, print)
    assert elsewhere in told.value.what
    assert "arn:aws:acm:ca-central-1:" in told.value.what
    assert told.value.where == "publish: CertificateArn"
    assert "in this region" in told.value.hint
