"""The static site as an alternative to a server: CloudFront before the site's bucket.

The bucket is at home and private; only this distribution may read it, once the stacks of keys and
of storage, which come before it, have been told its ARN.
"""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import BILLING_REGION, Estate
from cityline.deploy.naming import ACCOUNT, sub
from cityline.deploy.policies.statements import Statement, statement
from cityline.deploy.stacks.keys import add_own_key
from cityline.deploy.stacks.publish import add_firewall
from cityline.deploy.template import Template, att, ref

_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
"""AWS's managed cache policy of that name."""

_TWO_YEARS = 63_072_000


def build(estate: Estate) -> Template:
    """Distribution, its firewall, and the headers every answer carries."""
    template = estate.template("the static site by CloudFront", BILLING_REGION)
    domain = template.parameter("Domain", "The name readers type")
    says = "ARN of its certificate in us-east-1"
    certificate = template.parameter(
        "CertificateArn", says, AllowedPattern="arn:aws:acm:us-east-1:.+"
    )
    key = add_own_key(template, estate, "Logs of the firewall", _log_groups())
    add_firewall(template, estate, "CLOUDFRONT", att(key))
    control = {
        "Name": f"{estate.settings.prefix}-site",
        "OriginAccessControlOriginType": "s3",
        "SigningBehavior": "always",
        "SigningProtocol": "sigv4",
    }
    template.add(
        "Access", "CloudFront::OriginAccessControl", {"OriginAccessControlConfig": control}
    )
    _headers(template, estate)
    described = _distribution(estate, domain, certificate)
    template.add(
        "Distribution",
        "CloudFront::Distribution",
        {"DistributionConfig": described, "Tags": template.labels()},
    )
    arn = "arn:aws:cloudfront::${AWS::AccountId}:distribution/${Distribution}"
    template.output(
        "SiteDistributionArn", sub(arn), says="Told to the stacks of keys and of storage"
    )
    template.output("DistributionDomain", att("Distribution", "DomainName"))
    return template


def _log_groups() -> Statement:
    """CloudWatch Logs may use the key for the firewall's log."""
    writing = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
    groups = f"arn:aws:logs:{BILLING_REGION}:{ACCOUNT}:log-group:aws-waf-logs-*"
    return statement(
        "LogGroups", "Allow", writing, ["*"],
        principal={"Service": f"logs.{BILLING_REGION}.amazonaws.com"},
        condition={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
    )  # fmt: skip


def _distribution(estate: Estate, domain: Any, certificate: Any) -> dict[str, Any]:
    """TLS 1.2 or newer, the bucket's current release, and the firewall before it."""
    region = estate.settings.home_region
    origin = {
        "DomainName": sub(f"{estate.names.bucket(AccessZone.SITE)}.s3.{region}.amazonaws.com"),
        "Id": "site",
        "OriginAccessControlId": ref("Access"),
        "OriginPath": "/site/current",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }
    behaviour = {
        "AllowedMethods": ["GET", "HEAD"],
        "CachePolicyId": _CACHING_OPTIMIZED,
        "Compress": True,
        "ResponseHeadersPolicyId": ref("Headers"),
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "redirect-to-https",
    }
    return {
        "Aliases": [domain],
        "Comment": estate.folder.city.title,
        "DefaultCacheBehavior": behaviour,
        "DefaultRootObject": "index.html",
        "Enabled": True,
        "HttpVersion": "http2and3",
        "Origins": [origin],
        "PriceClass": "PriceClass_100",
        "ViewerCertificate": {
            "AcmCertificateArn": certificate,
            "MinimumProtocolVersion": "TLSv1.2_2021",
            "SslSupportMethod": "sni-only",
        },
        "WebACLId": att("Firewall"),
    }


def _headers(template: Template, estate: Estate) -> None:
    always = {"Override": True}
    described = {
        "Name": f"{estate.settings.prefix}-site",
        "SecurityHeadersConfig": {
            "ContentTypeOptions": always,
            "FrameOptions": {**always, "FrameOption": "DENY"},
            "ReferrerPolicy": {**always, "ReferrerPolicy": "same-origin"},
            "StrictTransportSecurity": {
                **always,
                "AccessControlMaxAgeSec": _TWO_YEARS,
                "IncludeSubdomains": True,
            },
        },
    }
    template.add(
        "Headers", "CloudFront::ResponseHeadersPolicy", {"ResponseHeadersPolicyConfig": described}
    )
