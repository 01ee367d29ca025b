"""Every control of the documents removed or weakened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Statement = dict[str, Any]
Change = tuple[str, Callable[[list[Statement]], None]]


def changes(statements: list[Statement]) -> Iterator[Change]:
    """Ways to spoil a list of statements, each with its name; each is applied to a fresh copy."""
    for number, one in enumerate(statements):
        name = one["Sid"]
        yield f"{name} removed", _left_out(number)
        yield from _conditions(number, one)
        if one["Effect"] == "Allow":
            yield from _widened(number, one)
        else:
            yield from _narrowed(number, one)


def _left_out(number: int) -> Callable[[list[Statement]], None]:
    def change(statements: list[Statement]) -> None:
        del statements[number]

    return change


def _set(number: int, key: str, value: Any) -> Callable[[list[Statement]], None]:
    def change(statements: list[Statement]) -> None:
        statements[number][key] = value

    return change


def _conditions(number: int, one: Statement) -> Iterator[Change]:
    """Each condition left out, turned round, or made to hold when its key is absent."""
    name, condition = one["Sid"], one.get("Condition", {})
    for operator, keys in condition.items():
        for key, value in keys.items():
            rest = {o: {k: v for k, v in ks.items() if (o, k) != (operator, key)}
                    for o, ks in condition.items()}  # fmt: skip
            left = {o: ks for o, ks in rest.items() if ks}
            yield f"{name} without {operator} {key}", _set(number, "Condition", left)
            if operator in ("Null", "Bool", "BoolIfExists"):
                turned = "false" if value == "true" else "true"
                flipped = {**condition, operator: {**keys, key: turned}}
                yield f"{name} with {key} {turned}", _set(number, "Condition", flipped)
            if isinstance(value, list) and operator.startswith("Arn") and "Principal" in key:
                wider = {**condition, operator: {**keys, key: [*value, value[0] + "x*", "*"]}}
                yield f"{name} for every principal", _set(number, "Condition", wider)
                for out in value:
                    fewer = [v for v in value if v != out]
                    cut = {**condition, operator: {**keys, key: fewer}}
                    yield f"{name} without {out}", _set(number, "Condition", cut)
        if operator == "StringNotEquals" and "Null" in condition:
            loose = {k: v for k, v in condition.items() if k not in ("Null", operator)}
            loose["StringNotEqualsIfExists"] = keys
            yield f"{name} also when absent", _set(number, "Condition", loose)


def _widened(number: int, one: Statement) -> Iterator[Change]:
    name, actions = one["Sid"], one["Action"]
    if "Principal" in one and one["Principal"] != "*":
        yield f"{name} for everybody", _set(number, "Principal", "*")
    if isinstance(actions, list):
        service = actions[0].partition(":")[0]
        yield f"{name} every action", _set(number, "Action", [f"{service}:*"])
        for out in actions if len(actions) > 1 else ():
            fewer = [a for a in actions if a != out]
            yield f"{name} without {out}", _set(number, "Action", fewer)
    if one.get("Resource", ["*"]) != ["*"]:
        yield f"{name} on everything", _set(number, "Resource", ["*"])
        for out in one["Resource"] if len(one["Resource"]) > 1 else ():
            fewer = [r for r in one["Resource"] if r != out]
            yield f"{name} without {out}", _set(number, "Resource", fewer)


def _narrowed(number: int, one: Statement) -> Iterator[Change]:
    name = one["Sid"]
    yield f"{name} allows", _set(number, "Effect", "Allow")
    for key in ("Action", "Resource"):
        for out in one[key] if len(one[key]) > 1 else ():
            fewer = [v for v in one[key] if v != out]
            yield f"{name} without {out}", _set(number, key, fewer)
    if "s3:*" in one["Action"]:
        yield f"{name} for reading only", _set(number, "Action", ["s3:GetObject"])
