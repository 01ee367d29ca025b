"""The network of the web server: a way in by the load balancer, no way out but to AWS itself."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.naming import ACCOUNT, DEFAULT_GROUP
from cityline.deploy.policies.statements import document, statement
from cityline.deploy.template import Template, att, ref

_ZONES = ("a", "b")
_ENDPOINTS = ("ssm", "ssmmessages", "logs", "kms", "glue", "sts", "cloudformation")
"""What the instance asks besides S3: sessions instead of SSH, its log, keys, the catalogue, and
whose account it is in, which is in the buckets' names. CloudFormation it tells whether it serves;
that is signed with the instance's own identity document, so no role needs a right for it."""

_YEAR = 365


def add_network(template: Template, estate: Estate) -> list[str]:
    """VPC, two public and two private subnets, endpoints, and a record of every flow. Returns the
    names of the endpoints."""
    vpc = {
        "CidrBlock": estate.settings.vpc_cidr,
        "EnableDnsHostnames": True,
        "EnableDnsSupport": True,
        "Tags": _named(template, "vpc"),
    }
    template.add("Vpc", "EC2::VPC", vpc)
    says = "Nothing is in it; deploying takes its rules out, which no template can"
    template.output(DEFAULT_GROUP, att("Vpc", "DefaultSecurityGroup"), says=says)
    template.add("Gateway", "EC2::InternetGateway", {"Tags": _named(template, "gateway")})
    attached = {"InternetGatewayId": ref("Gateway"), "VpcId": ref("Vpc")}
    template.add("GatewayAttachment", "EC2::VPCGatewayAttachment", attached)
    _subnets(template, estate)
    route = {
        "DestinationCidrBlock": "0.0.0.0/0",
        "GatewayId": ref("Gateway"),
        "RouteTableId": ref("PublicRoutes"),
    }
    template.add("PublicRoute", "EC2::Route", route, after=["GatewayAttachment"])
    _groups(template, estate)
    endpoints = _endpoints(template, estate)
    _flows(template, estate)
    return endpoints


def _named(template: Template, name: str) -> list[dict[str, str]]:
    told = f"{template.tags['cityline']}-{name}"
    return [*template.labels(), {"Key": "Name", "Value": told}]


def _subnets(template: Template, estate: Estate) -> None:
    """Nothing in a subnet gets a public address by itself; private ones have no route outside."""
    network = ip_network(estate.settings.vpc_cidr)
    blocks = iter([str(n) for n in network.subnets(new_prefix=network.prefixlen + 2)])
    for kind in ("Public", "Private"):
        routes = f"{kind}Routes"
        tags = _named(template, f"{kind.lower()}-routes")
        template.add(routes, "EC2::RouteTable", {"Tags": tags, "VpcId": ref("Vpc")})
        for at, zone in enumerate(_ZONES):
            subnet = f"{kind}{zone.upper()}"
            described = {
                "AvailabilityZone": {"Fn::Select": [at, {"Fn::GetAZs": ""}]},
                "CidrBlock": next(blocks),
                "MapPublicIpOnLaunch": False,
                "Tags": _named(template, f"{kind.lower()}-{zone}"),
                "VpcId": ref("Vpc"),
            }
            template.add(subnet, "EC2::Subnet", described)
            joined = {"RouteTableId": ref(routes), "SubnetId": ref(subnet)}
            template.add(f"{subnet}Routes", "EC2::SubnetRouteTableAssociation", joined)


def _groups(template: Template, estate: Estate) -> None:
    """Readers reach the balancer, the balancer the server, the server AWS's endpoints."""
    for name, says in (
        ("Balancer", "the load balancer"),
        ("Server", "the web server"),
        ("Endpoint", "the endpoints of AWS"),
    ):
        described = {
            "GroupDescription": f"Who reaches {says}",
            "Tags": _named(template, name.lower()),
            "VpcId": ref("Vpc"),
        }
        template.add(f"{name}Group", "EC2::SecurityGroup", described)
    everybody = {"CidrIp": "0.0.0.0/0"}
    for name, port, says in (("Https", 443, "Readers"), ("Http", 80, "Sent on to HTTPS")):
        _rule(template, name, "Ingress", "Balancer", port, {**everybody, "Description": says})
    for one, other, port in (("Balancer", "Server", 8310), ("Server", "Endpoint", 443)):
        _between(template, one, other, port)
    lists = {
        "DestinationPrefixListId": ref("S3PrefixList"),
        "Description": "To S3 through its gateway",
    }
    says = "The region's prefix list of S3: aws ec2 describe-managed-prefix-lists"
    template.parameter("S3PrefixList", says, AllowedPattern="pl-[0-9a-f]+")
    _rule(template, "ServerToS3", "Egress", "Server", 443, lists)
    inside = {"CidrIp": estate.settings.vpc_cidr, "Description": "None but the network itself"}
    _rule(template, "EndpointOut", "Egress", "Endpoint", 443, inside)


