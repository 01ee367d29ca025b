"""Storage at home: a bucket for each zone of the access policy, and where its copy goes."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.naming import ACCOUNT, sub
from cityline.deploy.policies import bucket_policy, lifecycle, object_lock, replicated
from cityline.deploy.policies.copying import roles_that_copy
from cityline.deploy.stacks.keys import titled
from cityline.deploy.template import Template, ref

_CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
_MINUTES = {"Minutes": 15}
EVIDENCE = (AccessZone.LOG, AccessZone.TRAIL)
"""Zones that tell about the others; they lie in a stack of their own, before these."""

REPLICATION_RULE = "whole"
METRICS_FILTER = "whole"


def build(estate: Estate) -> Template:
    """Buckets, what they refuse, how long they keep, and where their copies go."""
    template = estate.template("buckets of the zones")
    says = "ARN of the distribution of the static site, told after that stack stands; or none"
    distribution = template.parameter("SiteDistributionArn", says, Default="none")
    for zone in AccessZone:
        if zone not in EVIDENCE:
            reader = distribution if zone is AccessZone.SITE else None
            key = estate.names.key_import(zone)
            add_bucket(template, estate, zone, key, distribution=reader)
    return template


def add_bucket(
    template: Template,
    estate: Estate,
    zone: AccessZone,
    key: Any,
    *,
    replica: bool = False,
    distribution: Any = None,
) -> None:
    """A zone's bucket and its policy. `key` is the ARN of its key, None for S3's own."""
    properties = _properties(template, estate, zone, key, replica=replica)
    logs_here = "LogPolicy" in template.resources
    if zone in replicated(estate.access) and not replica:
        properties["ReplicationConfiguration"] = _replication(estate, zone)
    bucket = template.add(
        f"{titled(zone)}Bucket",
        "S3::Bucket",
        properties,
        after=["LogPolicy"] if logs_here else [],
        keep=True,
    )
    document = bucket_policy(
        estate.access, estate.names, zone, key, replica=replica, distribution=distribution
    )
    held = {"Bucket": ref(bucket), "PolicyDocument": document}
    template.add(f"{titled(zone)}Policy", "S3::BucketPolicy", held, keep=True)


def _properties(
    template: Template, estate: Estate, zone: AccessZone, key: Any, *, replica: bool
) -> dict[str, Any]:
    names = estate.names
    found: dict[str, Any] = {
        "BucketName": sub(names.bucket(zone, replica=replica)),
        "BucketEncryption": _encryption(key),
        "LifecycleConfiguration": lifecycle(estate.access, estate.retention, zone),
        "MetricsConfigurations": [{"Id": METRICS_FILTER}],
        "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "PublicAccessBlockConfiguration": _CLOSED,
        "Tags": [*template.labels(), {"Key": "zone", "Value": zone.value}],
        "VersioningConfiguration": {"Status": "Enabled"},
    }
    lock = object_lock(estate.retention, zone)
    if lock is not None:
        found |= {"ObjectLockEnabled": True, "ObjectLockConfiguration": lock}
    if zone is not AccessZone.LOG:
        found["LoggingConfiguration"] = {
            "DestinationBucketName": sub(names.bucket(AccessZone.LOG, replica=replica)),
            "LogFilePrefix": f"s3/{zone.value}/",
        }
    return found


def _encryption(key: Any) -> dict[str, Any]:
    """The zone's own key; S3's where S3 and load balancers write their logs, which need it."""
    if key is None:
        default: dict[str, Any] = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    else:
        default = {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {
                "KMSMasterKeyID": key,
                "SSEAlgorithm": "aws:kms",
            },
        }
    return {"ServerSideEncryptionConfiguration": [default]}


def _replication(estate: Estate, zone: AccessZone) -> dict[str, Any]:
    """Every version to the second region, within fifteen minutes, with its lag measured."""
    names = estate.names
    key = f"arn:aws:kms:{names.replica}:{ACCOUNT}:{names.key_alias(zone)}"
    destination = {
        "Account": sub(ACCOUNT),
        "Bucket": sub(names.bucket_arn(zone, replica=True)),
        "EncryptionConfiguration": {"ReplicaKmsKeyID": sub(key)},
        "Metrics": {"EventThreshold": _MINUTES, "Status": "Enabled"},
        "ReplicationTime": {"Status": "Enabled", "Time": _MINUTES},
        "StorageClass": "STANDARD_IA",
    }
    rule = {
        "DeleteMarkerReplication": {"Status": "Enabled"},
        "Destination": destination,
        "Filter": {"Prefix": ""},
        "Id": REPLICATION_RULE,
        "Priority": 1,
        "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
        "Status": "Enabled",
    }
    copying = roles_that_copy(estate.access)[0]
    return {"Role": sub(names.role_arn(copying)), "Rules": [rule]}
