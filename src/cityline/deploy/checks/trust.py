"""Trust: who may take a role, and what a service may do in whose name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cityline.deploy.checks.reading import Finding, Resource, Stacks
from cityline.deploy.checks.references import roles_used

_SOURCE = ("aws:SourceAccount", "aws:SourceArn")
_NO_SOURCE = {"ec2.amazonaws.com"}
"""Services that send no source with their calls, so that a condition on it would shut them out."""

_WIDE = {"*"}
_PERMISSION_SET = re.compile(
    r"arn:aws:iam::(\$\{AWS::AccountId\}|\d{12}):role/aws-reserved/sso\.amazonaws\.com\*?"
    r"/AWSReservedSSO_[\w+=,.@-]+_\?{16}"
)
"""Sessions of one permission set of this account, whatever the letters its role ends in."""


def trusted_services(stacks: Stacks) -> Iterator[Finding]:
    """A role handed to a service trusts that service."""
    for resource, name, service in roles_used(stacks):
        role = stacks.named("IAM::Role", name)
        if role is None:
            yield resource.fault("trusted-services", f"no stack makes the role {name!r}")
        elif service not in _services(stacks, role):
            told = f"{role.id} does not trust {service}, which {resource.type} needs"
            yield role.fault("trusted-services", told)


def confused_deputies(stacks: Stacks) -> Iterator[Finding]:
    """A service is trusted only on behalf of this account."""
    for role in stacks.of("IAM::Role"):
        for statement in statements(stacks, role, "AssumeRolePolicyDocument"):
            found = services(statement) - _NO_SOURCE
            if found and not _names_source(statement):
                told = f"{', '.join(sorted(found))} is trusted on behalf of any account"
                yield role.fault("confused-deputies", told)


def second_factors(stacks: Stacks) -> Iterator[Finding]:
    """People take a role on with a second factor, or signed in through IAM Identity Center, where
    the identity provider asks for it."""
    for role in stacks.of("IAM::Role"):
        for statement in statements(stacks, role, "AssumeRolePolicyDocument"):
            bound = statement.get("Condition", {}).get("Bool", {})
            factor = str(bound.get("aws:MultiFactorAuthPresent", "")).lower() == "true"
            if _listed(_principal(statement, "AWS")) and not (factor or _signed_in(statement)):
                yield role.fault("second-factors", "a password alone is enough")


def _signed_in(statement: Mapping[str, Any]) -> bool:
    """Whether only sessions of named permission sets are meant."""
    like = statement.get("Condition", {}).get("ArnLike", {})
    found = _listed(like.get("aws:PrincipalArn", []))
    return bool(found) and all(_PERMISSION_SET.fullmatch(one) for one in found)


def open_principals(stacks: Stacks) -> Iterator[Finding]:
    """No role, key, bucket or topic is for everybody, except to deny."""
    documents = (
        ("IAM::Role", "AssumeRolePolicyDocument"),
        ("KMS::Key", "KeyPolicy"),
        ("S3::BucketPolicy", "PolicyDocument"),
        ("SNS::TopicPolicy", "PolicyDocument"),
    )
    for kind, path in documents:
        for resource in stacks.of(kind):
            for statement in statements(stacks, resource, path):
                everybody = "*" in _listed(statement.get("Principal", {}))
                everybody = everybody or "*" in _listed(_principal(statement, "AWS"))
                bound = statement.get("Condition")
                if statement.get("Effect") == "Allow" and everybody and not bound:
                    yield resource.fault("open-principals", "anybody is allowed")


def wide_statements(stacks: Stacks) -> Iterator[Finding]:
    """No role's policy allows a whole service, everything, or deciphering with any key."""
    for policy in stacks.of("IAM::ManagedPolicy", "IAM::Policy"):
        for statement in statements(stacks, policy, "PolicyDocument"):
            if statement.get("Effect") != "Allow":
                continue
            actions = _listed(statement.get("Action", []))
            resources = _listed(statement.get("Resource", []))
            for action in actions:
                if action == "*" or action.endswith(":*"):
                    yield policy.fault("wide-statements", f"it allows {action}")
                any_key = action.startswith("kms:") and _WIDE & set(resources)
                if any_key and not _via_service(statement):
                    yield policy.fault("wide-statements", f"{action} with any key")


def no_people(stacks: Stacks) -> Iterator[Finding]:
    """No users, no keys of users, no policies inside roles."""
    for resource in stacks.of("IAM::User", "IAM::AccessKey", "IAM::UserPolicy", "IAM::Group"):
        yield resource.fault("no-people", "people come through roles")
    for role in stacks.of("IAM::Role"):
        if role.get("Policies"):
            yield role.fault("no-people", "a policy inside a role; use a managed one")
    for policy in stacks.of("IAM::Policy", "IAM::RolePolicy"):
        yield policy.fault("no-people", "a policy inside a role; use a managed one")


def statements(stacks: Stacks, resource: Resource, path: str) -> list[Mapping[str, Any]]:
    """The statements of a policy document, as plain data."""
    document: Any = stacks.resolved(resource)
    for part in path.split("."):
        document = document.get(part, {})
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def allowing(
    stacks: Stacks, resource: Resource | None, path: str, *actions: str
) -> list[Mapping[str, Any]]:
    """The statements of a policy document that allow all of these actions; of nothing, none."""
    found = statements(stacks, resource, path) if resource else []
    return [
        s for s in found
        if s.get("Effect") == "Allow" and set(actions) <= set(_listed(s.get("Action", [])))
    ]  # fmt: skip


def services(statement: Mapping[str, Any]) -> set[str]:
    """The services a statement speaks of."""
    return set(_listed(_principal(statement, "Service")))


def _principal(statement: Mapping[str, Any], kind: str) -> Any:
    principal = statement.get("Principal", {})
    return principal.get(kind, []) if isinstance(principal, Mapping) else []


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(v) for v in value] if isinstance(value, list) else []


def _services(stacks: Stacks, role: Resource) -> set[str]:
    return {
        service
        for statement in statements(stacks, role, "AssumeRolePolicyDocument")
        if statement.get("Effect") == "Allow"
        for service in services(statement)
    }


def _names_source(statement: Mapping[str, Any]) -> bool:
    keys = {key for test in statement.get("Condition", {}).values() for key in test}
    return bool(keys & set(_SOURCE))


def _via_service(statement: Mapping[str, Any]) -> bool:
    keys = {key for test in statement.get("Condition", {}).values() for key in test}
    return bool(keys & {"kms:ViaService", "kms:ResourceAliases", "aws:ResourceTag/cityline"})