def _between(template: Template, one: str, other: str, port: int) -> None:
    out = {
        "DestinationSecurityGroupId": att(f"{other}Group", "GroupId"),
        "Description": f"To {other}",
    }
    into = {"SourceSecurityGroupId": att(f"{one}Group", "GroupId"), "Description": f"From {one}"}
    _rule(template, f"{one}To{other}", "Egress", one, port, out)
    _rule(template, f"{other}From{one}", "Ingress", other, port, into)


def _rule(
    template: Template, name: str, way: str, group: str, port: int, with_whom: dict[str, Any]
) -> None:
    described = {
        **with_whom,
        "FromPort": port,
        "GroupId": att(f"{group}Group", "GroupId"),
        "IpProtocol": "tcp",
        "ToPort": port,
    }
    template.add(f"{name}{way}", f"EC2::SecurityGroup{way}", described)


def _endpoints(template: Template, estate: Estate) -> list[str]:
    region = estate.settings.home_region
    zones = (AccessZone.SITE, AccessZone.CURATED, AccessZone.CODE)
    own = [arn for z in zones for arn in (estate.names.bucket_arn(z), estate.names.objects_arn(z))]
    packages = [f"arn:aws:s3:::al2023-repos-{region}-de612dc2/*"]
    reading = ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:GetBucketLocation"]
    ours = {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}
    through = document(
        [
            statement("Zones", "Allow", reading, own, principal="*", condition=ours),
            statement("Packages", "Allow", ["s3:GetObject"], packages, principal="*"),
        ]
    )
    gateway = {
        "PolicyDocument": through,
        "RouteTableIds": [ref("PrivateRoutes")],
        "ServiceName": f"com.amazonaws.{region}.s3",
        "VpcEndpointType": "Gateway",
        "VpcId": ref("Vpc"),
    }
    made = [template.add("S3Endpoint", "EC2::VPCEndpoint", gateway)]
    for service in _ENDPOINTS:
        interface = {
            "PrivateDnsEnabled": True,
            "SecurityGroupIds": [att("EndpointGroup", "GroupId")],
            "ServiceName": f"com.amazonaws.{region}.{service}",
            "SubnetIds": [ref("PrivateA")],
            "VpcEndpointType": "Interface",
            "VpcId": ref("Vpc"),
        }
        made.append(template.add(f"{service.capitalize()}Endpoint", "EC2::VPCEndpoint", interface))
    return made


def _flows(template: Template, estate: Estate) -> None:
    """Every flow, accepted or not, for a year; the role can write there and nowhere else."""
    names = estate.names
    group = names.log_group("flows")
    described = {
        "KmsKeyId": names.key_import(AccessZone.LOG),
        "LogGroupName": group,
        "RetentionInDays": _YEAR,
        "Tags": template.labels(),
    }
    template.add("FlowLogs", "Logs::LogGroup", described)
    writing = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
    on = [names.log_group_arn(f"{group}:*")]
    policy = {
        "Description": "Writes the record of flows",
        "ManagedPolicyName": names.policy("flows", "logs"),
        "PolicyDocument": document([statement("Flows", "Allow", writing, on)]),
    }
    template.add("FlowsPolicy", "IAM::ManagedPolicy", policy)
    source = f"arn:aws:ec2:{estate.settings.home_region}:{ACCOUNT}:vpc-flow-log/*"
    trusted = statement("ByFlowLogs", "Allow", ["sts:AssumeRole"], [], principal={"Service": "vpc-flow-logs.amazonaws.com"}, condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": source}})  # fmt: skip  # noqa: E501
    del trusted["Resource"]
    role = {
        "AssumeRolePolicyDocument": document([trusted]),
        "Description": "Writes the record of flows",
        "ManagedPolicyArns": [ref("FlowsPolicy")],
        "RoleName": names.role("flows"),
        "Tags": template.labels(),
    }
    template.add("FlowsRole", "IAM::Role", role)
    flow = {
        "DeliverLogsPermissionArn": att("FlowsRole"),
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": ref("FlowLogs"),
        "ResourceId": ref("Vpc"),
        "ResourceType": "VPC",
        "Tags": template.labels(),
        "TrafficType": "ALL",
    }
    template.add("Flows", "EC2::FlowLog", flow)
