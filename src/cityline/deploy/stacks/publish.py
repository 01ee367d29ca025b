"""Publishing by `cityline serve`: an HTTPS load balancer before an instance nobody can reach."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.naming import sub
from cityline.deploy.stacks.audit import alarm_topic
from cityline.deploy.stacks.network import add_network
from cityline.deploy.template import Template, att, ref

PORT = 8310
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.3, and 1.2 with forward secrecy and authenticated ciphers only."""

_IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
_YEAR = 365
_DISK_GB = 20
_PER_ADDRESS = 2_000
"""Requests of one address in five minutes, before it is turned away."""

_PATIENCE = "PT15M"
_STARTED = {"ResourceSignal": {"Count": 1, "Timeout": _PATIENCE}}
"""The group stands once its instance has said that the server answers."""
_REPLACED = {
    "AutoScalingRollingUpdate": {
        "MaxBatchSize": 1,
        "MinInstancesInService": 1,
        "PauseTime": _PATIENCE,
        "SuspendProcesses": ["AZRebalance", "HealthCheck", "ReplaceUnhealthy", "ScheduledActions"],
        "WaitOnResourceSignals": True,
    }
}
"""Newer wheels, declarations and settings come with a new instance. The old one goes when that has
said that it answers, and stays when it says that it failed, or nothing."""

_GROUP = "Servers"
_GROUPS = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")


def build(estate: Estate) -> Template:
    """Network, load balancer with its firewall, and the server."""
    template = estate.template("the website by cityline serve")
    pattern = f"arn:aws:acm:{estate.settings.home_region}:.+"
    says = "ARN of the certificate of that name, in this region"
    certificate = template.parameter("CertificateArn", says, AllowedPattern=pattern)
    says = "Key in the code bucket of the zip of wheels the server installs (--server-wheels)"
    template.parameter("ServerWheelsKey", says)
    says = "Key in the code bucket of the zip of the city's declarations"
    template.parameter("CityKey", says, Default=f"cities/{estate.folder.root.name}.zip")
    endpoints = add_network(template, estate)
    _balancer(template, estate)
    _target(template)
    _listeners(template, certificate)
    add_firewall(template, estate, "REGIONAL", estate.names.key_import(AccessZone.LOG))
    joined = {"ResourceArn": ref("LoadBalancer"), "WebACLArn": att("Firewall")}
    template.add("FirewallAssociation", "WAFv2::WebACLAssociation", joined)
    _server(template, estate, after=["HttpsListener", *endpoints])
    template.output("LoadBalancerName", att("LoadBalancer", "LoadBalancerFullName"))
    template.output("LoadBalancerDns", att("LoadBalancer", "DNSName"), says="Point the domain here")
    return template


def _balancer(template: Template, estate: Estate) -> None:
    """Logged, hard to delete, and strict about what a request may look like."""
    attributes = {
        "access_logs.s3.bucket": sub(estate.names.bucket(AccessZone.LOG)),
        "access_logs.s3.enabled": "true",
        "access_logs.s3.prefix": "alb",
        "deletion_protection.enabled": "true",
        "routing.http.desync_mitigation_mode": "strictest",
        "routing.http.drop_invalid_header_fields.enabled": "true",
    }
    balancer = {
        "LoadBalancerAttributes": [{"Key": k, "Value": v} for k, v in attributes.items()],
        "Name": estate.settings.prefix,
        "Scheme": "internet-facing",
        "SecurityGroups": [att("BalancerGroup", "GroupId")],
        "Subnets": [ref("PublicA"), ref("PublicB")],
        "Tags": template.labels(),
        "Type": "application",
    }
    template.add(
        "LoadBalancer", "ElasticLoadBalancingV2::LoadBalancer", balancer, after=["PublicRoute"]
    )


def _target(template: Template) -> None:
    """The server behind the balancer. It is asked by its address, to which it does not answer as a
    site: its 421 says that it is well, also while nothing is published."""
    target = {
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckPath": "/",
        "HealthCheckProtocol": "HTTPS",
        "Matcher": {"HttpCode": "200,421"},
        "Port": PORT,
        "Protocol": "HTTPS",
        "Tags": template.labels(),
        "TargetType": "instance",
        "VpcId": ref("Vpc"),
    }
    template.add("Target", "ElasticLoadBalancingV2::TargetGroup", target)


