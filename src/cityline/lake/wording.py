"""How figures, dates and set phrases are written for people, in one place and per language.

Terminal, pages, charts and file captions agree. Separators and month names come from CLDR through
Babel; phrases from the catalogue `locale/<language>.po`. English is the source language.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Any

MINUS = "−"
UNKNOWN = "–"
LANGUAGES = ("en", "fr")
_LOCALES = {"en": "en_CA", "fr": "fr_CA"}
_YEAR = 12


class Wording:
    """One language: its number marks, its months, its phrases."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = _LOCALES[language]
        symbols = _symbols(self.locale)
        self._decimal: str = symbols["decimal"]
        self._group: str = symbols["group"]
        self.catalogue = _catalogue(language)
        self.gettext: Callable[[str], str] = self.catalogue.gettext

    def cell(self, value: object, unit: str) -> str:
        """A table's cell in words; `unit` as declared in a question. An unknown is a dash."""
        if value is None:
            return UNKNOWN
        if isinstance(value, bool):
            return self.gettext("yes") if value else self.gettext("no")
        if unit == "month" and isinstance(value, str):
            return self.month(date.fromisoformat(value))
        if not isinstance(value, int | float):
            return str(value)
        match unit:
            case "share":
                return self.percent(value)
            case "change":
                return self.signed(value * 100, 1, " %")
            case "points":
                return self.signed(value, 1, " pp")
            case "difference":
                return self.signed(value, 0)
            case "seconds":
                return f"{self.number(value, 0)} s"
            case "index":
                return self.number(value, 2)
            case "year":
                return str(int(value))
            case _:
                return self.number(value, 0 if float(value).is_integer() else 1)

    def number(self, value: float, decimals: int = 0) -> str:
        """`-1234.5` → `−1,234` or, with one decimal, `−1,234.5`."""
        text = f"{value:,.{decimals}f}".replace("-", MINUS)
        if self._group == ",":
            return text
        whole, _, part = text.partition(".")
        return whole.replace(",", self._group) + (self._decimal + part if part else "")

    def percent(self, ratio: float, decimals: int = 1) -> str:
        """`0.1234` → `12.3 %`."""
        return f"{self.number(ratio * 100, decimals)} %"

    def signed(self, value: float, decimals: int = 0, unit: str = "") -> str:
        """A change always shows its sign; nothing at all is `±0`."""
        text = self.number(abs(value), decimals)
        if not any(c in "123456789" for c in text):
            return f"±{text}{unit}"
        return f"{'+' if value > 0 else MINUS}{text}{unit}"

    def month(self, day: date) -> str:
        """`2024-07-01` → `July 2024`, whatever the machine's locale."""
        return f"{self.month_name(day.month)} {day.year}"

    def month_name(self, month: int) -> str:
        """`7` → `July`."""
        return _months(self.locale)[month]

    def day(self, text: str) -> str:
        """`2026-10-31` → `31 October 2026`; an empty text stays empty."""
        if not text:
            return ""
        day = date.fromisoformat(text[:10])
        return f"{day.day} {self.month(day)}"

    def moment(self, text: str) -> str:
        """`2026-11-03T06:04:11+00:00` → `3 November 2026 06:04 UTC`."""
        return f"{self.day(text)} {datetime.fromisoformat(text):%H:%M} UTC" if text else ""

    def span(self, start: date, end: date) -> str:
        """Months in words: `2024`, `2016–2025`, `January–October 2026`, `July 2026`."""
        whole_years = start.month == 1 and end.month == _YEAR
        if whole_years:
            return str(start.year) if start.year == end.year else f"{start.year}–{end.year}"
        if start == end:
            return self.month(start)
        if start.year == end.year:
            return f"{self.month_name(start.month)}–{self.month(end)}"
        return f"{self.month(start)} – {self.month(end)}"

    def size(self, count: int) -> str:
        """Bytes as people say them: `9.4 MB`."""
        value = float(count)
        for unit in ("B", "kB", "MB", "GB"):
            if value < 1000 or unit == "GB":  # noqa: PLR2004 - SI prefixes
                return f"{self.number(value, 0 if unit == 'B' else 1)} {unit}"
            value /= 1000
        raise AssertionError(count)


@cache
def wording(language: str) -> Wording:
    """The wording of a language; raises KeyError for one that is not in LANGUAGES."""
    return Wording(language)


def catalogue_text(language: str) -> str:
    """The catalogue's source, as translators edit it."""
    return resources.files(__package__).joinpath("locale", f"{language}.po").read_text("utf-8")


def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - only other languages need it
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.StringIO(catalogue_text(language)), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def _symbols(locale: str) -> dict[str, str]:
    if locale.startswith("en"):  # the source language needs no library to be loaded
        return {"decimal": ".", "group": ","}
    symbols: dict[str, str] = dict(_cldr(locale).number_symbols["latn"])
    return symbols


@cache
def _months(locale: str) -> dict[int, str]:
    if locale.startswith("en"):
        return dict(enumerate(_MONTHS, 1))
    return {n: str(name) for n, name in _cldr(locale).months["format"]["wide"].items()}


def _cldr(locale: str) -> Any:
    from babel import Locale  # noqa: PLC0415 - 0.1 s to import

    return Locale.parse(locale)


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_ENGLISH = Wording("en")
cell, number, percent, signed = (
    _ENGLISH.cell,
    _ENGLISH.number,
    _ENGLISH.percent,
    _ENGLISH.signed,
)
month, size, span = _ENGLISH.month, _ENGLISH.size, _ENGLISH.span
