"""The fourteen event kinds that the CIS AWS Foundations Benchmark wants an alarm for, and ours.

Each is a CloudWatch Logs filter pattern over the trail; the fourteen are the benchmark's own (v3.0
and v5.0 section 4, v7.0 section 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """One kind of event: the resource's name, what it means, and the pattern that finds it."""

    name: str
    says: str
    pattern: str


def _any(*names: str) -> str:
    return " || ".join(f"($.eventName = {name})" for name in names)


def _of(service: str, *names: str) -> str:
    return f"{{ ($.eventSource = {service}.amazonaws.com) && ({_any(*names)}) }}"


WATCHES = (
    Watch(
        "UnauthorizedCalls",
        "Calls that were refused",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    ),
    Watch(
        "SignInWithoutMfa",
        "A console sign-in without a second factor",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") '
        '&& ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
    ),
    Watch(
        "RootUse",
        "The root account was used",
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS '
        '&& $.eventType != "AwsServiceEvent" }',
    ),
    Watch(
        "IamChanges",
        "A role, user, group or policy was changed",
        "{ "
        + _any(
            "DeleteGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "PutGroupPolicy",
            "PutRolePolicy", "PutUserPolicy", "CreatePolicy", "DeletePolicy",
            "CreatePolicyVersion", "DeletePolicyVersion", "AttachRolePolicy", "DetachRolePolicy",
            "AttachUserPolicy", "DetachUserPolicy", "AttachGroupPolicy", "DetachGroupPolicy",
        )
        + " }",
    ),
    Watch(
        "TrailChanges",
        "The trail was changed or stopped",
        "{ "
        + _any("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")
        + " }",
    ),
    Watch(
        "FailedSignIns",
        "A console sign-in failed",
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    ),
    Watch(
        "KeyDeletion",
        "A key was disabled or is to be deleted",
        _of("kms", "DisableKey", "ScheduleKeyDeletion"),
    ),
    Watch(
        "BucketPolicyChanges",
        "A bucket's policy, lifecycle or replication was changed",
        _of(
            "s3", "PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle",
            "PutBucketReplication", "DeleteBucketPolicy", "DeleteBucketCors",
            "DeleteBucketLifecycle", "DeleteBucketReplication",
        ),
    ),
    Watch(
        "ConfigChanges",
        "AWS Config was changed or stopped",
        _of(
            "config", "StopConfigurationRecorder", "DeleteDeliveryChannel", "PutDeliveryChannel",
            "PutConfigurationRecorder",
        ),
    ),
    Watch(
        "SecurityGroupChanges",
        "A security group was changed",
        "{ "
        + _any(
            "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "CreateSecurityGroup",
            "DeleteSecurityGroup",
        )
        + " }",
    ),
    Watch(
        "NetworkAclChanges",
        "A network access list was changed",
        "{ "
        + _any(
            "CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl",
            "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation",
        )
        + " }",
    ),
    Watch(
        "GatewayChanges",
        "A network gateway was changed",
        "{ "
        + _any(
            "CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway",
            "CreateInternetGateway", "DeleteInternetGateway", "DetachInternetGateway",
        )
        + " }",
    ),
    Watch(
        "RouteChanges",
        "A route table was changed",
        "{ ($.eventSource = ec2.amazonaws.com) && ("
        + _any(
            "CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation",
            "DeleteRouteTable", "DeleteRoute", "DisassociateRouteTable",
        )
        + ") }",
    ),
    Watch(
        "VpcChanges",
        "A VPC was changed",
        "{ "
        + _any(
            "CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection",
            "CreateVpcPeeringConnection", "DeleteVpcPeeringConnection",
            "RejectVpcPeeringConnection", "AttachClassicLinkVpc", "DetachClassicLinkVpc",
            "DisableVpcClassicLink", "EnableVpcClassicLink",
        )
        + " }",
    ),
)  # fmt: skip


_RULES = (
    ("kms", ("PutKeyPolicy", "DisableKeyRotation")),
    ("s3", (
        "PutBucketEncryption", "DeleteBucketEncryption", "PutBucketLogging",
        "PutBucketPublicAccessBlock", "DeleteBucketPublicAccessBlock",
        "PutAccountPublicAccessBlock", "PutBucketVersioning", "PutBucketObjectLockConfiguration",
        "PutObjectLegalHold", "PutObjectRetention",
    )),
)  # fmt: skip


def emergencies(roles: Iterable[str]) -> Watch:
    """What the fourteen leave out: a role that may mend the zones' rules is taken on, and each
    rule it could change. `roles` are the names of such roles."""
    taken = " || ".join(f'($.requestParameters.roleArn = "*:role/{r}")' for r in sorted(roles))
    kinds = [f"(($.eventSource = {s}.amazonaws.com) && ({_any(*names)}))" for s, names in _RULES]
    if taken:
        kinds.append(f"(($.eventName = AssumeRole) && ({taken}))")
    says = "An emergency role was taken on, or a rule of a bucket or key was changed"
    return Watch("Emergencies", says, f"{{ {' || '.join(kinds)} }}")
