"""The estimate of a month's charge: exact where it can be, and never a guess."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.declarations.environment import Aws, Usage
from cityline.deploy.cost import estimate
from cityline.deploy.prices import price, prices
from cityline.errors import UsageError
from cityline.lake.cost import GENERAL

AWS = Aws(prefix="cityline-test")
NOTHING = Usage(
    stored_gb=0, runs=0, databrew_runs=0, queries=0, writes=0, reads=0, logs_gb=0, readers_gb=0
)
STANDING: dict[str, list[dict[str, Any]]] = {
    "ca-central-1": [
        {"Resources": {
            "key": {"Type": "AWS::KMS::Key"},
            "front": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                      "Properties": {"Subnets": ["a", "b"]}},
            "server": {"Type": "AWS::EC2::Instance", "Properties": {
                "InstanceType": "t4g.small", "BlockDeviceMappings": [{"Ebs": {"VolumeSize": 20}}]}},
            "door": {"Type": "AWS::EC2::VPCEndpoint",
                     "Properties": {"VpcEndpointType": "Interface", "SubnetIds": ["a", "b"]}},
            "gate": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"VpcEndpointType": "Gateway"}},
        }},
    ],
    "us-east-1": [{"Resources": {"alarm": {"Type": "AWS::CloudWatch::Alarm"}}}],
}  # fmt: skip


def test_what_stands_all_month_is_counted_in_the_templates() -> None:
    bill = estimate(STANDING, AWS, NOTHING)
    # 1 key, 730 h × (0.02475 + 2 × 0.005 + 0.0184 + 2 × 0.011), 20 GB of disk, 1 alarm
    assert bill.usd == round(1.0 + 730 * (0.02475 + 0.01 + 0.0184 + 0.022) + 20 * 0.088 + 0.10, 2)


def test_a_group_of_servers_is_charged_for_each() -> None:
    group = {
        "Resources": {
            "pattern": {
                "Type": "AWS::EC2::LaunchTemplate",
                "Properties": {"LaunchTemplateData": {
                    "InstanceType": "t4g.small",
                    "BlockDeviceMappings": [{"Ebs": {"VolumeSize": 20}}]}},
            },
            "group": {"Type": "AWS::AutoScaling::AutoScalingGroup",
                      "Properties": {"MinSize": "1", "DesiredCapacity": "2"}},
        }
    }  # fmt: skip
    bill = estimate({"ca-central-1": [group]}, AWS, NOTHING)
    assert bill.usd == round(2 * (730 * 0.0184 + 20 * 0.088), 2)


def test_the_golden_bill_of_a_month_is_exact() -> None:
    usage = Usage(
        stored_gb=100, rewritten_share=0.5, runs=30, job_minutes=6, databrew_runs=2,
        databrew_minutes=30, queries=1_000_000, query_mb=3, writes=100_000, reads=1_000_000,
        logs_gb=2, readers_gb=200,
    )  # fmt: skip
    told = {line.what: round(line.usd, 2) for line in estimate({}, AWS, usage).lines}
    assert told == {
        "storage": 2.50,
        "storage of the replica": 1.38,
        "requests that write": 0.55,
        "requests that write the replica": 0.55,
        "requests that read": 0.44,
        "copies to the replica": 1.00,
        "uses of keys": 0.27,  # 11 × 10,000 uses, two of them free
        "questions (Athena)": 50.00,  # 3 MB are charged as 10
        "jobs (Glue)": 2.64,
        "profile and recipe (DataBrew)": 0.48,
        "audit trail, data events": 1.10,
        "logs": 1.10,
        "readers' downloads": 9.00,  # the first 100 GB are free
    }


def test_a_second_of_a_job_is_charged_as_a_minute() -> None:
    second, minute = (
        estimate({}, AWS, NOTHING.model_copy(update={"runs": 10, "job_minutes": m})).usd
        for m in (1 / 60, 1)
    )
    assert second == minute > 0


@pytest.mark.parametrize("row", prices().values(), ids=lambda p: f"{p.item} {p.region}")
def test_every_price_says_where_it_comes_from_and_its_tiers_meet(row: Any) -> None:
    assert row.unit
    assert row.source
    assert row.basis in ("price list", "bill", "documentation", "unverified")
    bounds = [up_to for up_to, _ in row.tiers]
    assert bounds == sorted(bounds)
    assert bounds[-1] == float("inf")
    for up_to in bounds[:-1]:
        step = row.charge(up_to + 1e-6) - row.charge(up_to)
        assert 0 <= step < 1e-5


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_is_never_cheaper(one: float, other: float) -> None:
    less, more = sorted((one, other))
    for row in prices().values():
        assert row.charge(less) <= row.charge(more) + 1e-9


def test_a_region_without_a_price_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"no price is known of s3-standard in eu-west-3") as told:
        price("s3-standard", "eu-west-3")
    assert "ca-central-1" in told.value.hint


def test_an_instance_without_a_price_is_an_error() -> None:
    template = {"Resources": {"x": {"Type": "AWS::EC2::Instance",
                                    "Properties": {"InstanceType": "p9.huge"}}}}  # fmt: skip
    with pytest.raises(UsageError, match=r"instance:p9\.huge"):
        estimate({"ca-central-1": [template]}, AWS, NOTHING)


def test_old_and_unverified_prices_are_told() -> None:
    bill = estimate(STANDING, AWS, Usage())
    assert "instance:t4g.small" in bill.unverified
    assert "s3-standard" not in bill.unverified
    assert "athena-scan" in bill.old(date(2026, 11, 28))
    assert bill.oldest == date(2020, 10, 15)


def test_the_price_of_a_query_is_one_figure_everywhere() -> None:
    row = price("athena-scan", "ca-central-1")
    assert (float(GENERAL.per_terabyte), GENERAL.date, GENERAL.basis) == (
        row.tiers[0][1], row.date, row.basis,
    )  # fmt: skip
