"""Dates as texts and texts as dates: `strftime` and `strptime` formats in an engine's words."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

_Say = Callable[[exp.Expr], str]
_SHOWN = {
    "Y": ("yyyy", "%Y"), "m": ("MM", "%m"), "d": ("dd", "%d"), "b": ("MMM", "%b"),
    "B": ("MMMM", "%M"), "y": ("yy", "%y"), "H": ("HH", "%H"), "M": ("mm", "%i"),
    "S": ("ss", "%s"), "j": ("DDD", "%j"), "a": ("EEE", "%a"), "A": ("EEEE", "%W"),
}  # fmt: skip
_READ = {
    "Y": r"([0-9]{4})", "m": r"(0?[1-9]|1[0-2])", "d": r"(0?[1-9]|[12][0-9]|3[01])",
    "y": r"([0-9]{2})", "b": r"([A-Za-z]{3})", "B": r"([A-Za-z]{3,9})",
    "H": r"([01]?[0-9]|2[0-3])", "M": r"([0-5]?[0-9])", "S": r"([0-5]?[0-9])",
    "I": r"(0?[1-9]|1[0-2])", "p": r"([AaPp][Mm])",
}  # fmt: skip
_PIVOT = 68
"""The last two-digit year that belongs to this century, as DuckDB and POSIX read it."""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip


def date_format(value: str, code: str, target: str, say: _Say) -> str:
    """`strftime`. Raises ValueError for a part of the format that is not in the profile."""
    pieces = list(_pieces(code))
    if target == "spark":
        quoted = "".join(
            _SHOWN[p][0] if known else f"'{p}'" if p.isalpha() else p for known, p in pieces
        )
        return f"date_format({value}, {say(exp.Literal.string(quoted))})"
    plain = "".join(_SHOWN[p][1] if known else p for known, p in pieces)
    exact = f"date_trunc('second', CAST({value} AS TIMESTAMP(6)))"  # or it would be rounded
    return f"date_format({exact}, {say(exp.Literal.string(plain))})"


def parsed_moment(value: str, code: str, target: str, say: _Say) -> str:
    """`try_strptime`: the text must fit the format from end to end; else NULL."""
    pattern = ""
    at: dict[str, int] = {}
    for known, piece in _pieces(code):
        if known:
            pattern += _READ[piece]
            at[piece] = len(at) + 1
        else:
            pattern += piece if piece.isalnum() or piece in " :-/" else f"\\{piece}"
    whole = say(exp.Literal.string(rf"\A{pattern}\z"))
    fits = f"{value} RLIKE {whole}" if target == "spark" else f"regexp_like({value}, {whole})"

    def part(letter: str) -> str:
        return f"regexp_extract({value}, {whole}, {at[letter]})"

    number = "INT" if target == "spark" else "INTEGER"
    day = f"lpad({part('d')}, 2, '0')" if "d" in at else "'01'"
    clock = _clock(at, part, number)
    text = f"concat({_year(at, part, number)}, '-', {_month(at, part)}, '-', {day}{clock})"
    kind = "TIMESTAMP_NTZ" if target == "spark" else "TIMESTAMP(6)"
    return f"CASE WHEN {fits} THEN TRY_CAST({text} AS {kind}) END"


def _year(at: dict[str, int], part: Callable[[str], str], number: str) -> str:
    if "Y" in at:
        return part("Y")
    short = part("y")
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
