"""AWS's evaluation of policy documents, as far as ours use it: an own, second reading of them.

Explicit denials win; then a bucket's or an identity's Allow suffices within the account, a key's
policy must agree, and a service or a stranger needs the resource's own Allow. Anything the reading
does not know (an operator, an element) is an error, never a silent yes or no.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

ACCOUNT = "111122223333"
OTHER = "999999999999"
Document = Mapping[str, Any]
_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


class Outcome(Enum):
    """How a request ends; an explicit denial is told apart from the lack of a permission."""

    ALLOWED = "allowed"
    IMPLICIT = "nothing allows it"
    EXPLICIT = "explicitly denied"


@dataclass(frozen=True)
class Caller:
    """Who asks: a role of an account, a service as itself, or nobody (all empty)."""

    arn: str = ""
    account: str = ""
    service: str = ""


@dataclass(frozen=True)
class Request:
    """One call. Keys of `context` are compared whatever their case."""

    caller: Caller
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    @cached_property
    def said(self) -> dict[str, list[str]]:
        """The context by keys in lower case, each with its values."""
        return {k.lower(): _list(v) for k, v in self.context.items()}


def resolve(value: Any, imports: Mapping[str, str]) -> Any:
    """A document as CloudFormation makes it: the account filled in, imports and attributes too."""
    if isinstance(value, dict):
        if len(value) == 1:
            (name, inner), = value.items()  # fmt: skip
            if name == "Fn::Sub":
                return _sub(inner)
            if name == "Ref":
                return {"AWS::AccountId": ACCOUNT}[inner]
            if name == "Fn::ImportValue":
                return imports[inner]
        return {k: resolve(v, imports) for k, v in value.items()}
    if isinstance(value, list):
        return [resolve(v, imports) for v in value]
    return value


def _sub(text: str) -> str:
    filled = text.replace("${AWS::AccountId}", ACCOUNT)
    assert "${" not in filled, filled
    return filled


def evaluate(
    request: Request, identity: Sequence[Document], resource: Document | None, *, key: bool = False
) -> Outcome:
    """Evaluate a request. `key` says that the resource is a key, whose policy must agree."""
    found = [s for d in identity for s in d["Statement"] if applies(s, request)]
    direct: list[Mapping[str, Any]] = []
    delegated: list[Mapping[str, Any]] = []
    for s in resource["Statement"] if resource else ():
        named = _principal(s["Principal"], request.caller)
        if named and applies(s, request):
            (direct if named == "direct" else delegated).append(s)
    if any(s["Effect"] == "Deny" for s in (*found, *direct, *delegated)):
        return Outcome.EXPLICIT
    by_identity = any(s["Effect"] == "Allow" for s in found)
    if request.caller.account == ACCOUNT:
        allowed = bool(direct) or (by_identity and bool(delegated if key else True))
    elif request.caller.account:
        allowed = bool(direct or delegated) and by_identity
    else:
        allowed = bool(direct)
    return Outcome.ALLOWED if allowed else Outcome.IMPLICIT


def _principal(principal: Any, caller: Caller) -> str:
    """`direct` when the caller is named, `delegated` when its account is, empty when neither."""
    if principal == "*":
        return "direct"
    for kind, names in principal.items():
        for name in [names] if isinstance(names, str) else names:
            if name == "*":
                return "direct"
            if kind == "Service" and name == caller.service:
                return "direct"
            if kind == "AWS" and caller.arn and name == caller.arn:
                return "direct"
            if kind == "AWS" and name == f"arn:aws:iam::{caller.account}:root":
                return "delegated"
    return ""


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement speaks of a request, whoever makes it."""
    if not _ELEMENTS.issuperset(statement):
        raise KeyError(statement)
    for pattern in _list(statement["Action"]):
        if _acts(pattern, request.action):
            break
    else:
        return False
    for pattern in _list(statement.get("Resource", "*")):
        if _like(pattern, request.resource):
            break
    else:
        return False
    return all(
        _holds(operator, _list(expected), request.said.get(key.lower()))
        for operator, keys in statement.get("Condition", {}).items()
        for key, expected in keys.items()
    )


@lru_cache(maxsize=100_000)
def _acts(pattern: str, action: str) -> bool:
    return _like(pattern.lower(), action.lower())


def _holds(operator: str, expected: list[str], found: list[str] | None) -> bool:
    """One condition. Of a key that is absent a negated comparison is true, any other false."""
    if operator == "Null":
        return (found is None) is (expected == ["true"])
    name = operator.removeprefix("ForAnyValue:")
    if name.endswith("IfExists"):
        if found is None:
            return True
        name = name.removesuffix("IfExists")
    compare = _COMPARISONS[name.replace("Not", "")]
    negated = "Not" in name
    if found is None:
        return negated
    met = any(compare(e, f) for e in expected for f in found)
    return not met if negated else met


@lru_cache(maxsize=100_000)
def _like(pattern: str, text: str) -> bool:
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda e, f: e == f,
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda e, f: e.lower() == f.lower(),
    "NumericLessThan": lambda e, f: float(f) < float(e),
}


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, str) else list(value)
