"""What a release of the site is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cityline.lake.answer import Answer

SAMPLE = "Sample data, generated; not the City's figures"
"""Stands on every page, file and picture made from generated data."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """One chart: for pages (colours are CSS variables), and as SVG and PNG files."""

    page: str
    svg: bytes
    png: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its pictures; a refused answer has none."""

    answer: Answer
    pictures: Pictures | None
    description: str


@dataclass(frozen=True, slots=True)
class TableNote:
    """A curated table for the dictionary; `columns` are (name, unit, meaning)."""

    name: str
    description: str
    rows: int
    snapshot: str
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the pages say. Dates are ISO texts; `next_due` may be empty."""

    city: str
    language: str
    contact: str
    version: str
    entries: tuple[Entry, ...]
    data_to: str
    last_complete_month: str
    refreshed_at: str
    next_due: str
    checks_passed: int
    checks_total: int
    tables: tuple[TableNote, ...]
    verdicts: tuple[Mapping[str, Any], ...]
    events: tuple[tuple[date, str, str], ...]

    @property
    def generated(self) -> bool:
        """Whether any answer rests on generated data."""
        return any(e.answer.generated for e in self.entries)

    @property
    def licences(self) -> tuple[tuple[str, str], ...]:
        """Each source's licence sentence and its address, once."""
        found = {
            (o.attribution, o.licence_url): None for e in self.entries for o in e.answer.origins
        }
        return tuple(found)
