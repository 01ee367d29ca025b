"""How a figure is written for people, in one place: terminal, page and file captions agree.

Thousands separators, one decimal for per cent, a true minus sign, and a sign always on changes.
"""

from __future__ import annotations

from datetime import date

MINUS = "−"
UNKNOWN = "–"


def cell(value: object, unit: str) -> str:
    """A table's cell in words; `unit` as declared in a question. An unknown is a dash."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "month" and isinstance(value, str):
        return month(date.fromisoformat(value))
    if not isinstance(value, int | float):
        return str(value)
    match unit:
        case "share":
            return percent(value)
        case "change":
            return signed(value * 100, 1, " %")
        case "points":
            return signed(value, 1, " pp")
        case "difference":
            return signed(value, 0)
        case "seconds":
            return f"{number(value, 0)} s"
        case "index":
            return number(value, 2)
        case "year":
            return str(int(value))
        case _:
            return number(value, 0 if float(value).is_integer() else 1)


def number(value: float, decimals: int = 0) -> str:
    """`-1234.5` → `−1,234` or, with one decimal, `−1,234.5`."""
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def percent(ratio: float, decimals: int = 1) -> str:
    """`0.1234` → `12.3 %`."""
    return f"{number(ratio * 100, decimals)} %"


def signed(value: float, decimals: int = 0, unit: str = "") -> str:
    """A change always shows its sign; nothing at all is `±0`."""
    text = number(abs(value), decimals)
    if not any(c in "123456789" for c in text):
        return f"±{text}{unit}"
    return f"{'+' if value > 0 else MINUS}{text}{unit}"


def month(day: date) -> str:
    """`2024-07-01` → `July 2024`, whatever the machine's locale."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def size(count: int) -> str:
    """Bytes as people say them: `9.4 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":  # noqa: PLR2004 - SI prefixes
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError(count)


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
