"""Cleaning texts: case, affixes, extraction, removal and replacement, masks and hashes."""

from __future__ import annotations

import re
from typing import Any

from cityline.ports.recipe_sql import text
from cityline.stages.prepare.operations.registry import (
    COLUMN,
    FLAG,
    INTEGER,
    MAYBE_TEXT,
    TARGET_OR_SAME,
    TEXT,
    Call,
    Kind,
    Parameter,
    operation,
)

_FAMILY = "cleaning"


def _simple(name: str, says: str, sql: str) -> None:
    """Operations whose whole meaning is one function of the source column."""

    @operation(name, _FAMILY, says, sourceColumn=COLUMN, targetColumn=TARGET_OR_SAME)
    def build(call: Call) -> None:
        call.rewrite(sql.format(c=call.c))


_simple("UPPER_CASE", "All letters upper case.", "upper({c})")
_simple("LOWER_CASE", "All letters lower case.", "lower({c})")
_simple(
    "SENTENCE_CASE",
    "First letter upper case, the others lower.",
    "upper(substr({c}, 1, 1)) || lower(substr({c}, 2))",
)
_simple("TRIM", "No blanks at the start and the end.", "trim({c})")
_simple("REMOVE_WHITESPACE", "No white space at all.", r"regexp_replace({c}, '\s', '', 'g')")
_simple(
    "REMOVE_SYMBOLS",
    "Only letters, digits and blanks.",
    r"regexp_replace({c}, '[^\pL\pN ]', '', 'g')",
)
_simple("ADD_DOUBLE_QUOTES", "Double quotes around the text.", "'\"' || {c} || '\"'")
_simple("ADD_SINGLE_QUOTES", "Single quotes around the text.", "'''' || {c} || ''''")
_simple("LEN", "The number of characters.", "length({c})")
_simple("CRYPTOGRAPHIC_HASH", "The SHA-256 of the text, as hexadecimal digits.", "sha256({c})")


@operation("CAPITAL_CASE", _FAMILY, "Every word begins upper case.", sourceColumn=COLUMN)
def _capital(call: Call) -> None:
    # a word's first letter: at the start or after something that is no letter, digit or apostrophe
    call.rewrite(
        f"array_to_string(list_transform(string_split({call.c}, ' '), "
        f"lambda w: upper(substr(w, 1, 1)) || lower(substr(w, 2))), ' ')"
    )


@operation("ADD_PREFIX", _FAMILY, "A text before.", sourceColumn=COLUMN, pattern=TEXT)
def _prefix(call: Call) -> None:
    call.rewrite(f"{call.literal('pattern')} || {call.c}")


@operation("ADD_SUFFIX", _FAMILY, "A text after.", sourceColumn=COLUMN, pattern=TEXT)
def _suffix(call: Call) -> None:
    call.rewrite(f"{call.c} || {call.literal('pattern')}")


def _pattern(call: Call, name: str) -> str:
    """A regular expression parameter, checked here so that a run never meets a broken one."""
    value = str(call.given[name])
    try:
        re.compile(value)
    except re.error as error:
        raise call.refuse(name, f"not a regular expression: {error}") from error
    return text(value)


@operation(
    "EXTRACT_PATTERN",
    _FAMILY,
    "The first match of a regular expression, or nothing.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    pattern=TEXT,
)
def _extract_pattern(call: Call) -> None:
    call.rewrite(f"nullif(regexp_extract({call.c}, {_pattern(call, 'pattern')}), '')")


@operation(
    "EXTRACT_BETWEEN_DELIMITERS",
    _FAMILY,
    "What stands between two texts, or nothing.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    startPattern=TEXT,
    endPattern=TEXT,
)
def _extract_delimiters(call: Call) -> None:
    start, end, c = call.literal("startPattern"), call.literal("endPattern"), call.c
    after = f"substr({c}, strpos({c}, {start}) + length({start}))"
    found = f"strpos({c}, {start}) > 0 AND strpos({after}, {end}) > 0"
    call.rewrite(f"CASE WHEN {found} THEN substr({after}, 1, strpos({after}, {end}) - 1) END")


@operation(
    "EXTRACT_BETWEEN_POSITIONS",
    _FAMILY,
    "The characters from one position to before another, counted from 0.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    startPosition=INTEGER,
    endPosition=INTEGER,
)
def _extract_positions(call: Call) -> None:
    start, end = call.integer("startPosition"), call.integer("endPosition")
    call.rewrite(f"substr({call.c}, {start + 1}, {max(0, end - start)})")


@operation(
    "REPLACE_TEXT",
    _FAMILY,
    "Every match of a regular expression becomes another text.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    pattern=TEXT,
    value=TEXT,
)
def _replace(call: Call) -> None:
    value = text(str(call.given["value"]).replace("\\", r"\\"))
    call.rewrite(f"regexp_replace({call.c}, {_pattern(call, 'pattern')}, {value}, 'g')")


