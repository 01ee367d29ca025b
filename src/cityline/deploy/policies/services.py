"""Services: what a stack's key says beyond, or without, a zone of the access policy, and the role
by which Glue keeps the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cityline.deploy.naming import ACCOUNT, Names
from cityline.deploy.policies.keys import KEEPING, TENDING
from cityline.deploy.policies.statements import Document, Statement, document, statement


def with_services(policy: Document, distribution: Any = None) -> Document:
    """A zone's key policy in which grants are for AWS's services alone, as Control Tower asks for
    it (CT.KMS.PR.3), and by which a CloudFront `distribution` may read."""
    found = [*policy["Statement"], _no_other_grants()]
    if distribution is not None:
        found.append(
            statement(
                "DistributionReads", "Allow", ["kms:Decrypt"], ["*"],
                principal={"Service": "cloudfront.amazonaws.com"},
                condition={"StringEquals": {"aws:SourceArn": distribution}},
            )
        )  # fmt: skip
    return document(found)


def service_key_policy(names: Names, use: Sequence[Statement]) -> Document:
    """The policy of a key of no zone: the account tends it, and services use it as `use` says."""
    account = {"AWS": names.account_arn()}
    return document(
        [
            statement("AccountTends", "Allow", TENDING, ["*"], principal=account),
            _no_other_grants(),
            *use,
        ]
    )


def catalogue_trust() -> Document:
    """Glue takes the role on; whether it then says for whom is not documented."""
    mine = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    trusted: Statement = {"Sid": "ByGlue", "Effect": "Allow"}
    trusted |= {"Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return document([{**trusted, "Condition": {"StringEqualsIfExists": mine}}])


def catalogue_policy(key: Any) -> Document:
    """The role opens and seals the catalogue's entries with the platform's `key`, and nothing else
    that is under it."""
    entries = {"StringEquals": {"kms:EncryptionContext:glue_catalog_id": ACCOUNT}}
    return document([statement("Entries", "Allow", KEEPING, [key], condition=entries)])


def _no_other_grants() -> Statement:
    person = {"kms:GrantIsForAWSResource": "false", "aws:PrincipalIsAWSService": "false"}
    return statement(
        "NoOtherGrants", "Deny", ["kms:CreateGrant"], ["*"], principal="*",
        condition={"BoolIfExists": person},
    )  # fmt: skip
