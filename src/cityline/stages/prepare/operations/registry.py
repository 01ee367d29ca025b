"""What an operation is: a name, its parameters, and a pure function from them to a cleaning step.

Names and parameters are DataBrew's, so that a recipe can be exported to it. An operation that
DataBrew lacks is marked as Cityline's own. Every value that reaches SQL goes through `text` or
`column` here, so a parameter can never become SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from cityline.declarations.corrections import Corrections
from cityline.declarations.reading import nearest
from cityline.errors import DeclarationError, Problem
from cityline.ports.cleaning import CleaningStep, Duplicates, Expression, Reject
from cityline.ports.recipe_sql import column, text


class Kind(StrEnum):
    """What a parameter holds."""

    COLUMN = "an existing column"
    COLUMNS = "existing columns"
    TARGET = "a new column"
    TEXT = "a text"
    TEXTS = "a list of texts"
    INTEGER = "a whole number"
    NUMBER = "a number"
    FLAG = "true or false"
    MAPPING = "a table of texts"
    CHOICE = "one of several words"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    kind: Kind
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation by name; `own` is true when DataBrew has no such recipe action."""

    name: str
    family: str
    says: str
    parameters: Mapping[str, Parameter]
    build: Callable[[Call], None]
    own: bool = False


OPERATIONS: dict[str, Operation] = {}


def operation(
    name: str, family: str, says: str, *, own: bool = False, **parameters: Parameter
) -> Callable[[Callable[[Call], None]], Callable[[Call], None]]:
    """Register a builder under an operation's name."""

    def register(build: Callable[[Call], None]) -> Callable[[Call], None]:
        OPERATIONS[name] = Operation(name, family, says, parameters, build, own)
        return build

    return register


COLUMN = Parameter(Kind.COLUMN)
COLUMNS = Parameter(Kind.COLUMNS)
TARGET = Parameter(Kind.TARGET)
TARGET_OR_SAME = Parameter(Kind.TARGET, required=False)
TEXT = Parameter(Kind.TEXT)
MAYBE_TEXT = Parameter(Kind.TEXT, required=False)
INTEGER = Parameter(Kind.INTEGER)
FLAG = Parameter(Kind.FLAG, required=False)


def choice(*words: str, required: bool = True) -> Parameter:
    """A parameter that takes one of a few words."""
    return Parameter(Kind.CHOICE, required, words)


@dataclass(slots=True)
class Call:
    """One use of an operation in a recipe: its parameters, what is known, and what it builds."""

    number: int
    operation: Operation
    given: Mapping[str, Any]
    columns: tuple[str, ...]
    corrections: Corrections
    as_of: date
    where: str
    assigns: dict[str, Expression] = field(default_factory=dict)
    renames: dict[str, str] = field(default_factory=dict)
    drops: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    duplicates: Duplicates | None = None

    # -- reading parameters ---------------------------------------------------------------------

    @property
    def source(self) -> str:
        """The parameter `sourceColumn`."""
        return str(self.given["sourceColumn"])

    @property
    def target(self) -> str:
        """The parameter `targetColumn`, or the source column when there is none."""
        return str(self.given.get("targetColumn") or self.source)

    @property
    def c(self) -> str:
        """The source column as SQL."""
        return column(self.source)

    def flag(self, name: str) -> bool:
        """A flag; DataBrew writes them as texts."""
        return str(self.given.get(name, "false")).lower() == "true"

    def literal(self, name: str, default: str = "") -> str:
        """A text parameter as a SQL literal."""
        return text(str(self.given.get(name, default)))

    def integer(self, name: str) -> int:
        """A whole number."""
        return int(self.given[name])

    def many(self, name: str) -> list[str]:
        """A list of texts; DataBrew writes it as JSON in a text."""
        value = self.given[name]
        return [str(v) for v in (json.loads(value) if isinstance(value, str) else value)]

    # -- building the step ----------------------------------------------------------------------

    def assign(self, target: str, sql: str, *reads: str) -> None:
        """Set a column from an expression that reads the named columns."""
        self.assigns[target] = Expression(sql, frozenset(reads or (self.source,)))

    def rewrite(self, sql: str) -> None:
        """Set the target column (or the source itself) from an expression over the source."""
        self.assign(self.target, sql)

    def reject(self, reason: str, when: str, *reads: str) -> None:
        """Quarantine rows for which an expression is true."""
        self.rejects.append(Reject(reason, Expression(when, frozenset(reads or (self.source,)))))

    def refuse(self, key: str, what: str, hint: str = "") -> DeclarationError:
        """An error about one of the parameters."""
        problem = Problem(self.where, f"steps.{self.number - 1}.parameters.{key}", what, hint)
        return DeclarationError([problem])

    def finish(self, why: str, expected: tuple[int, int] | None = None) -> CleaningStep:
        """The step as built; `expected` cells should change."""
        return CleaningStep(
            number=self.number,
            operation=self.operation.name,
            why=why or self.operation.says,
            assigns=dict(self.assigns),
            renames=dict(self.renames),
            drops=tuple(self.drops),
            rejects=tuple(self.rejects),
            duplicates=self.duplicates,
            expected=expected,
        )


def check_parameters(call: Call) -> list[Problem]:
    """Everything wrong with the parameters of one call."""
    declared = call.operation.parameters
    at = f"steps.{call.number - 1}.parameters"
    problems = [
        Problem(
            call.where, f"{at}.{name}", f"unknown parameter {name!r}", nearest(name, [*declared])
        )
        for name in call.given
        if name not in declared
    ]
    for name, parameter in declared.items():
        if name not in call.given:
            if parameter.required:
                what = f"{call.operation.name} needs {name!r}: {parameter.kind.value}"
                problems.append(Problem(call.where, f"{at}.{name}", what))
            continue
        fault = _fault(parameter, call.given[name], call.columns)
        if fault:
            what, hint = fault
            problems.append(Problem(call.where, f"{at}.{name}", what, hint))
    return problems


def _fault(parameter: Parameter, value: Any, columns: Sequence[str]) -> tuple[str, str] | None:
    match parameter.kind:
        case Kind.COLUMN if value not in columns:
            return f"there is no column {value!r} here", nearest(str(value), [*columns])
        case Kind.COLUMNS:
            names = json.loads(value) if isinstance(value, str) else value
            gone = [n for n in names if n not in columns]
            if gone:
                return f"there is no column {gone[0]!r} here", nearest(str(gone[0]), [*columns])
        case Kind.INTEGER if not str(value).lstrip("-").isdigit():
            return f"{value!r} is not a whole number", ""
        case Kind.NUMBER if not str(value).lstrip("-").replace(".", "", 1).isdigit():
            return f"{value!r} is not a number", ""
        case Kind.FLAG if str(value).lower() not in ("true", "false"):
            return f"{value!r} is not true or false", ""
        case Kind.CHOICE if value not in parameter.choices:
            return f"{value!r} is not known here", nearest(str(value), [*parameter.choices])
        case Kind.MAPPING if not isinstance(value, Mapping):
            return "a table of texts is expected", ""
        case Kind.TARGET if not _is_name(value):
            return f"{value!r} is not a column's name", "lower case letters, digits, underscores"
        case _:
            return None
    return None


def _is_name(value: Any) -> bool:
    plain = str(value).replace("_", "a")
    return plain.isascii() and plain.isalnum() and plain.islower() and not plain[0].isdigit()
