"""Roles of machines: the jobs, the server, and services that act for the platform."""

from __future__ import annotations

from cityline.declarations.access import AccessZone
from cityline.deploy.estate import Estate
from cityline.deploy.policies import role_policies, roles_of, session_seconds, trust_policy
from cityline.deploy.policies.keys import CATALOGUE
from cityline.deploy.policies.services import catalogue_policy, catalogue_trust
from cityline.deploy.policies.statements import sid, taken_by_people
from cityline.deploy.template import Template, ref


def build(estate: Estate) -> Template:
    """An IAM role for each declared role that services take on, and the catalogue's."""
    template = estate.template("roles of jobs, of the server and of services")
    add_roles(template, estate, people=False)
    _catalogue(template, estate)
    return template


def _catalogue(template: Template, estate: Estate) -> None:
    """By which Glue encrypts the catalogue. It stands well before the catalogue: a role that was
    just made cannot be taken on everywhere at once."""
    says = "Opens and seals the catalogue for whoever may look into it"
    policy = {
        "Description": says,
        "ManagedPolicyName": estate.names.policy(CATALOGUE, "key"),
        "PolicyDocument": catalogue_policy(estate.names.key_import(AccessZone.LOG)),
    }
    template.add("CatalogueKeyPolicy", "IAM::ManagedPolicy", policy)
    role = {
        "AssumeRolePolicyDocument": catalogue_trust(),
        "Description": says,
        "ManagedPolicyArns": [ref("CatalogueKeyPolicy")],
        "RoleName": estate.names.role(CATALOGUE),
        "Tags": template.labels(),
    }
    template.add("CatalogueRole", "IAM::Role", role)


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