def _listeners(template: Template, certificate: Any) -> None:
    """HTTPS for readers, a redirect for whoever types http."""
    forward = {"TargetGroupArn": ref("Target"), "Type": "forward"}
    secure = {
        "Certificates": [{"CertificateArn": certificate}],
        "DefaultActions": [forward],
        "LoadBalancerArn": ref("LoadBalancer"),
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": TLS_POLICY,
    }
    template.add("HttpsListener", "ElasticLoadBalancingV2::Listener", secure)
    onward = {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}
    plain = {
        "DefaultActions": [{"RedirectConfig": onward, "Type": "redirect"}],
        "LoadBalancerArn": ref("LoadBalancer"),
        "Port": 80,
        "Protocol": "HTTP",
    }
    template.add("HttpListener", "ElasticLoadBalancingV2::Listener", plain)


def add_firewall(template: Template, estate: Estate, scope: str, key: Any) -> None:
    """AWS's managed rules, and a limit per address; what it sees is logged for a year."""
    rules: list[dict[str, Any]] = [
        {
            "Action": {"Block": {}},
            "Name": "TooMany",
            "Priority": 0,
            "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": _PER_ADDRESS}},
            "VisibilityConfig": _seen("TooMany"),
        }
    ]
    for priority, group in enumerate(_GROUPS, 1):
        managed = {"ManagedRuleGroupStatement": {"Name": group, "VendorName": "AWS"}}
        rules.append(
            {
                "Name": group,
                "OverrideAction": {"None": {}},
                "Priority": priority,
                "Statement": managed,
                "VisibilityConfig": _seen(group),
            }
        )
    described = {
        "DefaultAction": {"Allow": {}},
        "Name": f"{estate.settings.prefix}-{scope.lower()}",
        "Rules": rules,
        "Scope": scope,
        "Tags": template.labels(),
        "VisibilityConfig": _seen("Firewall"),
    }
    template.add("Firewall", "WAFv2::WebACL", described)
    logs = {
        "KmsKeyId": key,
        "LogGroupName": estate.names.firewall_log_group(),
        "RetentionInDays": _YEAR,
        "Tags": template.labels(),
    }
    template.add("FirewallLogs", "Logs::LogGroup", logs)
    logging = {"LogDestinationConfigs": [att("FirewallLogs")], "ResourceArn": att("Firewall")}
    template.add("FirewallLogging", "WAFv2::LoggingConfiguration", logging)


def _seen(name: str) -> dict[str, Any]:
    return {"CloudWatchMetricsEnabled": True, "MetricName": name, "SampledRequestsEnabled": True}


def _server(template: Template, estate: Estate, after: Sequence[str]) -> None:
    """One instance, made anew when it fails, in either private subnet; made `after` what it asks
    and by which it is asked."""
    logs = {
        "KmsKeyId": estate.names.key_import(AccessZone.LOG),
        "LogGroupName": estate.names.log_group("serve"),
        "RetentionInDays": _YEAR,
        "Tags": template.labels(),
    }
    template.add("ServeLogs", "Logs::LogGroup", logs)
    profile = {"Roles": [estate.names.role("server")]}
    template.add("ServerProfile", "IAM::InstanceProfile", profile)
    _launch(template, estate)
    version = {"LaunchTemplateId": ref("Launch"), "Version": att("Launch", "LatestVersionNumber")}
    name = f"{estate.settings.prefix}-server"
    group = {
        "AutoScalingGroupName": name,
        "HealthCheckGracePeriod": 900,
        "HealthCheckType": "ELB",
        "LaunchTemplate": version,
        "MaxSize": "2",
        "MinSize": "1",
        "Tags": [{**label, "PropagateAtLaunch": True} for label in template.labels()],
        "TargetGroupARNs": [ref("Target")],
        "VPCZoneIdentifier": [ref("PrivateA"), ref("PrivateB")],
    }
    policies = {"CreationPolicy": _STARTED, "UpdatePolicy": _REPLACED}
    kind = "AutoScaling::AutoScalingGroup"
    template.add(_GROUP, kind, group, after=after, policies=policies)
    _notices(template, estate, name)


def _notices(template: Template, estate: Estate, group: str) -> None:
    """Each server that comes, goes, or fails to, is told through EventBridge: the group itself may
    send to an encrypted topic only by a role that an account may not have yet."""
    kinds = [f"EC2 Instance {what} {how}" for what in ("Launch", "Terminate")
             for how in ("Successful", "Unsuccessful")]  # fmt: skip
    pattern = {
        "detail": {"AutoScalingGroupName": [group]},
        "detail-type": kinds,
        "source": ["aws.autoscaling"],
    }
    rule = {
        "Description": "A server came, went, or failed to",
        "EventPattern": pattern,
        "State": "ENABLED",
        "Targets": [{"Arn": alarm_topic(estate), "Id": "alarms"}],
    }
    template.add("ServersRule", "Events::Rule", rule)


