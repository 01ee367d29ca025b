"""Regular expressions: RE2's meaning (DuckDB) in Java's and Joni's words (Spark, Trino)."""

from __future__ import annotations

import re

_CLASSES = {
    "d": "0-9",
    "s": r"\t\n\f\r ",
    "w": "0-9A-Za-z_",
}
_NEGATED = {k.upper(): v for k, v in _CLASSES.items()}
_REFUSED = re.compile(r"\(\?(?!:|i\))")
_BLANK = re.compile(r"\\p(?:Z|\{Z\})")
"""The one class of letters of all scripts that is the same everywhere: blanks."""
_INSIDE = [(re.compile(r"\[:"), "classes such as [:digit:] are not portable; write 0-9")]
_OUTSIDE = [
    (re.compile(r"\[\^?\]"), "] as the first of a class is not portable; write \\] at its end"),
    (re.compile(r"[*+?}]\+"), "possessive repetition is not portable"),
]
"""What engines read otherwise in a class of characters, and out of one."""
_ALIKE = "tnrfxAz"
"""Letters after a backslash that every engine reads alike: characters, and both ends of a text."""


def portable_pattern(pattern: str) -> str:
    """The pattern with classes written out, so that every engine means ASCII by them.

    `.` leaves out the line feed only, and `$` is the very end. Raises ValueError for look-arounds,
    flags, named classes and escapes that are not the same everywhere, such as `\\b`.
    """
    if _REFUSED.search(pattern):
        raise ValueError("groups beginning with (? are not portable, but (?: and (?i)")
    made, inside, at = [], False, 0
    while at < len(pattern):
        sign = pattern[at]
        blank = _BLANK.match(pattern, at)
        if blank and not inside:
            made.append(r"\p{Z}")
            at = blank.end()
            continue
        if sign == "\\" and at + 1 < len(pattern):
            made.append(_escape(pattern[at + 1], inside=inside))
            at += 2
            continue
        for refused, why in _INSIDE if inside else _OUTSIDE:
            if refused.match(pattern, at):
                raise ValueError(why)
        if sign == "[" and not inside:
            inside = True
        elif sign == "]" and inside:
            inside = False
        elif sign == "[" or (sign == "&" and inside):
            sign = "\\" + sign  # a nested class or an intersection, to Java
        elif sign == "$" and not inside:
            sign = r"\z"
        elif sign == "." and not inside:
            sign = r"[^\n]"
        made.append(sign)
        at += 1
    return "".join(made)


def portable_replacement(text: str) -> str:
    r"""A replacement with `\1` for groups as `$1`, and `$` as it stands."""
    literal = text.replace("$", r"\$")
    return re.sub(r"\\(\\|\d)", lambda m: "\\\\" if m[1] == "\\" else f"${m[1]}", literal)


def _escape(letter: str, *, inside: bool) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter] if inside else f"[{_CLASSES[letter]}]"
    if letter in _NEGATED:
        if inside:
            raise ValueError(f"\\{letter} inside [ ] is not portable; list what is meant")
        return f"[^{_NEGATED[letter]}]"
    if letter in "bB":
        raise ValueError(f"\\{letter} is not portable; write the characters around")
    if letter.isalnum() and letter not in _ALIKE:
        raise ValueError(f"\\{letter} is not portable; write the characters that are meant")
    return f"\\{letter}"


def reaches_empty(pattern: str) -> bool:
    """Whether a pattern also matches no characters at all: engines disagree where that is. One that
    cannot be read is told elsewhere."""
    try:
        alike = portable_pattern(pattern).replace(r"\z", r"\Z").replace(r"\p{Z}", " ")
        return re.compile(alike).match("") is not None
    except (ValueError, re.error):
        return False
