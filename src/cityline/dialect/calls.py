"""One function call in an engine's words: a template, or a rule where a template is not enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from cityline.dialect.functions import FUNCTIONS
from cityline.dialect.moments import date_format, parsed_moment
from cityline.dialect.regexes import portable_pattern, portable_replacement
from cityline.dialect.types import is_decimal, is_double, is_of, is_whole

_Say = Callable[[exp.Expr], str]
_SPECIAL: dict[str, Callable[[Sequence[exp.Expr], str, _Say], str]] = {}
_OF_DECIMALS = {
    "floor": ("floor({0})", "floor({0})"),
    "ceil": ("ceil({0})", "ceil({0})"),
    "ceiling": ("ceil({0})", "ceil({0})"),
    "trunc": ("if({0} < 0, ceil({0}), floor({0}))", "truncate({0})"),
}
"""Of decimals, in Spark's and in Trino's words: they stay decimals."""
_HOLE = re.compile(r"\{(\d+|\*)\}")


def spoken_call(node: exp.Anonymous, target: str, say: _Say) -> str:
    """The call as the target's SQL."""
    name = str(node.name).lower()
    special = _SPECIAL.get(name)
    if special is not None:
        return special(node.expressions, target, say)
    known = FUNCTIONS.get(name)
    template = known.said(target) if known else ""
    if name in _OF_DECIMALS and node.expressions and is_decimal(node.expressions[0]):
        template = _OF_DECIMALS[name][target == "trino"]
    if not template:
        return f"{name}({', '.join(map(say, node.expressions))})"
    said = [_grouped(a, say) for a in node.expressions]
    return _HOLE.sub(lambda m: ", ".join(said) if m[1] == "*" else said[int(m[1])], template)


def _grouped(node: exp.Expr, say: _Say) -> str:
    """An argument that stays one beside a template's operators."""
    loose = isinstance(node, exp.Binary | exp.Not | exp.Neg | exp.Between | exp.In)
    return f"({say(node)})" if loose else say(node)


def _special(*names: str) -> Callable[..., Callable[..., str]]:
    def register(build: Callable[..., str]) -> Callable[..., str]:
        for name in names:
            _SPECIAL[name] = build
        return build

    return register


def _pattern(node: exp.Expr, target: str, say: _Say, *, whole: bool = False) -> str:
    pattern = portable_pattern(node.name)
    if target == "spark":  # Java ignores the case of ASCII letters only, unless told
        pattern = pattern.replace("(?i)", "(?iu)")
    return say(exp.Literal.string(rf"\A(?:{pattern})\z" if whole else pattern))


def _match(args: Sequence[exp.Expr], target: str, say: _Say, *, whole: bool) -> str:
    pattern = _pattern(args[1], target, say, whole=whole)
    if target == "spark":
        return f"({say(args[0])} RLIKE {pattern})"
    return f"regexp_like({say(args[0])}, {pattern})"


_SPECIAL["regexp_matches"] = lambda a, t, s: _match(a, t, s, whole=False)
_SPECIAL["regexp_full_match"] = lambda a, t, s: _match(a, t, s, whole=True)


