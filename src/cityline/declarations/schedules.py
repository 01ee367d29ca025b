"""AWS's cron expressions: six fields, and what is wrong with one that is not."""

from __future__ import annotations

import re

_MONTHS = {
    name: n
    for n, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_DAYS = {name: n for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minutes", 0, 59, {}),
    ("hours", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, {}),
)
_DAY, _WEEKDAY = 2, 4
_SPECIAL = {_DAY: re.compile(r"\?|L|LW|\d{1,2}W"), _WEEKDAY: re.compile(r"\?|L|[1-7](L|#[1-5])")}


def cron_fault(expression: str) -> str:
    """What is wrong with `cron(…)`, or nothing."""
    match = re.fullmatch(r"cron\((.*)\)", expression)
    if match is None:
        return "it is not cron(…)"
    fields = match[1].split()
    if len(fields) != len(_FIELDS):
        return f"it has {len(fields)} fields; AWS wants six: minutes hours day month weekday year"
    if (fields[_DAY] == "?") == (fields[_WEEKDAY] == "?"):
        return "exactly one of day of month and day of week must be ?"
    for at, (text, (name, least, most, words)) in enumerate(zip(fields, _FIELDS, strict=True)):
        special = _SPECIAL.get(at)
        if special is not None and special.fullmatch(text):
            continue
        for part in text.split(","):
            if not _is_part(part, least, most, words):
                return f"{name}: {part!r} is not {least} to {most}"
    return ""


def _is_part(part: str, least: int, most: int, words: dict[str, int]) -> bool:
    base, slash, step = part.partition("/")
    if slash and not (step.isdigit() and int(step) > 0):
        return False
    if base == "*":
        return True
    values = [words.get(v.upper(), int(v) if v.isdigit() else -1) for v in base.split("-")]
    return len(values) <= 2 and all(least <= v <= most for v in values) and values == sorted(values)  # noqa: PLR2004
