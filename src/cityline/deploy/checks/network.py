"""The network: nobody reaches the server but through TLS, and it reaches nothing but AWS."""

from __future__ import annotations

from collections.abc import Iterator

from cityline.deploy.checks.reading import Finding, Stacks
from cityline.deploy.naming import DEFAULT_GROUP

_WORLD = ("0.0.0.0/0", "::/0")
_OPEN_PORTS = {80, 443}
_SAFE_TLS = frozenset(
    {
        "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "ELBSecurityPolicy-TLS13-1-3-2021-06",
        "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "ELBSecurityPolicy-TLS13-1-2-PQ-2025-09",
    }
)
_ENDPOINTS = {"s3", "ssm", "ssmmessages", "logs", "kms", "glue", "sts", "cloudformation"}


def open_ports(stacks: Stacks) -> Iterator[Finding]:
    """The world reaches 443 of the load balancer, and 80 to be sent on; nothing else, and SSH
    never."""
    fronts = {
        (balancer.stack, str(group))
        for balancer in stacks.of("ElasticLoadBalancingV2::LoadBalancer")
        for group in balancer.get("SecurityGroups", [])
    }
    for rule in stacks.of("EC2::SecurityGroupIngress"):
        world = rule.get("CidrIp") in _WORLD or rule.get("CidrIpv6") in _WORLD
        ports = set(range(int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65535)) + 1))
        front = (rule.stack, str(rule.get("GroupId"))) in fronts
        if world and (ports - _OPEN_PORTS or not front):
            yield rule.fault("open-ports", "open to the world")
        if 22 in ports or 3389 in ports or rule.get("IpProtocol") != "tcp":  # noqa: PLR2004 - SSH, RDP
            yield rule.fault("open-ports", "a way in for administrators; use sessions instead")
    for group in stacks.of("EC2::SecurityGroup"):
        for rule in group.get("SecurityGroupIngress", []):
            if rule.get("CidrIp") in _WORLD:
                yield group.fault("open-ports", "open to the world")
    for rule in stacks.of("EC2::SecurityGroupEgress"):
        if rule.get("CidrIp") in _WORLD:
            yield rule.fault("open-ports", "it may call anybody")


def public_addresses(stacks: Stacks) -> Iterator[Finding]:
    """No instance and no subnet has public addresses; private subnets have no way out."""
    for subnet in stacks.of("EC2::Subnet"):
        if subnet.get("MapPublicIpOnLaunch") is not False:
            yield subnet.fault("public-addresses", "it gives public addresses")
    for launch in stacks.of("EC2::LaunchTemplate"):
        for interface in launch.get("LaunchTemplateData.NetworkInterfaces", [{}]):
            if interface.get("AssociatePublicIpAddress") is not False:
                yield launch.fault("public-addresses", "the instance has a public address")
        if launch.get("LaunchTemplateData.KeyName"):
            yield launch.fault("public-addresses", "a key pair for SSH")
    for route in stacks.of("EC2::Route"):
        table = route.get("RouteTableId", {}).get("Ref", "")
        if "Private" in table and route.get("DestinationCidrBlock") in _WORLD:
            yield route.fault("public-addresses", "a private subnet has a way out")


def instances(stacks: Stacks) -> Iterator[Finding]:
    """Metadata by token only and one hop away; disks encrypted."""
    for launch in stacks.of("EC2::LaunchTemplate"):
        metadata = launch.get("LaunchTemplateData.MetadataOptions", {})
        if metadata.get("HttpTokens") != "required":
            yield launch.fault("instances", "metadata without a token")
        if metadata.get("HttpPutResponseHopLimit") != 1:
            yield launch.fault("instances", "metadata from more than one hop away")
        for disk in launch.get("LaunchTemplateData.BlockDeviceMappings", [{}]):
            if disk.get("Ebs", {}).get("Encrypted") is not True:
                yield launch.fault("instances", "a disk is not encrypted")


def listeners(stacks: Stacks) -> Iterator[Finding]:
    """HTTPS by TLS 1.2 or newer with a certificate; plain HTTP is only sent on."""
    for listener in stacks.of("ElasticLoadBalancingV2::Listener"):
        if listener.get("Protocol") == "HTTPS":
            if listener.get("SslPolicy") not in _SAFE_TLS:
                yield listener.fault("listeners", f"{listener.get('SslPolicy')} is too old")
            if not listener.get("Certificates"):
                yield listener.fault("listeners", "no certificate")
        elif any(a.get("Type") != "redirect" for a in listener.get("DefaultActions", [{}])):
            yield listener.fault("listeners", "it answers plain HTTP")
    for balancer in stacks.of("ElasticLoadBalancingV2::LoadBalancer"):
        spoken = {
            listener.get("Protocol")
            for listener in stacks.of("ElasticLoadBalancingV2::Listener")
            if listener.get("LoadBalancerArn") == {"Ref": balancer.id}
        }
        for protocol in ("HTTP", "HTTPS"):
            if protocol not in spoken:
                yield balancer.fault("listeners", f"nobody answers {protocol}")
        wanted = {
            "access_logs.s3.enabled": "true",
            "deletion_protection.enabled": "true",
            "routing.http.drop_invalid_header_fields.enabled": "true",
        }
        told = {a["Key"]: a["Value"] for a in balancer.get("LoadBalancerAttributes", [])}
        for key, value in wanted.items():
            if told.get(key) != value:
                yield balancer.fault("listeners", f"{key} is not {value}")
        if told.get("routing.http.desync_mitigation_mode") not in {"strictest", "defensive"}:
            yield balancer.fault("listeners", "requests may be smuggled")
        joined = [a for a in stacks.of("WAFv2::WebACLAssociation") if a.stack == balancer.stack]
        if not joined:
            yield balancer.fault("listeners", "no firewall before it")


def default_groups(stacks: Stacks) -> Iterator[Finding]:
    """A network's default group is told by its stack, so that deploying closes it."""
    for vpc in stacks.of("EC2::VPC"):
        told = stacks.templates[vpc.stack].get("Outputs", {}).get(DEFAULT_GROUP, {})
        if told.get("Value") != {"Fn::GetAtt": [vpc.id, "DefaultSecurityGroup"]}:
            yield vpc.fault("default-groups", "its default group is not told, so it stays open")


def flow_logs(stacks: Stacks) -> Iterator[Finding]:
    """Every flow of every network is recorded."""
    for vpc in stacks.of("EC2::VPC"):
        logged = [
            f
            for f in stacks.of("EC2::FlowLog")
            if f.stack == vpc.stack and f.get("ResourceId") == {"Ref": vpc.id}
        ]
        if not any(f.get("TrafficType") == "ALL" for f in logged):
            yield vpc.fault("flow-logs", "flows are not recorded")


def endpoints(stacks: Stacks) -> Iterator[Finding]:
    """The server reaches what it needs of AWS without leaving the network."""
    for vpc in stacks.of("EC2::VPC"):
        found = {
            str(stacks.text(e.stack, e.get("ServiceName", ""))).rpartition(".")[2]
            for e in stacks.of("EC2::VPCEndpoint")
            if e.stack == vpc.stack
        }
        for service in sorted(_ENDPOINTS - found):
            yield vpc.fault("endpoints", f"no endpoint of {service}")
