"""The Data Quality Definition Language of AWS Glue: parsed properly, so the same text runs there.

This module owns the grammar and the tree; which rule types are run, and how, is `guards.govern`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from lark import Lark, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from cityline.declarations.reading import nearest
from cityline.errors import DeclarationError, Problem

RULE_TYPES = (
    "AggregateMatch", "AllStatistics", "ColumnCorrelation", "ColumnCount", "ColumnDataType",
    "ColumnExists", "ColumnLength", "ColumnNamesMatchPattern", "ColumnValues", "Completeness",
    "CustomSql", "DataFreshness", "DatasetMatch", "DetectAnomalies", "DistinctValuesCount",
    "Entropy", "FileFreshness", "FileMatch", "FileSize", "FileUniqueness", "IsComplete",
    "IsPrimaryKey", "IsUnique", "Mean", "ReferentialIntegrity", "RowCount", "RowCountMatch",
    "SchemaMatch", "StandardDeviation", "Sum", "UniqueValueRatio", "Uniqueness", "Variance",
)  # fmt: skip
"""Every rule type of the language, run here or not."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or a span of time in hours when `hours` is true."""

    value: float
    hours: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text."""

    value: str


@dataclass(frozen=True, slots=True)
class Keyword:
    """NULL, EMPTY, WHITESPACES_ONLY, TRUE or FALSE."""

    name: str


@dataclass(frozen=True, slots=True)
class Now:
    """The moment of judging."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of past metrics, such as `avg(last(10))`."""

    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two operands and one of + − * /."""

    sign: str
    left: Operand
    right: Operand


Operand: TypeAlias = Number | Text | Keyword | Now | Function | Arithmetic


@dataclass(frozen=True, slots=True)
class Condition:
    """`operator` is =, !=, >, >=, <, <=, between, in or matches; `negated` turns it around."""

    operator: str
    operands: tuple[Operand, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `text` is as written; `labels` include the defaults."""

    type: str
    arguments: tuple[str, ...]
    condition: Condition | None
    threshold: Condition | None
    where: str
    labels: Mapping[str, str]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Composite:
    """Rules joined by `and` or `or`."""

    operator: str
    parts: tuple[Expression, ...]
    text: str
    line: int


