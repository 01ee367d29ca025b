"""Storage at home: a key and a bucket for each zone of the access policy."""

from __future__ import annotations

from typing import Any

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.naming import ACCOUNT, sub
from cityline.deploy.policies import bucket_policy, key_policy, lifecycle, object_lock, replicated
from cityline.deploy.template import Template, att, ref

_CLOSED = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
_MINUTES = {"Minutes": 15}
REPLICATION_RULE = "whole"
METRICS_FILTER = "whole"


def build(estate: Estate) -> Template:
    """Keys, buckets, what they refuse, how long they keep, and where their copies go."""
    template = estate.template("keys and buckets of the zones")
    for zone in AccessZone:
        add_key(template, estate, zone)
        arn = att(f"{titled(zone)}Key")
        template.output(f"{titled(zone)}KeyArn", arn, export=estate.names.key_export(zone))
    add_bucket(template, estate, AccessZone.LOG)
    for zone in AccessZone:
        if zone is not AccessZone.LOG:
            add_bucket(template, estate, zone)
    return template


def titled(zone: AccessZone) -> str:
    """A zone as the beginning of a resource's name."""
    return zone.value.capitalize()


def add_key(template: Template, estate: Estate, zone: AccessZone, *, replica: bool = False) -> None:
    """A zone's key with its alias; rotated each year, and a month to think before it is gone."""
    policy = key_policy(estate.access, estate.names, zone, replica=replica)
    key = template.add(
        f"{titled(zone)}Key",
        "KMS::Key",
        {
            "Description": f"Zone {zone.value} of {estate.settings.prefix}",
            "EnableKeyRotation": True,
            "KeyPolicy": policy,
            "PendingWindowInDays": 30,
            "Tags": template.labels(),
        },
        keep=True,
    )
    alias = {"AliasName": estate.names.key_alias(zone), "TargetKeyId": ref(key)}
    template.add(f"{titled(zone)}Alias", "KMS::Alias", alias)


def add_bucket(
    template: Template, estate: Estate, zone: AccessZone, *, replica: bool = False
) -> None:
    """A zone's bucket and its policy."""
    properties = _properties(template, estate, zone, replica=replica)
    copied = zone in replicated(estate.access) and not replica
    if copied:
        properties["ReplicationConfiguration"] = _replication(estate, zone)
    waits = [] if zone is AccessZone.LOG else ["LogPolicy"]
    bucket = template.add(
        f"{titled(zone)}Bucket",
        "S3::Bucket",
        properties,
        after=waits,
        keep=True,
    )
    key = None if zone is AccessZone.LOG else att(f"{titled(zone)}Key")
    document = bucket_policy(estate.access, estate.names, zone, key, replica=replica)
    held = {"Bucket": ref(bucket), "PolicyDocument": document}
    template.add(f"{titled(zone)}Policy", "S3::BucketPolicy", held, keep=True)


def _properties(
    template: Template, estate: Estate, zone: AccessZone, *, replica: bool
) -> dict[str, Any]:
    names = estate.names
    found: dict[str, Any] = {
        "BucketName": sub(names.bucket(zone, replica=replica)),
        "BucketEncryption": _encryption(zone),
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
            "DestinationBucketName": ref("LogBucket"),
            "LogFilePrefix": f"s3/{zone.value}/",
        }
    return found


def _encryption(zone: AccessZone) -> dict[str, Any]:
    """The zone's own key; S3's where S3 and load balancers write their logs, which need it."""
    if zone is AccessZone.LOG:
        default: dict[str, Any] = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    else:
        default = {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {
                "KMSMasterKeyID": att(f"{titled(zone)}Key"),
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
    return {"Role": sub(names.role_arn("replication")), "Rules": [rule]}
