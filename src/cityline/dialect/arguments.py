"""Arguments: what a function must be given as it stands, so that engines can be told."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from cityline.dialect.moments import readable, showable
from cityline.dialect.regexes import portable_pattern, reaches_empty

_UNITS = frozenset({"year", "quarter", "month", "week", "day"})
_MOST_DIGITS = 15
_TEXT_AT = 4
"""Arguments of regexp_replace(x, pattern, new, 'g')."""


def argument_refusals(name: str, given: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    """What is wrong with a call's arguments, and what to write instead."""
    match name:
        case "date_trunc" | "datetrunc" | "date_diff" | "datediff":
            yield from _unit(name, given[0])
        case "regexp_matches" | "regexp_full_match" | "regexp_replace" | "regexp_extract":
            yield from _pattern(name, given)
        case "strftime" | "try_strptime":
            yield from _format(name, given[1])
        case "substr" | "substring":
            if _number(given[1], least=1) is False:
                yield "substr() counts from 1", "right(x, n) for the end"
            if len(given) > 2 and _number(given[2], least=0) is False:  # noqa: PLR2004 - a length
                yield "substr() takes a length of 0 or more", ""
        case "split_part":
            if given[1].is_string and not given[1].name:
                yield "split_part() takes a separator of one letter or more", ""
            if _number(given[2], least=1) is False:
                yield "split_part() counts from 1", ""
        case "lpad" | "rpad" if given[2].is_string and not given[2].name:
            yield f"{name}() takes one letter or more to fill with", ""
        case "round" if len(given) > 1:
            if not _number(given[1], least=0) or int(given[1].name) > _MOST_DIGITS:
                what = f"round() takes its digits as a number from 0 to {_MOST_DIGITS}"
                yield what, "round(x / 1000) * 1000"


def _number(node: exp.Expr, least: int) -> bool | None:
    """Whether a whole number written out is at least so large; None for what is none."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return False
    return int(node.name) >= least if isinstance(node, exp.Literal) and node.is_int else None


def _unit(name: str, unit: exp.Expr) -> Iterator[tuple[str, str]]:
    units = _UNITS if "trunc" in name else _UNITS - {"week"}
    if not (isinstance(unit, exp.Literal) and unit.name.lower() in units):
        hint = "date_diff('day', a, b), divided by 7" if "diff" in name else ""
        yield f"{name}() takes one of {', '.join(sorted(units))}", hint


def _pattern(name: str, given: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    if not given[1].is_string:
        yield f"{name}() takes its pattern as a text", "'…'"
        return
    if name == "regexp_replace":
        yield from _replacement(given)
    if name == "regexp_extract" and len(given) > 2 and _number(given[2], least=0) is None:  # noqa: PLR2004
        yield "regexp_extract() takes its group as a number", ""
    try:
        portable_pattern(given[1].name)
    except ValueError as error:
        yield str(error), ""


def _replacement(given: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    hint = "regexp_replace(x, pattern, new, 'g')"
    if len(given) < _TEXT_AT:
        yield "regexp_replace() of the first match only is not portable", hint
    elif not given[3].is_string or given[3].name != "g":
        yield "regexp_replace() takes the option 'g' alone", "(?i) in the pattern, for any case"
    if not given[2].is_string:
        yield "regexp_replace() takes its replacement as a text", "'…', with \\1 for a group"
    if reaches_empty(given[1].name):
        what = "regexp_replace() of a pattern that also matches nothing is not portable"
        yield what, "x+ rather than x*"


def _format(name: str, code: exp.Expr) -> Iterator[tuple[str, str]]:
    if not code.is_string:
        yield f"{name}() takes its format as a text", "'%Y-%m-%d'"
        return
    try:
        (showable if name == "strftime" else readable)(code.name)
    except ValueError as error:
        yield str(error), "'%Y-%m-%d %H:%M:%S'"