Expression: TypeAlias = Rule | Composite


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All rules of a file, in order."""

    rules: tuple[Expression, ...]
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)


def parse(text: str, file: str) -> Ruleset:
    """Parse a rule set.

    Raises DeclarationError with line and column, and the nearest name for an unknown rule type.
    """
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        shown = " ".join(error.get_context(text, 30).split("\n")[0].split())
        what = f"not DQDL at line {error.line}, column {error.column}, near: {shown}"
        hint = 'for example  Rules = [ IsComplete "month", RowCount > 0 ]'
        raise DeclarationError([Problem(file, "", what, hint)]) from error
    try:
        made: Ruleset = _Builder(text).transform(tree)
    except VisitError as error:
        raise DeclarationError([Problem(file, "", str(error.orig_exc))]) from error
    problems = [
        Problem(
            file, f"line {r.line}", f"unknown rule type {r.type!r}", nearest(r.type, [*RULE_TYPES])
        )
        for r in flatten(made.rules)
        if r.type not in RULE_TYPES
    ]
    if problems:
        raise DeclarationError(problems)
    return made


def flatten(rules: tuple[Expression, ...]) -> list[Rule]:
    """All single rules, also those inside composites."""
    found: list[Rule] = []
    for rule in rules:
        found += flatten(rule.parts) if isinstance(rule, Composite) else [rule]
    return found


@cache
def _parser() -> Lark:
    grammar = resources.files(__package__).joinpath("dqdl.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}


@v_args(inline=True)
class _Builder(Transformer[Any, Ruleset]):
    """From lark's tree to ours."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._variables: dict[str, Any] = {}

    def start(self, *sections: Any) -> Ruleset:
        labels: dict[str, str] = {}
        for section in sections:
            if isinstance(section, dict):
                labels |= section
        rules = [r for s in sections if isinstance(s, list) for r in s]
        return Ruleset(tuple(_labelled(r, labels) for r in rules), self._text, labels)

    def rules(self, *entries: Expression) -> list[Expression]:
        return list(entries)

    def analyzers(self, *_: Any) -> None:
        return None  # analyzers collect statistics in Glue; every metric is kept here anyway

    def default_labels(self, labels: dict[str, str]) -> dict[str, str]:
        return labels

    def variable(self, name: Any, value: Any) -> None:
        self._variables[str(name)] = value

    def entry(self, rule: Expression) -> Expression:
        return rule

    @v_args(inline=False, meta=True)
    def disjunction(self, meta: Any, parts: list[Expression]) -> Composite:
        return Composite("or", tuple(parts), self._slice(meta), meta.line)

    @v_args(inline=False, meta=True)
    def conjunction(self, meta: Any, parts: list[Expression]) -> Composite:
        return Composite("and", tuple(parts), self._slice(meta), meta.line)

    @v_args(inline=False, meta=True)
    def rule(self, meta: Any, children: list[Any]) -> Rule:
        name, *rest = children
        condition = next((c for c in rest if isinstance(c, Condition)), None)
        named = {k: v for c in rest if isinstance(c, tuple) for k, v in [c]}
        return Rule(
            type=str(name),
            arguments=tuple(c for c in rest if isinstance(c, str)),
            condition=condition,
            threshold=named.get("threshold"),
            where=named.get("where", ""),
            labels=named.get("labels", {}),
            text=self._slice(meta),
            line=meta.line,
        )

    def argument(self, token: Any) -> str:
        return _unquoted(token)

    def where(self, token: Any) -> tuple[str, str]:
        return "where", _unquoted(token)

    def with_threshold(self, condition: Condition) -> tuple[str, Condition]:
        return "threshold", condition

    def rule_labels(self, labels: dict[str, str]) -> tuple[str, dict[str, str]]:
        return "labels", labels

    def labels(self, *pairs: tuple[str, str]) -> dict[str, str]:
        return dict(pairs)

    def label(self, key: Any, value: Any) -> tuple[str, str]:
        return _unquoted(key), _unquoted(value)

    def compare(self, operator: Any, operand: Operand) -> Condition:
        return Condition(str(operator), (operand,))

    def between(self, low: Operand, high: Operand) -> Condition:
        return Condition("between", (low, high))

    def not_between(self, low: Operand, high: Operand) -> Condition:
        return Condition("between", (low, high), negated=True)

    def among(self, operands: tuple[Operand, ...]) -> Condition:
        return Condition("in", operands)

    def not_among(self, operands: tuple[Operand, ...]) -> Condition:
        return Condition("in", operands, negated=True)

    def matches(self, pattern: Any) -> Condition:
        return Condition("matches", (Text(_unquoted(pattern)),))

    def not_matches(self, pattern: Any) -> Condition:
        return Condition("matches", (Text(_unquoted(pattern)),), negated=True)

    def list(self, *operands: Operand) -> tuple[Operand, ...]:
        return operands

    def list_variable(self, name: Any) -> tuple[Operand, ...]:
        value = self.use(name)
        return value if isinstance(value, tuple) else (value,)

    def add(self, left: Operand, right: Operand) -> Arithmetic:
        return Arithmetic("+", left, right)

    def sub(self, left: Operand, right: Operand) -> Arithmetic:
        return Arithmetic("-", left, right)

    def mul(self, left: Operand, right: Operand) -> Arithmetic:
        return Arithmetic("*", left, right)

    def div(self, left: Operand, right: Operand) -> Arithmetic:
        return Arithmetic("/", left, right)

    def negate(self, operand: Operand) -> Operand:
        if isinstance(operand, Number):
            return Number(-operand.value, operand.hours)
        return Arithmetic("-", Number(0.0), operand)

    def number(self, token: Any) -> Number:
        return Number(float(token))

    def duration(self, token: Any, unit: Any) -> Number:
        return Number(float(token) * _HOURS[str(unit).lower().rstrip("s")], hours=True)

    def text(self, token: Any) -> Text:
        return Text(_unquoted(token))

    def keyword(self, token: Any) -> Keyword:
        return Keyword(str(token).upper())

    def now(self) -> Now:
        return Now()

    def use(self, name: Any) -> Any:
        if str(name) not in self._variables:
            raise ValueError(f"the variable ${name} is not set before it is used")
        return self._variables[str(name)]

    def call(self, name: Any, *arguments: Operand) -> Function:
        return Function(str(name).lower(), arguments)

    def _slice(self, meta: Any) -> str:
        return " ".join(self._text[meta.start_pos : meta.end_pos].split())


def _labelled(rule: Expression, defaults: Mapping[str, str]) -> Expression:
    if isinstance(rule, Composite):
        parts = tuple(_labelled(p, defaults) for p in rule.parts)
        return Composite(rule.operator, parts, rule.text, rule.line)
    labels = {**defaults, **rule.labels}
    return Rule(
        rule.type,
        rule.arguments,
        rule.condition,
        rule.threshold,
        rule.where,
        labels,
        rule.text,
        rule.line,
    )
