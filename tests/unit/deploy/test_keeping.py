"""Lifecycle, Object Lock and names, as CloudFormation takes them."""

from __future__ import annotations

from typing import Any

import pytest

from cityline.declarations.access import AccessZone
from cityline.deploy.naming import Names, sub
from cityline.deploy.policies import (
    bucket_policy,
    lifecycle,
    object_lock,
    replicated,
    roles_of,
    session_seconds,
)
from cityline.deploy.policies.statements import document
from cityline.errors import UsageError
from tests.unit.deploy.cities import KEPT, VANCOUVER, careful, retention
from tests.unit.deploy.platform import NAMES


def rules(zone: AccessZone, access: Any = VANCOUVER, kept: Any = KEPT) -> dict[str, Any]:
    return {r["Id"]: r for r in lifecycle(access, kept, zone)["Rules"]}


@pytest.mark.parametrize("zone", AccessZone)
def test_every_rule_keeps_the_minimum_and_ends_in_order(zone: AccessZone) -> None:
    keep = KEPT.of(zone)
    assert keep is not None
    found = rules(zone)
    assert found.pop("UnfinishedUploads")["AbortIncompleteMultipartUpload"] == {
        "DaysAfterInitiation": 7
    }
    (rule,) = found.values()
    erased = rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert erased >= keep.minimum_days
    if keep.maximum_days is not None:
        assert rule["ExpirationInDays"] + erased == keep.maximum_days
    else:
        assert "ExpirationInDays" not in rule
        assert rule["ExpiredObjectDeleteMarker"] is True
    for moved in rule.get("Transitions", ()):
        assert 30 <= moved["TransitionInDays"] < rule["ExpirationInDays"]


def test_a_class_of_its_own_is_cleared_sooner_by_its_prefix() -> None:
    rule = rules(AccessZone.RAW, careful())["KeepServiceRequests"]
    assert rule["Prefix"] == "raw/service-requests/"
    assert rule["ExpirationInDays"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 731


def test_live_tables_are_never_expired_by_age() -> None:
    for zone in (AccessZone.LANDING, AccessZone.CURATED):
        assert not any("ExpirationInDays" in r for r in rules(zone, careful()).values())


def test_nothing_goes_while_a_hold_stands() -> None:
    hold = {"id": "H-1", "zone": "raw", "since": "2026-08-01", "ordered_by": "the City Solicitor",
            "why": "A claim is before the court."}  # fmt: skip
    found = rules(AccessZone.RAW, careful(), retention(holds=[hold]))
    for rule in found.values():
        assert not {"ExpirationInDays", "NoncurrentVersionExpiration"} & set(rule)
    assert "UnfinishedUploads" in found


def test_only_what_is_declared_is_locked() -> None:
    locked = {z: object_lock(KEPT, z) for z in AccessZone}
    assert {z for z, lock in locked.items() if lock} == {AccessZone.RAW, AccessZone.TRAIL}
    assert locked[AccessZone.TRAIL] == {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 366}},
    }


def test_names_fit_into_a_bucket_and_say_the_account() -> None:
    for zone in AccessZone:
        for replica in (False, True):
            name = NAMES.bucket(zone, replica=replica)
            assert len(name.replace("${AWS::AccountId}", "1" * 12)) <= 63
    longest = Names("a" * 27, "ap-southeast-1", "ap-southeast-2")
    assert len(longest.bucket(AccessZone.LANDING).replace("${AWS::AccountId}", "1" * 12)) <= 63
    assert sub(NAMES.bucket(AccessZone.RAW)) == {
        "Fn::Sub": "cityline-vancouver-raw-${AWS::AccountId}-ca-central-1"
    }
    assert sub(NAMES.role("ingest")) == "cityline-vancouver-ingest"


@pytest.mark.parametrize("prefix", ["", "Cityline", "a--b", "-a", "a_b", "a" * 28])
def test_a_prefix_that_no_bucket_may_have_is_refused(prefix: str) -> None:
    with pytest.raises(UsageError, match="cannot begin a bucket's name"):
        Names(prefix, "ca-central-1", "ca-west-1")


def test_a_copy_lies_elsewhere() -> None:
    with pytest.raises(UsageError, match="the copy would lie where the original lies"):
        Names("cityline", "ca-central-1", "ca-central-1")


def test_who_is_a_role_how_long_and_what_is_copied() -> None:
    roles = roles_of(VANCOUVER)
    assert "public" not in roles
    assert "log-delivery" not in roles
    assert session_seconds(VANCOUVER, "administrator") == 3600
    assert session_seconds(VANCOUVER, "analyst") == 4 * 3600
    assert AccessZone.TRAIL in replicated(VANCOUVER)
    assert AccessZone.LOG not in replicated(VANCOUVER)


def test_the_static_site_is_read_by_its_distribution_alone() -> None:
    arn = "arn:aws:cloudfront::1:distribution/E"
    made = bucket_policy(VANCOUVER, NAMES, AccessZone.SITE, "k", distribution=arn)
    (one,) = [s for s in made["Statement"] if s["Sid"] == "DistributionReads"]
    assert one["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert one["Condition"] == {"StringEquals": {"aws:SourceArn": arn}}


def test_an_empty_document_is_never_made() -> None:
    with pytest.raises(ValueError, match="without a statement"):
        document([])


def test_no_statement_allows_more_than_it_names() -> None:
    """No wildcard in an allowed action, and no resource wider than the platform's own."""
    from tests.unit.deploy.test_mutants import PLATFORMS  # noqa: PLC0415 - builds once

    unscoped = {
        "cloudtrail:LookupEvents", "cloudtrail:DescribeTrails", "ce:GetCostAndUsage",
        "cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData", "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    }  # fmt: skip
    for platform in PLATFORMS.values():
        for role in platform.roles:
            for document_ in platform.identity(role):
                for one in document_["Statement"]:
                    assert not any("*" in a for a in one["Action"]), one
                    if "*" in one["Resource"]:
                        assert set(one["Action"]) <= unscoped, one
