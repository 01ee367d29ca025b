"""The static site: stacks that are made before its distribution are told of it by the same command."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cityline.adapters.aws.stacks import CloudFormation
from tests.aws.emulator import ACCOUNT, Emulator
from tests.aws.test_smoke_deploys import (
    BILLING,
    HOME,
    City,
    as_deployer,  # noqa: F401 - fixtures by name
    city,  # noqa: F401
)

pytestmark = pytest.mark.aws


@pytest.mark.timeout(900)
def test_stacks_before_the_static_site_are_told_of_it(
    as_deployer: Emulator,  # noqa: F811
    city: Callable[[str], City],  # noqa: F811
) -> None:
    aws, mine = as_deployer, city("smoke-static")
    mine.change("[aws]\n", '[aws]\nsite = "static"\n')
    only = [f"--only={s}" for s in ("keys", "storage", "static-site")]
    certificate = f"--parameter=CertificateArn=arn:aws:acm:{BILLING}:{ACCOUNT}:certificate/x"
    before = [f"--only={s}" for s in ("replica-keys", "replica", "machines", "evidence")]
    code, told, said = mine("apply", certificate, *before, *only)
    assert code == 0, said
    (arn,) = (s["SiteDistributionArn"] for s in told["stacks"] if "SiteDistributionArn" in s)
    for stack in ("keys", "storage"):
        assert f"smoke-static-{stack}: told SiteDistributionArn" in said
        cloud = aws.client("cloudformation", HOME)
        stands = cloud.describe_stacks(StackName=f"smoke-static-{stack}")["Stacks"][0]
        told = {p["ParameterKey"]: p["ParameterValue"] for p in stands["Parameters"]}
        assert told == {"SiteDistributionArn": arn}
    site = f"smoke-static-site-{ACCOUNT}-{HOME}"
    policy = json.loads(aws.client("s3").get_bucket_policy(Bucket=site)["Policy"])
    (reads,) = (s for s in policy["Statement"] if s["Sid"] == "DistributionReads")
    assert reads["Condition"] == {"StringEquals": {"aws:SourceArn": arn}}
    code, told, said = mine("apply", certificate, *only)
    assert (code, told["changes"]) == (0, 0), said
    code, told, said = mine("apply", certificate, "--parameter=Domain=new.example", *only)
    assert code == 0, said
    stands = CloudFormation().find("smoke-static-static-site", BILLING)
    assert stands is not None
    assert stands.parameters["Domain"] == "new.example", "a parameter alone is a change too"
