"""What a release of the site is made of, before it is pages."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cityline.lake.answer import Answer, Origin
from cityline.lake.wording import Wording
from cityline.stages.publish.explore import Cube

SAMPLE = "Sample data, generated; not the City's figures"
"""Stands on every page, file and picture made from generated data, in the page's language."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with its picture (SVG, colours are CSS variables); a refused answer has none.

    `path` is the address of its page below the language's root, ending in a slash; `choices` are
    the parameters a reader may set, each with its values."""

    answer: Answer
    picture: str
    description: str
    path: str
    choices: tuple[Choice, ...] = ()
    live: bool = False

    @property
    def name(self) -> str:
        """The name of its files: the question, or question and values."""
        stem = self.path.strip("/").removeprefix("questions/")
        return re.sub(r"[^a-z0-9-]+", "-", stem)


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter of an answer: its name, its label, what is chosen and what may be."""

    name: str
    label: str
    chosen: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FacetPage:
    """The page of one value: figures at a glance as (label, figure, note), and its answers."""

    facet: str
    value: str
    label: str
    path: str
    tiles: tuple[tuple[str, str, str], ...]
    entries: tuple[Entry, ...]
    total: int | None
    change: float | None
    share: float | None
    trend: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FacetList:
    """All pages of a facet, the largest first. `period` says for which year the totals are."""

    name: str
    title: str
    one: str
    column: str
    period: str
    pages: tuple[FacetPage, ...]
    feed: bool


@dataclass(frozen=True, slots=True)
class TableNote:
    """A curated table for the dictionary; `columns` are (name, unit, meaning)."""

    name: str
    description: str
    rows: int
    snapshot: str
    bytes: int
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Extract:
    """One pull of a source, and what it changed: `restated` as `govern.Restatements.to_json`."""

    source: str
    title: str
    snapshot: str
    extracted: str
    retrieved_at: str
    rows: int
    sha256: str
    address: str
    cause: str
    restated: Mapping[str, Any]
    lines: tuple[tuple[str, str, str], ...]
    """Changed figures in words: (what, before, after)."""
    news: tuple[tuple[str, str], ...]
    """New periods in words: (period, total)."""
    by_value: Mapping[str, tuple[int, ...]]
    """For each value of the second `by` column, which of `lines` are about it."""

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"data/snapshots/{self.source}-{self.snapshot[:10]}/"


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the pages of one language say. Dates are ISO texts; `next_due` may be empty.

    `audience` is public or internal; `address` where the public site stands, or empty."""

    words: Wording
    languages: tuple[str, ...]
    first_language: str
    audience: str
    city: str
    contact: str
    address: str
    version: str
    snapshot: str
    entries: tuple[Entry, ...]
    others: tuple[Entry, ...]
    """Answers to the same questions for other years."""
    service: tuple[Entry, ...]
    facets: tuple[FacetList, ...]
    glance: tuple[tuple[str, str, str], ...]
    origins: tuple[Origin, ...]
    data_to: str
    last_complete_month: str
    refreshed_at: str
    next_due: str
    checks_passed: int
    checks_total: int
    tables: tuple[TableNote, ...]
    verdicts: tuple[Mapping[str, Any], ...]
    events: tuple[tuple[str, str, str], ...]
    extracts: tuple[Extract, ...]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Translations of values by column."""
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The pages of values, by column and value."""
    cube: Cube | None = None
    """What the page Explore turns; not there where only a page's frame is needed."""
    has_service: bool = False
    has_cube: bool = False

    @property
    def generated(self) -> bool:
        """Whether any answer rests on generated data."""
        return any(o.generated for o in self.origins)

    @property
    def prefix(self) -> str:
        """The language's folder: empty for the first language, else `fr/`."""
        return "" if self.words.language == self.first_language else f"{self.words.language}/"

    @property
    def licences(self) -> tuple[tuple[str, str], ...]:
        """Each source's licence sentence and its address, once."""
        return tuple({(o.attribution, o.licence_url): None for o in self.origins})

    def link(self, column: str, value: object) -> str:
        """The page of a column's value below the language's root, or an empty text."""
        return self.links.get((column, str(value)), "")


def slugs(values: Iterable[str]) -> dict[str, str]:
    """A short name for addresses for each value, without two alike. A value without letters or
    digits is named by its hash."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for value in sorted(values):
        plain = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
        slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
        if not slug or slug in taken:
            slug = f"{slug}-{hashlib.sha256(value.encode()).hexdigest()[:8]}".strip("-")
        taken.add(slug)
        found[value] = slug
    return found