@operation(
    "REPLACE_BETWEEN_DELIMITERS",
    _FAMILY,
    "What stands between two texts becomes another text.",
    sourceColumn=COLUMN,
    startPattern=TEXT,
    endPattern=TEXT,
    value=TEXT,
)
def _replace_delimiters(call: Call) -> None:
    start, end, c = call.literal("startPattern"), call.literal("endPattern"), call.c
    head = f"strpos({c}, {start}) + length({start})"
    after = f"substr({c}, {head})"
    found = f"strpos({c}, {start}) > 0 AND strpos({after}, {end}) > 0"
    tail = f"substr({after}, strpos({after}, {end}))"
    made = f"substr({c}, 1, {head} - 1) || {call.literal('value')} || {tail}"
    call.rewrite(f"CASE WHEN {found} THEN {made} ELSE {c} END")


@operation(
    "REPLACE_BETWEEN_POSITIONS",
    _FAMILY,
    "The characters from one position to before another become another text.",
    sourceColumn=COLUMN,
    startPosition=INTEGER,
    endPosition=INTEGER,
    value=TEXT,
)
def _replace_positions(call: Call) -> None:
    start, end = call.integer("startPosition"), call.integer("endPosition")
    call.rewrite(
        f"substr({call.c}, 1, {start}) || {call.literal('value')} || substr({call.c}, {end + 1})"
    )


_PUNCTUATION = r"[.!,?]"
_SPECIAL = r"[!-/:-@\[-`{-~]"
_REMOVALS = (
    ("removeAllPunctuation", _PUNCTUATION),
    ("removeAllQuotes", "[\"']"),
    ("removeAllWhitespace", r"\s"),
    ("removeLetters", "[A-Za-z]"),
    ("removeNumbers", "[0-9]"),
    ("removeSpecialCharacters", _SPECIAL),
    ("removeLeadingAndTrailingPunctuation", rf"^{_PUNCTUATION}+|{_PUNCTUATION}+$"),
    ("removeLeadingAndTrailingQuotes", "^[\"']+|[\"']+$"),
)


_REMOVE_PARAMETERS: dict[str, Any] = {name: FLAG for name, _ in _REMOVALS}


@operation(
    "REMOVE_COMBINED",
    _FAMILY,
    "Several kinds of characters go, as the flags say.",
    sourceColumn=COLUMN,
    collapseConsecutiveWhitespace=FLAG,
    removeLeadingAndTrailingWhitespace=FLAG,
    removeCustomCharacters=FLAG,
    removeCustomValue=FLAG,
    customCharacters=MAYBE_TEXT,
    customValue=MAYBE_TEXT,
    **_REMOVE_PARAMETERS,
)
def _remove(call: Call) -> None:
    sql = call.c
    for name, pattern in _REMOVALS:
        if call.flag(name):
            sql = f"regexp_replace({sql}, {text(pattern)}, '', 'g')"
    if call.flag("removeCustomCharacters"):
        for character in str(call.given.get("customCharacters", "")):
            sql = f"replace({sql}, {text(character)}, '')"
    if call.flag("removeCustomValue") and call.given.get("customValue"):
        sql = f"replace({sql}, {call.literal('customValue')}, '')"
    if call.flag("collapseConsecutiveWhitespace"):
        sql = rf"regexp_replace({sql}, '\s+', ' ', 'g')"
    if call.flag("removeLeadingAndTrailingWhitespace"):
        sql = rf"regexp_replace({sql}, '^\s+|\s+$', '', 'g')"
    call.rewrite(sql)


@operation(
    "LEFT",
    _FAMILY,
    "The first characters.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    position=INTEGER,
)
def _left(call: Call) -> None:
    call.rewrite(f"substr({call.c}, 1, {call.integer('position')})")


@operation(
    "RIGHT",
    _FAMILY,
    "The last characters.",
    sourceColumn=COLUMN,
    targetColumn=TARGET_OR_SAME,
    position=INTEGER,
)
def _right(call: Call) -> None:
    call.rewrite(f"right({call.c}, {call.integer('position')})")


@operation(
    "MASK_RANGE",
    "personal data",
    "The characters from one position to another become a mask.",
    sourceColumn=COLUMN,
    maskSymbol=Parameter(Kind.TEXT, required=False),
    start=INTEGER,
    stop=INTEGER,
)
def _mask_range(call: Call) -> None:
    start, stop = call.integer("start"), call.integer("stop")
    symbol = call.literal("maskSymbol", "#")
    middle = f"greatest(0, least(length({call.c}), {stop}) - {start})"
    call.rewrite(
        f"substr({call.c}, 1, {start}) || repeat({symbol}, {middle}::INTEGER) || "
        f"substr({call.c}, {stop + 1})"
    )


@operation(
    "MASK_CUSTOM",
    "personal data",
    "Every match of a regular expression becomes a mask.",
    sourceColumn=COLUMN,
    customPattern=TEXT,
    maskSymbol=Parameter(Kind.TEXT, required=False),
)
def _mask_custom(call: Call) -> None:
    symbol = text(str(call.given.get("maskSymbol", "#")).replace("\\", r"\\"))
    call.rewrite(f"regexp_replace({call.c}, {_pattern(call, 'customPattern')}, {symbol}, 'g')")
