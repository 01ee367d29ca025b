"""Lifecycle and Object Lock of a bucket, from the declared retention."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cityline.declarations.access import Access, AccessZone
from cityline.declarations.retention import Retention
from cityline.deploy.policies.statements import prefixes, sid
from cityline.guards.protect import Clearing, clearing

_UNFINISHED_DAYS = 7
"""When the parts of an upload that never ended are removed."""

_WARM = 90
"""From this age on things move to the archive that still answers at once, before it to IA."""


def lifecycle(access: Access, retention: Retention, zone: AccessZone) -> dict[str, Any]:
    """`LifecycleConfiguration` of a zone's bucket, and of its copy, which S3 clears by itself.

    Current objects expire `maximum - minimum` days after they were put, replaced and hidden
    versions are erased `minimum` days later. While a legal hold stands in the zone nothing expires
    or is erased in it; only unfinished uploads are cleared.
    """
    rules = [
        {
            "Id": "UnfinishedUploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _UNFINISHED_DAYS},
        }
    ]
    for line in clearing(access, retention, zone):
        rules += _rules(zone, line)
    return {"Rules": rules}


def _rules(zone: AccessZone, line: Clearing) -> Iterator[dict[str, Any]]:
    """A line as rules: one for the zone, or one for each prefix of a dataset."""
    for number, below in enumerate(prefixes(zone, line.dataset) if line.dataset else ("",)):
        name = sid("keep", line.dataset or zone, str(number) if number else "")
        rule: dict[str, Any] = {"Id": name, "Status": "Enabled"}
        if below:
            rule["Prefix"] = below
        if line.cold is not None:
            to = "GLACIER_IR" if line.cold >= _WARM else "STANDARD_IA"
            rule["Transitions"] = [{"StorageClass": to, "TransitionInDays": line.cold}]
        if line.erase is not None:
            rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": line.erase}
        if line.expire is not None:
            rule["ExpirationInDays"] = line.expire
        elif line.erase is not None:
            rule["ExpiredObjectDeleteMarker"] = True
        if len(rule) > (3 if below else 2):
            yield rule


def object_lock(retention: Retention, zone: AccessZone) -> dict[str, Any] | None:
    """`ObjectLockConfiguration` of a locked zone: the minimum holds from the moment of writing."""
    keep = retention.of(zone)
    if keep is None or keep.lock is None:
        return None
    default = {"Mode": keep.lock.upper(), "Days": keep.minimum_days}
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
