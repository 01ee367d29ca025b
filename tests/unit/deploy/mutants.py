"""Every control of a statement removed or weakened once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Statement = dict[str, Any]
Change = tuple[str, Statement | None]
"""What was done to a statement, and what is left of it."""


def changes(one: Statement) -> Iterator[Change]:
    """Ways to spoil a statement, each with its name."""
    yield f"{one['Sid']} removed", None
    yield from _conditions(one)
    yield from _widened(one) if one["Effect"] == "Allow" else _narrowed(one)


def _conditions(one: Statement) -> Iterator[Change]:
    """Each condition left out, turned round, or made to hold when its key is absent."""
    name, condition = one["Sid"], one.get("Condition", {})
    for operator, keys in condition.items():
        for key, value in keys.items():
            rest = {o: {k: v for k, v in ks.items() if (o, k) != (operator, key)}
                    for o, ks in condition.items()}  # fmt: skip
            left = {o: ks for o, ks in rest.items() if ks}
            yield f"{name} without {operator} {key}", {**one, "Condition": left}
            if operator in ("Null", "Bool", "BoolIfExists"):
                turned = "false" if value == "true" else "true"
                flipped = {**condition, operator: {**keys, key: turned}}
                yield f"{name} with {key} {turned}", {**one, "Condition": flipped}
            if isinstance(value, list) and operator.startswith("Arn") and "Principal" in key:
                wider = {**condition, operator: {**keys, key: [*value, value[0] + "x*", "*"]}}
                yield f"{name} for every principal", {**one, "Condition": wider}
            for out in value if isinstance(value, list) else ():
                fewer = [v for v in value if v != out]
                cut = {**condition, operator: {**keys, key: fewer}}
                yield f"{name} without {out}", {**one, "Condition": cut}
        if operator == "StringNotEquals" and "Null" in condition:
            loose = {k: v for k, v in condition.items() if k not in ("Null", operator)}
            loose["StringNotEqualsIfExists"] = keys
            yield f"{name} also when absent", {**one, "Condition": loose}


def _widened(one: Statement) -> Iterator[Change]:
    name, actions = one["Sid"], one["Action"]
    if "Principal" in one and one["Principal"] != "*":
        yield f"{name} for everybody", {**one, "Principal": "*"}
    if isinstance(actions, list):
        service = actions[0].partition(":")[0]
        yield f"{name} every action", {**one, "Action": [f"{service}:*"]}
        for out in actions if len(actions) > 1 else ():
            fewer = [a for a in actions if a != out]
            yield f"{name} without {out}", {**one, "Action": fewer}
    if one.get("Resource", ["*"]) != ["*"]:
        yield f"{name} on everything", {**one, "Resource": ["*"]}
        for out in one["Resource"] if len(one["Resource"]) > 1 else ():
            fewer = [r for r in one["Resource"] if r != out]
            yield f"{name} without {out}", {**one, "Resource": fewer}


def _narrowed(one: Statement) -> Iterator[Change]:
    name = one["Sid"]
    yield f"{name} allows", {**one, "Effect": "Allow"}
    for key in ("Action", "Resource"):
        for out in one[key] if len(one[key]) > 1 else ():
            fewer = [v for v in one[key] if v != out]
            yield f"{name} without {out}", {**one, key: fewer}
    if "s3:*" in one["Action"]:
        yield f"{name} for reading only", {**one, "Action": ["s3:GetObject"]}
