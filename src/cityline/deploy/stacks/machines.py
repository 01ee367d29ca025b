"""Roles of machines: the jobs, the server, and services that act for the platform."""

from __future__ import annotations

from cityline.deploy.estate import Estate
from cityline.deploy.policies import role_policies, roles_of, session_seconds, trust_policy
from cityline.deploy.policies.statements import sid, taken_by_people
from cityline.deploy.template import Template, ref


def build(estate: Estate) -> Template:
    """An IAM role for each declared role that services take on."""
    template = estate.template("roles of jobs, of the server and of services")
    add_roles(template, estate, people=False)
    return template


def add_roles(template: Template, estate: Estate, *, people: bool) -> None:
    """The roles that people take on, or those of machines, each with managed policies and a limit
    on who may take it."""
    for role in roles_of(estate.access):
        if taken_by_people(estate.access.roles[role]) is people:
            _role(template, estate, role)


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
            "AssumeRolePolicyDocument": trust_policy(
                estate.access, estate.names, role, estate.settings.sign_in
            ),
            "Description": estate.access.roles[role].says,
            "ManagedPolicyArns": held,
            "MaxSessionDuration": session_seconds(estate.access, role),
            "RoleName": estate.names.role(role),
            "Tags": template.labels(),
        },
    )
