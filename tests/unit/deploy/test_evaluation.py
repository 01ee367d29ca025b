"""The second reading itself, held to cases whose outcome AWS's documentation states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.deploy.evaluation import ACCOUNT, OTHER, Caller, Outcome, Request, evaluate

ROLE = Caller(arn=f"arn:aws:iam::{ACCOUNT}:role/r", account=ACCOUNT)
STRANGER = Caller(arn=f"arn:aws:iam::{OTHER}:role/r", account=OTHER)
ON = "arn:aws:s3:::b/k"


def one(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    made = {"Effect": effect, "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/*"]}
    return {"Statement": [made | more]}


def ask(identity: Any, resource: Any, caller: Caller = ROLE, **context: str) -> Outcome:
    got = {k.replace("_", ":"): v for k, v in context.items()}
    return evaluate(Request(caller, "s3:GetObject", ON, got), identity, resource)


def sent(policy: Any, key: str, value: str) -> Outcome:
    return evaluate(Request(ROLE, "s3:GetObject", ON, {key: value}), [one(), policy], None)


def test_who_needs_whose_permission() -> None:
    everybody = one(Principal="*")
    account = one(Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    assert ask([one()], None) is Outcome.ALLOWED
    assert ask([], everybody) is Outcome.ALLOWED
    assert ask([], account) is Outcome.IMPLICIT
    assert ask([one()], one("Deny", Principal="*")) is Outcome.EXPLICIT
    assert ask([one("Deny")], everybody) is Outcome.EXPLICIT
    assert ask([one()], None, STRANGER) is Outcome.IMPLICIT
    assert ask([one()], everybody, STRANGER) is Outcome.ALLOWED
    assert ask([], everybody, Caller()) is Outcome.ALLOWED
    assert ask([], account, Caller()) is Outcome.IMPLICIT


def test_a_key_must_agree() -> None:
    request = Request(ROLE, "kms:Decrypt", "k")
    identity: Any = [{"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}]
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    account: Any = {"Statement": [allow | {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}]}
    nobody: Any = {"Statement": []}
    assert evaluate(request, identity, nobody, key=True) is Outcome.IMPLICIT
    assert evaluate(request, identity, account, key=True) is Outcome.ALLOWED
    assert evaluate(request, [], account, key=True) is Outcome.IMPLICIT


@pytest.mark.parametrize(
    ("condition", "with_it", "without"),
    [
        ({"StringEquals": {"a:k": "v"}}, True, False),
        ({"StringNotEquals": {"a:k": "v"}}, False, True),
        ({"StringNotEquals": {"a:k": "x"}}, True, True),
        ({"StringEqualsIfExists": {"a:k": "v"}}, True, True),
        ({"StringNotEqualsIfExists": {"a:k": "v"}}, False, True),
        ({"StringNotEquals": {"a:k": "x"}, "Null": {"a:k": "false"}}, True, False),
        ({"Null": {"a:k": "true"}}, False, True),
        ({"StringLike": {"a:k": ["x*", "v*"]}}, True, False),
        ({"ArnNotEquals": {"a:k": ["x", "v"]}}, False, True),
        ({"ForAnyValue:StringEquals": {"a:k": "v"}}, True, False),
    ],
)
def test_conditions(condition: Any, with_it: bool, without: bool) -> None:
    policy = one(Condition=condition)
    assert (ask([policy], None, a_k="v") is Outcome.ALLOWED) is with_it
    assert (ask([policy], None) is Outcome.ALLOWED) is without


def test_numbers_and_truths() -> None:
    old = one("Deny", Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})
    plain = one("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    for policy, key, bad, good in ((old, "s3:TlsVersion", "1.1", "1.2"),
                                   (plain, "aws:SecureTransport", "false", "true")):  # fmt: skip
        assert sent(policy, key, bad) is Outcome.EXPLICIT
        assert sent(policy, key, good) is Outcome.ALLOWED


def test_what_is_not_known_is_an_error() -> None:
    with pytest.raises(KeyError):
        ask([one(Condition={"DateLessThan": {"a:k": "v"}})], None, a_k="v")
    with pytest.raises(KeyError):
        ask([one(NotAction=["s3:Get*"])], None)
