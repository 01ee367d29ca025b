"""A template with a fault for every gate: one that does not find it is not working."""

from __future__ import annotations

from typing import Any

from tools.gates.findings import Finding

STACK = "canary"

TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "canary"}},
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "It's refused", "VpcId": "vpc-0123456789abcdef0"},
        },
        "Policy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Action": ["s3:GetObjekt"], "Resource": ["*"]}
                    ],
                }
            },
        },
    },
}


def sung(findings: list[Finding], voices: set[str]) -> tuple[list[Finding], list[str]]:
    """The findings without the canary's, and a fault for each gate that found nothing in it."""
    heard = {f.gate for f in findings if f.where.startswith(f"{STACK}/")}
    faults = [f"{voice} found nothing in the canary: it is not working" for voice in voices - heard]
    return [f for f in findings if not f.where.startswith(f"{STACK}/")], sorted(faults)
