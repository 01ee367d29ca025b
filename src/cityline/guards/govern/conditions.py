"""Conditions as SQL over a row's value, and as a judgement of a number that was measured."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from cityline.declarations.dqdl import (
    Arithmetic,
    Condition,
    Function,
    Keyword,
    Now,
    Number,
    Operand,
    Text,
)

Past = Callable[[str], Sequence[float]]
"""Past values of a metric, newest first."""

_TOLERANCE = 1e-9
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE),
    "!=": lambda a, b: not math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE),
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b - _TOLERANCE,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b + _TOLERANCE,
}
_OVER: dict[str, Callable[[Sequence[float]], float]] = {
    "avg": statistics.fmean,
    "min": min,
    "max": max,
    "sum": math.fsum,
    "median": statistics.median,
    "std": lambda v: statistics.stdev(v) if len(v) > 1 else 0.0,
}


class NoHistoryError(Exception):
    """A threshold asks for past values and there are none yet."""


def quote(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def holds(condition: Condition, value: float, metric: str, past: Past) -> bool:
    """Whether a measured number meets a condition."""
    numbers = [_number(o, metric, past) for o in condition.operands]
    match condition.operator:
        case "between":  # both ends are outside, as in Glue
            met = numbers[0] < value < numbers[1]
        case "in":
            met = any(_COMPARE["="](value, n) for n in numbers)
        case "matches":
            met = re.fullmatch(str(condition.operands[0]), str(value)) is not None
        case operator:
            met = _COMPARE[operator](value, numbers[0])
    return met != condition.negated


def _number(operand: Operand, metric: str, past: Past) -> float:
    match operand:
        case Number(value):
            return value
        case Text(value):
            return float(value)
        case Arithmetic(sign, left, right):
            a, b = _number(left, metric, past), _number(right, metric, past)
            return {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else math.nan}[sign]
        case Function("last", arguments):
            return _last(arguments, metric, past)[0]
        case Function(name, (Function("last", arguments),)) if name in _OVER:
            return _OVER[name](_last(arguments, metric, past))
        case _:
            raise ValueError(f"{operand} is not a number")


def _last(arguments: tuple[Operand, ...], metric: str, past: Past) -> Sequence[float]:
    count = int(arguments[0].value) if arguments and isinstance(arguments[0], Number) else 1
    values = list(past(metric))[:count]
    if not values:
        raise NoHistoryError(metric)
    return values


def predicate(expression: str, condition: Condition, now: datetime) -> str:
    """A condition on a row's value as SQL; NULL meets only `= NULL` and `in [… NULL …]`."""
    if condition.operator == "matches":
        pattern = condition.operands[0]
        text = literal(pattern.value if isinstance(pattern, Text) else "")
        met = f"regexp_full_match(CAST({expression} AS VARCHAR), {text})"
    elif condition.operator == "between":
        low, high = (_value(o, now) for o in condition.operands)
        met = f"{expression} > {low} AND {expression} < {high}"
    elif condition.operator == "in":
        met = " OR ".join(_equals(expression, o, now) for o in condition.operands) or "false"
    elif condition.operator in ("=", "!="):
        met = _equals(expression, condition.operands[0], now)
        met = met if condition.operator == "=" else f"NOT ({met})"
    else:
        met = f"{expression} {condition.operator} {_value(condition.operands[0], now)}"
    met = f"coalesce({met}, false)"
    if not condition.negated:
        return met
    # a missing value is neither in a list nor outside it
    return f"({expression} IS NOT NULL AND NOT {met})"


def _equals(expression: str, operand: Operand, now: datetime) -> str:
    match operand:
        case Keyword("NULL"):
            return f"{expression} IS NULL"
        case Keyword("EMPTY"):
            return f"CAST({expression} AS VARCHAR) = ''"
        case Keyword("WHITESPACES_ONLY"):
            return f"regexp_full_match(CAST({expression} AS VARCHAR), '\\s+')"
        case _:
            return f"{expression} = {_value(operand, now)}"


def _value(operand: Operand, now: datetime) -> str:
    """An operand as SQL. Dates may be computed from `now()`."""
    match operand:
        case Number(value):
            return f"{value:.17g}"
        case Text(value):
            return literal(value)
        case Keyword(name):
            return name
        case _:
            return f"TIMESTAMP '{_moment(operand, now):%Y-%m-%d %H:%M:%S}'"


def _moment(operand: Operand, now: datetime) -> datetime:
    match operand:
        case Now():
            return now
        case Arithmetic("-", left, Number(hours, True)):
            return _moment(left, now) - timedelta(hours=hours)
        case Arithmetic("+", left, Number(hours, True)):
            return _moment(left, now) + timedelta(hours=hours)
        case _:
            raise ValueError(f"{operand} is not a moment")
