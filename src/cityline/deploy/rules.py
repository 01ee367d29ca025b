"""Quality rules for DataBrew, from the same DQDL that judges everywhere else.

DataBrew's checks are fewer than DQDL's rule types. What it has no check for is listed in
`Checks.unheld`, and is judged by the Glue job and by Glue Data Quality all the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from cityline.declarations.dqdl import Number, Operand, Rule, Ruleset, Text, flatten

_SIGNS = {"=": "==", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_COLUMN = ":col1"
_AGGREGATES = (
    "ROWS_COUNT|COLUMNS_COUNT|MISSING_VALUES_COUNT|MISSING_VALUES_PERCENTAGE"
    "|DUPLICATE_VALUES_COUNT|DISTINCT_VALUES_COUNT|MEAN|SUM|STANDARD_DEVIATION"
)
_SUBJECT = rf"(AGG\(({_AGGREGATES})\)|:col1|length\(:col1\))"
_PART = rf"({_SUBJECT} (==|!=|>=?|<=?) :val[12]|:col1 (NOT )?IN :val1)"
EXPRESSION = rf"{_PART}( and {_PART})?"
"""The check expressions written here, as a regular expression; a part of what DataBrew reads."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of a DataBrew ruleset: its expression and what stands for each `:name` in it.

    `column` is the one an aggregate is taken of; empty for the whole, and where the expression
    names its column itself.
    """

    name: str
    expression: str
    values: Mapping[str, str]
    column: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """What DataBrew checks, and the rules it has no check for, as written."""

    checks: tuple[Check, ...]
    unheld: tuple[str, ...]


def render(ruleset: Ruleset) -> Checks:
    """The rules for DataBrew."""
    checks: list[Check] = []
    unheld: list[str] = []
    for rule in flatten(ruleset.rules):
        made = None if rule.where or rule.threshold else _rendered(rule)
        if made is None:
            unheld.append(rule.text)
        else:
            checks.append(made)
    return Checks(tuple(checks), tuple(unheld))


def _rendered(rule: Rule) -> Check | None:
    if rule.type in _WHOLE:
        return _compared(rule, f"AGG({_WHOLE[rule.type]})")
    if len(rule.arguments) != 1:
        return None
    if rule.type in _NONE_OF:
        expression = f"AGG({_NONE_OF[rule.type]}) == :val1"
        return Check(_named(rule), expression, {":val1": "0"}, rule.arguments[0])
    if rule.type == "Completeness":
        return _complete(rule)
    if rule.type in _OF_A_COLUMN:
        return _compared(rule, f"AGG({_OF_A_COLUMN[rule.type]})", rule.arguments[0])
    subject = {"ColumnValues": _COLUMN, "ColumnLength": f"length({_COLUMN})"}.get(rule.type)
    return _compared(rule, subject, rule.arguments[0]) if subject else None


def _compared(rule: Rule, subject: str, column: str = "") -> Check | None:
    """A subject held to the rule's condition; DQDL's `between` leaves out both ends."""
    condition = rule.condition
    values = [_plain(operand) for operand in condition.operands] if condition else []
    known = [v for v in values if v is not None]
    if condition is None or not known or len(known) != len(values):
        return None
    operator, negated = condition.operator, condition.negated
    given = {f":val{n}": value for n, value in enumerate(known, 1)}
    if operator in _SIGNS and not negated:
        expression = f"{subject} {_SIGNS[operator]} :val1"
    elif operator == "between" and not negated:
        expression = f"{subject} > :val1 and {subject} < :val2"
    elif operator == "in" and subject == _COLUMN:
        expression = f"{subject} {'NOT ' if negated else ''}IN :val1"
        given = {":val1": json.dumps(known, ensure_ascii=False)}
    else:
        return None
    if _COLUMN in subject:
        return Check(_named(rule), expression, {_COLUMN: f"`{column}`", **given})
    return Check(_named(rule), expression, given, column)


def _complete(rule: Rule) -> Check | None:
    """A share of filled cells, as DataBrew's percentage of empty ones."""
    condition = rule.condition
    turned = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "=": "=="}
    if condition is None or condition.negated or condition.operator not in turned:
        return None
    value = condition.operands[0]
    if not isinstance(value, Number):
        return None
    expression = f"AGG(MISSING_VALUES_PERCENTAGE) {turned[condition.operator]} :val1"
    given = {":val1": f"{100 * (1 - value.value):g}"}
    return Check(_named(rule), expression, given, rule.arguments[0])


def _plain(operand: Operand) -> str | None:
    if isinstance(operand, Number) and not operand.hours:
        return f"{operand.value:.10g}"
    return operand.value if isinstance(operand, Text) else None


def _named(rule: Rule) -> str:
    return rule.text.replace('"', "").split(" labels =")[0][:128]


_WHOLE = {"RowCount": "ROWS_COUNT", "ColumnCount": "COLUMNS_COUNT"}
_NONE_OF = {
    "IsComplete": "MISSING_VALUES_COUNT",
    "IsUnique": "DUPLICATE_VALUES_COUNT",
    "IsPrimaryKey": "DUPLICATE_VALUES_COUNT",
}
_OF_A_COLUMN = {
    "DistinctValuesCount": "DISTINCT_VALUES_COUNT",
    "Mean": "MEAN",
    "Sum": "SUM",
    "StandardDeviation": "STANDARD_DEVIATION",
}