@_special("regexp_replace")
def _replace(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    new = say(exp.Literal.string(portable_replacement(args[2].name)))
    return f"regexp_replace({say(args[0])}, {_pattern(args[1], target, say)}, {new})"


@_special("regexp_extract")
def _extract(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    group = say(args[2]) if len(args) > 2 else "0"  # noqa: PLR2004 - the whole match
    call = f"regexp_extract({say(args[0])}, {_pattern(args[1], target, say)}, {group})"
    if target == "spark":
        return call
    return f"CASE WHEN {say(args[0])} IS NOT NULL THEN coalesce({call}, '') END"


def _extreme_of(name: str) -> Callable[[Sequence[exp.Expr], str, _Say], str]:
    def build(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
        # missing values are left out: Trino would answer NULL
        said = [say(a) for a in args]
        if target == "spark":
            return f"{name}({', '.join(said)})"
        if not any(is_double(a) for a in args):
            return _extreme(name, said)
        doubles = [f"CAST({s} AS DOUBLE)" for s in said]
        real = [f"CASE WHEN NOT is_nan({s}) THEN {s} END" for s in doubles]
        some = " OR ".join(f"coalesce(is_nan({s}), false)" for s in doubles)
        if name == "greatest":
            return f"CASE WHEN {some} THEN nan() ELSE {_extreme(name, real)} END"
        return f"coalesce({_extreme(name, real)}, CASE WHEN {some} THEN nan() END)"

    return build


def _extreme(name: str, said: Sequence[str]) -> str:
    """Missing ones are filled by the others."""
    different = list(dict.fromkeys(said))
    if len(different) == 1:
        return different[0]
    others = [", ".join([s, *(o for o in different if o != s)]) for s in different]
    return f"{name}({', '.join(f'coalesce({o})' for o in others)})"


_SPECIAL["greatest"] = _extreme_of("greatest")
_SPECIAL["least"] = _extreme_of("least")


@_special("date_trunc", "datetrunc")
def _trunc(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    unit, of = say(args[0]).lower(), say(args[1])
    kind = "TIMESTAMP_NTZ" if target == "spark" else "TIMESTAMP(6)"  # of a date too, as in DuckDB
    return f"CAST(date_trunc({unit}, {of}) AS {kind})"


@_special("date_diff", "datediff")
def _diff(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """Boundaries crossed, as DuckDB counts."""
    unit, first, last = args[0].name.lower(), say(args[1]), say(args[2])
    match unit:
        case "year":
            counted = f"year({last}) - year({first})"
        case "quarter":
            counted = f"(year({last}) - year({first})) * 4 + quarter({last}) - quarter({first})"
        case "month":
            counted = f"(year({last}) - year({first})) * 12 + month({last}) - month({first})"
        case _ if target == "spark":
            counted = f"datediff({last}, {first})"
        case _:
            counted = f"date_diff('{unit}', CAST({first} AS DATE), CAST({last} AS DATE))"
    return f"CAST({counted} AS BIGINT)"


def _trimming(pattern: str) -> Callable[[Sequence[exp.Expr], str, _Say], str]:
    """Blanks of every script are taken away, but no tabs and no ends of lines."""

    def build(args: Sequence[exp.Expr], target: str, say: _Say) -> str:  # noqa: ARG001
        return f"regexp_replace({say(args[0])}, {say(exp.Literal.string(pattern))}, '')"

    return build


_SPECIAL["trim"] = _trimming(r"\A\p{Z}+|\p{Z}+\z")
_SPECIAL["ltrim"] = _trimming(r"\A\p{Z}+")
_SPECIAL["rtrim"] = _trimming(r"\p{Z}+\z")


@_special("left")
def _left(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """A number below 0 leaves out so many letters of the end."""
    text, count = say(args[0]), _whole(args[1], target, say)

    def first(letters: str) -> str:
        return f"left({text}, {letters})" if target == "spark" else f"substr({text}, 1, {letters})"

    if isinstance(args[1], exp.Literal):
        return first(count)
    fewer = first(f"greatest(length({text}) + {count}, 0)")
    return f"CASE WHEN {count} >= 0 THEN {first(count)} WHEN {count} < 0 THEN {fewer} END"


@_special("right")
def _right(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """A number below 0 leaves out so many letters of the beginning."""
    text, count = say(args[0]), _whole(args[1], target, say)
    last = f"substr({text}, greatest(length({text}) - {count} + 1, 1))"
    if target == "spark":
        last = f"right({text}, {count})"
    if isinstance(args[1], exp.Literal):
        return last
    rest = f"substr({text}, 1 - {count})"
    return f"CASE WHEN {count} >= 0 THEN {last} WHEN {count} < 0 THEN {rest} END"


@_special("substr", "substring")
def _part(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """Positions that are computed may be 0, one before the first letter; what is below fails, for
    each engine counts on from there otherwise."""
    text, (start, *rest) = say(args[0]), [_whole(a, target, say) for a in args[1:]]
    plain = f"substr({', '.join([text, start, *rest])})"
    computed = [a for a in args[1:] if not isinstance(a, exp.Literal)]
    if not computed:
        return plain
    below = " OR ".join(f"{_whole(a, target, say)} < 0" for a in computed)
    fewer = f", CASE WHEN {rest[0]} > 0 THEN {rest[0]} - 1 ELSE {rest[0]} END" if rest else ""
    return (
        f"CASE WHEN {below} THEN {_failing('substr() of a position below 0', target)} "
        f"WHEN {start} = 0 THEN substr({text}, 1{fewer}) ELSE {plain} END"
    )


def _whole(node: exp.Expr, target: str, say: _Say) -> str:
    """A position or a count: Spark takes no BIGINT there."""
    if isinstance(node, exp.Literal):
        return say(node)
    return f"CAST({say(node)} AS {'INT' if target == 'spark' else 'BIGINT'})"


@_special("chr")
def _letter(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """Spark knows the first 256 letters and counts others from 0 again."""
    number = say(args[0])
    if target == "trino":
        return f"chr({number})"
    other = _failing("chr() of a letter beyond 255", target)
    return (
        f"CASE WHEN ({number}) BETWEEN 0 AND 255 THEN char({number}) "
        f"WHEN ({number}) IS NOT NULL THEN {other} END"
    )


def _failing(what: str, target: str) -> str:
    fail = "raise_error" if target == "spark" else "fail"
    return f"CAST({fail}('not portable: {what}') AS {'STRING' if target == 'spark' else 'VARCHAR'})"


@_special("bit_count")
def _bits(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """Of as many bits as the integer has."""
    bits = 32 if is_of(args[0], "int") else 64
    if target == "trino":
        return f"bit_count({say(args[0])}, {bits})"
    number = f"CAST({say(args[0])} AS BIGINT)"
    return f"bit_count({number} & 4294967295)" if bits < 64 else f"bit_count({number})"  # noqa: PLR2004


@_special("_without")
def _without(args: Sequence[exp.Expr], target: str, say: _Say) -> str:  # noqa: ARG001
    return f"regexp_replace({', '.join(map(say, args))}, '')"


@_special("strftime")
def _strftime(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    return date_format(say(args[0]), args[1].name, target, say)


@_special("try_strptime")
def _strptime(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    return parsed_moment(say(args[0]), args[1].name, target, say)


@_special("avg", "mean")
def _mean(args: Sequence[exp.Expr], target: str, say: _Say) -> str:  # noqa: ARG001
    """DuckDB's mean of decimals is a double; others would round it to the decimals' places."""
    if is_whole(args[0]) or is_double(args[0]):
        return f"avg({say(args[0])})"
    return f"avg(CAST({say(args[0])} AS DOUBLE))"


@_special("round")
def _round(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """DuckDB scales, rounds halves away from zero and scales back; decimals are exact."""
    if is_decimal(args[0]):
        return f"round({', '.join(map(say, args))})"
    value = f"CAST({say(args[0])} AS DOUBLE)"
    digits = int(args[1].name) if len(args) > 1 else 0  # a number from 0 on: the linter holds it
    scale = f"1{'0' * digits}{'D' if target == 'spark' else 'E0'}"
    scaled = f"{value} * {scale}" if digits else value
    back = f" / {scale}" if digits else ""
    if target == "trino":
        return f"(round({scaled}){back})"
    near = f"sign({scaled}) * CAST(floor(abs({scaled}) + 0.5D) AS DOUBLE)"
    small = f"abs({scaled}) < 4503599627370496D"  # larger ones are whole; Spark's floor is a BIGINT
    return f"(CASE WHEN {small} THEN {near}{back} ELSE {value} END)"


_DIGITS = "[0-9]+(?:_[0-9]+)*"
_DOUBLE = rf"\A\s*[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\s*\z"

_NAN = r"\A\s*[+-]?[nN][aA][nN]\s*\z"
_NOISE = r"[_ \t\n\r\f]+"


@_special("try_double")
def _double(args: Sequence[exp.Expr], target: str, say: _Say) -> str:
    """A text as a double exactly where DuckDB reads one; `1d` and hexadecimals are none."""
    said = say(args[0])

    def fits(pattern: str) -> str:
        quoted = say(exp.Literal.string(pattern))
        return f"{said} RLIKE {quoted}" if target == "spark" else f"regexp_like({said}, {quoted})"

    bare = f"regexp_replace({said}, {say(exp.Literal.string(_NOISE))}, '')"
    return (
        f"CASE WHEN {fits(_DOUBLE)} THEN TRY_CAST({bare} AS DOUBLE) "
        f"WHEN {fits(_NAN)} THEN CAST('NaN' AS DOUBLE) "
        f"WHEN {fits(_infinite('[+]?'))} THEN CAST('Infinity' AS DOUBLE) "
        f"WHEN {fits(_infinite('-'))} THEN CAST('-Infinity' AS DOUBLE) END"
    )


def _infinite(sign: str) -> str:
    return rf"\A\s*{sign}[iI][nN][fF](?:[iI][nN][iI][tT][yY])?\s*\z"