def _launch(template: Template, estate: Estate) -> None:
    """What an instance is: no key pair, no public address, metadata by token, disks encrypted."""
    image = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    latest = template.parameter("Image", "Amazon Linux 2023 for ARM", image, Default=_IMAGE)
    disk = {
        "DeleteOnTermination": True,
        "Encrypted": True,
        "VolumeSize": _DISK_GB,
        "VolumeType": "gp3",
    }
    interface = {
        "AssociatePublicIpAddress": False,
        "DeviceIndex": 0,
        "Groups": [att("ServerGroup", "GroupId")],
    }
    data = {
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
        "IamInstanceProfile": {"Arn": att("ServerProfile")},
        "ImageId": latest,
        "InstanceType": estate.settings.instance_type,
        "MetadataOptions": {
            "HttpEndpoint": "enabled",
            "HttpPutResponseHopLimit": 1,
            "HttpTokens": "required",
        },
        "Monitoring": {"Enabled": True},
        "NetworkInterfaces": [interface],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": template.labels()}],
        "UserData": {"Fn::Base64": sub(_start(estate))},
    }
    named = {"LaunchTemplateData": data, "LaunchTemplateName": f"{estate.settings.prefix}-server"}
    template.add("Launch", "EC2::LaunchTemplate", named)


def _start(estate: Estate) -> str:
    """What an instance does first: install our wheels, nothing else from anywhere, take the city's
    declarations, serve, and tell the stack when the server answers, or that it came to nothing."""
    names = estate.names
    collected = {
        "file_path": "/var/lib/cityline/logs/access.jsonl",
        "log_group_name": names.log_group("serve"),
    }
    agent = {"logs": {"logs_collected": {"files": {"collect_list": [collected]}}}}
    return _SCRIPT.format(
        group=_GROUP,
        wheels=f"s3://{names.bucket(AccessZone.CODE)}/${{ServerWheelsKey}}",
        city=f"s3://{names.bucket(AccessZone.CODE)}/${{CityKey}}",
        region=estate.settings.home_region,
        environment=estate.folder.environment.name,
        port=PORT,
        agent=json.dumps(agent),
    )


_SCRIPT = """\
#!/bin/bash
set -euo pipefail
trap '/opt/aws/bin/cfn-signal --exit-code $? --region {region} \
    --stack ${{AWS::StackName}} --resource {group}' EXIT
dnf install -y aws-cfn-bootstrap python3.11 python3.11-pip unzip amazon-cloudwatch-agent
useradd --system --home-dir /var/lib/cityline --create-home cityline
aws s3 cp "{wheels}" /tmp/wheels.zip
unzip -q -j /tmp/wheels.zip -d /opt/wheels
python3.11 -m venv /opt/cityline
/opt/cityline/bin/pip install --no-index --find-links /opt/wheels 'cityline[aws]'
aws s3 cp "{city}" /tmp/city.zip
/opt/cityline/bin/python -m zipfile -e /tmp/city.zip /opt/city
cat > /etc/cityline.env <<ENV
AWS_DEFAULT_REGION={region}
CITYLINE_CITY=/opt/city
CITYLINE_ENV={environment}
CITYLINE_HOME=/var/lib/cityline
ENV
cat > /etc/systemd/system/cityline.service <<'UNIT'
[Unit]
Description=Cityline
After=network-online.target
Wants=network-online.target

[Service]
User=cityline
WorkingDirectory=/var/lib/cityline
EnvironmentFile=/etc/cityline.env
ExecStart=/opt/cityline/bin/cityline serve --host 0.0.0.0 --port {port} --self-signed --behind-proxy
Restart=always
RestartSec=5
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ReadWritePaths=/var/lib/cityline
CapabilityBoundingSet=
SystemCallFilter=@system-service
MemoryMax=80%

[Install]
WantedBy=multi-user.target
UNIT
cat > /opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json <<'AGENT'
{agent}
AGENT
systemctl daemon-reload
systemctl enable --now cityline amazon-cloudwatch-agent
curl --silent --insecure --output /dev/null --retry 60 --retry-delay 5 --retry-connrefused \
    https://127.0.0.1:{port}/
"""
