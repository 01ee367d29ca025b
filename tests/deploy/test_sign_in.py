"""Who may sign in as a role that people take on: with a second factor shown to IAM, or as a permission
set that the environment names; a trust with neither is found in whatever template."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cityline.declarations.environment import Environment
from cityline.declarations.folder import Folder, read_folder
from cityline.declarations.reading import parse
from cityline.deploy.checks import check
from cityline.deploy.estate import Estate
from cityline.deploy.render import STACKS
from cityline.errors import DeclarationError
from cityline.flow.checking import policies
from tests.deploy.conftest import CITY, Bodies

_NAMED = {"analyst": ["CityAnalyst"], "administrator": ["CityEmergency"]}
_PATH = "arn:aws:iam::${AWS::AccountId}:role/aws-reserved/sso.amazonaws.com*"


def folder(**sign_in: list[str]) -> Folder:
    """Vancouver with permission sets named."""
    plain = read_folder(CITY, "aws")
    told = plain.environment.model_dump(mode="json")
    told["aws"]["sign_in"] = sign_in
    return replace(plain, environment=parse(Environment, told, "environments/aws.toml"))


@pytest.fixture
def signed(bodies: Bodies) -> Bodies:
    """The committed templates, but for people who sign in as a permission set."""
    return bodies | {"people": STACKS["people"](Estate(folder(**_NAMED), {})).body()}


def trust(bodies: Bodies, role: str) -> list[dict[str, Any]]:
    """The statements of a role's trust."""
    role_of = bodies["people"]["Resources"][f"{role}Role"]["Properties"]
    found: list[dict[str, Any]] = role_of["AssumeRolePolicyDocument"]["Statement"]
    return found


def test_without_a_name_a_second_factor_is_the_only_way(bodies: Bodies) -> None:
    for role in ("Analyst", "Operator", "PrivacyOfficer", "Auditor", "Administrator"):
        (one,) = trust(bodies, role)
        assert one["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}


def test_a_named_set_is_another_way_for_its_role_alone(signed: Bodies, bodies: Bodies) -> None:
    for role, named in (("Analyst", "CityAnalyst"), ("Administrator", "CityEmergency")):
        first, second = trust(signed, role)
        assert first == trust(bodies, role)[0]
        arn = {"Fn::Sub": f"{_PATH}/AWSReservedSSO_{named}_????????????????"}
        assert second["Condition"] == {"ArnLike": {"aws:PrincipalArn": [arn]}}
    assert trust(signed, "Operator") == trust(bodies, "Operator")
    assert check(signed) == []


def _arn(text: str) -> Callable[[dict[str, Any]], None]:
    return lambda s: s.update(Condition={"ArnLike": {"aws:PrincipalArn": [{"Fn::Sub": text}]}})


_WEAKER: dict[str, Callable[[dict[str, Any]], None]] = {
    "no condition": lambda s: s.pop("Condition"),
    "no principal": lambda s: s.update(Condition={"ArnLike": {"aws:PrincipalArn": []}}),
    "every role": _arn("arn:aws:iam::${AWS::AccountId}:role/*"),
    "every permission set": _arn(f"{_PATH}/AWSReservedSSO_*"),
    "sets with a longer name": _arn(f"{_PATH}/AWSReservedSSO_CityAnalyst_*"),
    "another account": _arn(
        f"{_PATH}/AWSReservedSSO_CityAnalyst_????????????????".replace("${AWS::AccountId}", "*")
    ),
    "a role of that name elsewhere": _arn(
        "arn:aws:iam::${AWS::AccountId}:role/AWSReservedSSO_CityAnalyst_????????????????"
    ),
    "another comparison": lambda s: s.update(Condition={"ArnNotLike": s["Condition"]["ArnLike"]}),
}


@pytest.mark.parametrize("weaker", _WEAKER)
def test_a_trust_with_neither_is_found(weaker: str, signed: Bodies) -> None:
    spoilt = copy.deepcopy(signed)
    _WEAKER[weaker](trust(spoilt, "Analyst")[1])
    assert "second-factors" in {f.check for f in check(spoilt)}


def test_only_a_role_of_people_is_signed_in_as() -> None:
    (told,) = policies(folder(server=["CityServer"]))
    assert (told.file, told.key) == ("environments/aws.toml", "aws.sign_in.server")
    with pytest.raises(DeclarationError):
        folder(analyst=["City/*"])
