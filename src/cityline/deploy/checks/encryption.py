"""Encryption: keys that rotate, and jobs, catalogue and disks that use them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.deploy.checks.trust import allowing, statements

_MONTH = 30
_NO_DATA = {"billing", "static-site"}
"""Stacks whose keys encrypt messages and logs only, and may go with them."""


def keys(stacks: Stacks) -> Iterator[Finding]:
    """Keys rotate, wait a month before they are gone, have a name, and grant to services only."""
    aliased = {(a.stack, str(a.get("TargetKeyId"))) for a in stacks.of("KMS::Alias")}
    for key in stacks.of("KMS::Key"):
        if key.get("EnableKeyRotation") is not True:
            yield key.fault("keys", "it does not rotate")
        if int(key.get("PendingWindowInDays", _MONTH)) < _MONTH:
            yield key.fault("keys", "it is gone before a month")
        if key.whole.get("DeletionPolicy") != "RetainExceptOnCreate" and key.stack not in _NO_DATA:
            yield key.fault("keys", "it goes with the stack, and all it encrypted with it")
        if (key.stack, str({"Ref": key.id})) not in aliased and key.stack not in _NO_DATA:
            yield key.fault("keys", "it has no alias")
        yield from _grants(key, statements(stacks, key, "KeyPolicy"))


def _grants(key: Resource, found: list[Mapping[str, Any]]) -> Iterator[Finding]:
    """A grant is made for AWS's services: allowed so, and refused otherwise."""
    for statement in found:
        granting = "kms:CreateGrant" in statement.get("Action", [])
        bound = "kms:GrantIsForAWSResource" in str(statement.get("Condition", {}))
        if statement.get("Effect") == "Allow" and granting and not bound:
            yield key.fault("keys", "grants may be for anybody")
    refused = [s for s in found if s.get("Effect") == "Deny" and "CreateGrant" in str(s["Action"])]
    if not any("kms:GrantIsForAWSResource" in str(s.get("Condition")) for s in refused):
        yield key.fault("keys", "grants to people are not refused")


def job_encryption(stacks: Stacks) -> Iterator[Finding]:
    """Every Glue job has a security configuration that encrypts output, logs and bookmarks."""
    for job in stacks.of("Glue::Job"):
        if not job.get("SecurityConfiguration"):
            yield job.fault("job-encryption", "no security configuration")
        if not job.get("Tags"):
            yield job.fault("job-encryption", "no tags")
    modes = (
        ("CloudWatchEncryption", "CloudWatchEncryptionMode", "SSE-KMS"),
        ("JobBookmarksEncryption", "JobBookmarksEncryptionMode", "CSE-KMS"),
    )
    for security in stacks.of("Glue::SecurityConfiguration"):
        told = security.get("EncryptionConfiguration", {})
        for part, key, mode in modes:
            if told.get(part, {}).get(key) != mode or not told[part].get("KmsKeyArn"):
                yield security.fault("job-encryption", f"{part} is not {mode}")
        written = told.get("S3Encryptions", [])
        if not written or any(w.get("S3EncryptionMode") != "SSE-KMS" for w in written):
            yield security.fault("job-encryption", "what the job writes is not encrypted")


def catalogue_encryption(stacks: Stacks) -> Iterator[Finding]:
    """The catalogue and its passwords are encrypted, by a role that may use the key."""
    found = list(stacks.of("Glue::DataCatalogEncryptionSettings"))
    if not found:
        yield Finding("catalogue-encryption", "catalogue", "-", "the catalogue is not encrypted")
    for settings in found:
        told = settings.get("DataCatalogEncryptionSettings", {})
        at_rest = told.get("EncryptionAtRest", {})
        if at_rest.get("CatalogEncryptionMode") != "SSE-KMS-WITH-SERVICE-ROLE":
            yield settings.fault("catalogue-encryption", "it is not encrypted by a role")
        elif not _kept(stacks, settings.stack, at_rest):
            yield settings.fault("catalogue-encryption", "no role may use its key")
        if not told.get("ConnectionPasswordEncryption", {}).get(
            "ReturnConnectionPasswordEncrypted"
        ):
            yield settings.fault("catalogue-encryption", "passwords are not encrypted")


def _kept(stacks: Stacks, stack: str, at_rest: Mapping[str, Any]) -> bool:
    """Whether the catalogue's role may use its key, by its own policies and by the key's."""
    use = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
    arn, name = (at_rest.get(k, "") for k in ("SseAwsKmsKeyId", "CatalogEncryptionServiceRole"))
    key, told = stacks.key(stack, arn), stacks.text(stack, name)
    role = stacks.named("IAM::Role", told)
    attached = stacks.resolved(role).get("ManagedPolicyArns", []) if role else []
    policies = [stacks.named("IAM::ManagedPolicy", policy) for policy in attached]
    own = [s for p in policies for s in allowing(stacks, p, "PolicyDocument", *use)]
    let = [s.get("Condition", {}) for s in allowing(stacks, key, "KeyPolicy", *use)]
    named = (c.get("ArnEquals", {}).get("aws:PrincipalArn", []) for c in let)
    return any(told in n for n in named) and any(
        stacks.text(stack, arn) in s.get("Resource", []) for s in own
    )
