"""Roles of the access policy, each with managed policies and a limit on who may take it."""

from __future__ import annotations

from cityline.deploy.estate import Estate
from cityline.deploy.policies import role_policies, roles_of, session_seconds, trust_policy
from cityline.deploy.policies.statements import sid
from cityline.deploy.template import Template, ref


def build(estate: Estate) -> Template:
    """An IAM role for each declared role that is one, and an analyzer of who else can reach in."""
    template = estate.template("roles of the access policy")
    for role in roles_of(estate.access):
        _role(template, estate, role)
    template.add(
        "Analyzer",
        "AccessAnalyzer::Analyzer",
        {
            "AnalyzerName": f"{estate.settings.prefix}-external",
            "Tags": template.labels(),
            "Type": "ACCOUNT",
        },
    )
    return template


def _role(template: Template, estate: Estate, role: str) -> None:
    documents = role_policies(estate.access, estate.names, role)
    held = [
        ref(
            template.add(
                f"{sid(role, part)}Policy",
                "IAM::ManagedPolicy",
                {
                    "Description": f"What {role} may do: {part}",
                    "ManagedPolicyName": estate.names.policy(role, part),
                    "PolicyDocument": document,
                },
            )
        )
        for part, document in documents.items()
    ]
    template.add(
        f"{sid(role)}Role",
        "IAM::Role",
        {
            "AssumeRolePolicyDocument": trust_policy(estate.access, estate.names, role),
            "Description": estate.access.roles[role].says,
            "ManagedPolicyArns": held,
            "MaxSessionDuration": session_seconds(estate.access, role),
            "RoleName": estate.names.role(role),
            "Tags": template.labels(),
        },
    )
