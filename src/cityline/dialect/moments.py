"""Dates as texts and texts as dates: `strftime` and `strptime` formats in an engine's words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from sqlglot import exp

_Say = Callable[[exp.Expr], str]
_SHOWN = {
    "Y": ("yyyy", "%Y"), "m": ("MM", "%m"), "d": ("dd", "%d"), "b": ("MMM", "%b"),
    "B": ("MMMM", "%M"), "y": ("yy", "%y"), "H": ("HH", "%H"), "M": ("mm", "%i"),
    "S": ("ss", "%s"), "j": ("DDD", "%j"), "a": ("EEE", "%a"), "A": ("EEEE", "%W"),
}  # fmt: skip
_READ = {
    **dict.fromkeys("mdyHMS", "((?>[0-9]{1,2}))"), "Y": "((?>[0-9]{1,4}))",
    "I": "((?>0?[1-9](?![0-9])|1[0-2]))", "b": "([A-Za-z]{3})", "B": "([A-Za-z]{3,9})",
    "p": "([AaPp][Mm])",
}  # fmt: skip
"""As many digits as DuckDB takes, and never fewer than there are; what is no day or hour, the cast
to a moment refuses."""
_SPACE = r"[ \t\n\x0B\f\r]"
"""What DuckDB skips around a text, and takes one or more of for a space of the format."""
_ODD = "(?:-?[iI][nN][fF][iI][nN][iI][tT][yY]|[eE][pP][oO][cC][hH])"
"""Words DuckDB takes for the first day it knows, of whatever format."""
_WHOLE = frozenset({frozenset("HMS"), frozenset("IpMS"), frozenset()})
"""Clocks that are read: all of it or none."""
_PIVOT = 68
"""The last two-digit year that belongs to this century, as DuckDB and POSIX read it."""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def showable(code: str) -> None:
    """Raises ValueError for a format that `strftime` does not show alike everywhere."""
    for known, piece in _pieces(code):
        if known and piece not in _SHOWN:
            raise ValueError(f"%{piece} is not in the profile of shown dates")
        if piece in "'[]{}#%" or (not known and piece.isalpha() and not piece.isascii()):
            raise ValueError(f"{piece} in a date's format is not portable")


def readable(code: str) -> None:
    """Raises ValueError for a format that `try_strptime` does not read alike everywhere: parts that
    stand twice, a clock without its seconds, no year or no month."""
    pieces = [p for known, p in _pieces(code) if known]
    parts = set(pieces)
    unknown = ["%"] if (False, "%") in _pieces(code) else [p for p in pieces if p not in _READ]
    if unknown:
        raise ValueError(f"%{unknown[0]} is not in the profile of dates that are read")
    if len(parts) < len(pieces) or {"Y", "y"} <= parts or len(parts & set("mbB")) > 1:
        raise ValueError("a part of a date stands twice in its format")
    if not parts & {"Y", "y"} or not parts & set("mbB"):
        raise ValueError("a date is read with its year and its month")
    if parts & set("HIMSp") not in _WHOLE:
        raise ValueError("a clock is read whole: %H:%M:%S, or %I:%M:%S %p")


def date_format(value: str, code: str, target: str, say: _Say) -> str:
    """`strftime`, of a format that is showable."""
    pieces = list(_pieces(code))
    if target == "spark":
        quoted = "".join(
            "".join(_SHOWN[p][0] for _, p in run) if known else _quoted("".join(p for _, p in run))
            for known, run in groupby(pieces, key=itemgetter(0))
        )
        return f"date_format({value}, {say(exp.Literal.string(quoted))})"
    plain = "".join(_SHOWN[p][1] if known else p for known, p in pieces)
    exact = f"date_trunc('second', CAST({value} AS TIMESTAMP(6)))"  # or it would be rounded
    return f"date_format({exact}, {say(exp.Literal.string(plain))})"


def _quoted(literal: str) -> str:
    """Letters stand in quotes to Spark; two quotes side by side would be a quote."""
    return f"'{literal}'" if any(c.isalpha() for c in literal) else literal


def parsed_moment(value: str, code: str, target: str, say: _Say) -> str:
    """`try_strptime`: the text must fit the format from end to end; else NULL."""
    pattern = ""
    at: dict[str, int] = {}
    for known, piece in _pieces(code):
        if known:
            pattern += _READ[piece]
            at[piece] = len(at) + 1
        else:
            pattern += _literal(piece)
    whole = say(exp.Literal.string(rf"\A{_SPACE}*{pattern}{_SPACE}*\z"))
    fits = f"{value} RLIKE {whole}" if target == "spark" else f"regexp_like({value}, {whole})"

    def part(letter: str) -> str:
        return f"regexp_extract({value}, {whole}, {at[letter]})"

    number = "INT" if target == "spark" else "INTEGER"
    day = f"lpad({part('d')}, 2, '0')" if "d" in at else "'01'"
    clock = _clock(at, part, number)
    text = f"concat({_year(at, part, number)}, '-', {_month(at, part)}, '-', {day}{clock})"
    kind = "TIMESTAMP_NTZ" if target == "spark" else "TIMESTAMP(6)"
    odd = say(exp.Literal.string(rf"\A{_SPACE}*{_ODD}{_SPACE}*\z"))
    is_odd = f"{value} RLIKE {odd}" if target == "spark" else f"regexp_like({value}, {odd})"
    return (
        f"CASE WHEN {fits} THEN TRY_CAST({text} AS {kind}) "
        f"WHEN {is_odd} THEN CAST('1900-01-01' AS {kind}) END"
    )


def _literal(letter: str) -> str:
    if letter == " ":
        return f"{_SPACE}+"
    return letter if letter.isalnum() or letter in ":-/" else f"\\{letter}"


def _year(at: dict[str, int], part: Callable[[str], str], number: str) -> str:
    if "Y" in at:
        return f"lpad({part('Y')}, 4, '0')"
    short = f"lpad({part('y')}, 2, '0')"
    return (
        f"concat(CASE WHEN CAST({short} AS {number}) > {_PIVOT} THEN '19' ELSE '20' END, {short})"
    )


def _month(at: dict[str, int], part: Callable[[str], str]) -> str:
    if "m" in at:
        return f"lpad({part('m')}, 2, '0')"
    letter = "b" if "b" in at else "B"
    cut = 3 if letter == "b" else 9
    whens = " ".join(f"WHEN '{m[:cut]}' THEN '{i:02d}'" for i, m in enumerate(_MONTHS, 1))
    return f"CASE lower({part(letter)}) {whens} END"


def _clock(at: dict[str, int], part: Callable[[str], str], number: str) -> str:
    if "M" not in at:
        return ""
    hour = f"lpad({part('H')}, 2, '0')" if "H" in at else ""
    if "I" in at:
        twelve = f"CAST({part('I')} AS {number}) % 12"
        late = f"CASE WHEN lower({part('p')}) = 'pm' THEN 12 ELSE 0 END"
        hour = f"lpad(CAST({twelve} + {late} AS VARCHAR(2)), 2, '0')"
    minute, second = (f"lpad({part(p)}, 2, '0')" for p in "MS")
    return f", ' ', {hour}, ':', {minute}, ':', {second}"


def _pieces(code: str) -> list[tuple[bool, str]]:
    """A format as parts (True) and characters that stand for themselves."""
    found, at = [], 0
    while at < len(code):
        if code[at] == "%" and at + 1 < len(code):
            if code[at + 1] not in _SHOWN and code[at + 1] not in _READ:
                raise ValueError(f"%{code[at + 1]} is not in the profile of date formats")
            found.append((True, code[at + 1]))
            at += 2
        else:
            found.append((False, code[at]))
            at += 1
    return found
