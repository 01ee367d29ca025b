"""Pages of facets: one value of a column, its figures at a glance, and its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from cityline.declarations.facet import Facet
from cityline.errors import UsageError
from cityline.flow.reading import Reading
from cityline.stages.analyse import Calendar, Figure, Glance, glance
from cityline.stages.publish.site import Entry, FacetList, FacetPage

_TREND = 24
"""Months in a small line beside a name."""


def facet_list(reading: Reading, facet: Facet, rest: Iterator[Entry]) -> FacetList:
    """Every page of a facet, the largest first. `rest` yields the entries of each in the order of
    values and questions."""
    asked = [q for q in facet.questions if q in reading.questions]
    pages = [
        _page(reading, facet, value, tuple(next(rest) for _ in asked))
        for value in reading.values(facet.values_from)
    ]
    return _list(reading, facet, pages)


def value_entries(reading: Reading, name: str, slug: str) -> tuple[FacetList, FacetPage]:
    """The page of one value, made now. Raises UsageError for a value that there is not."""
    facet = reading.folder.facets[name]
    value = next((v for v, s in reading.slugs(name).items() if s == slug), None)
    if value is None:
        raise UsageError(f"there is no page {slug!r}", where=name)
    asked = [(q, {facet.column: value}) for q in facet.questions if q in reading.questions]
    page = _page(reading, facet, value, tuple(reading.entries(asked, live=True)))
    return _list(reading, facet, [page]), page


def _list(reading: Reading, facet: Facet, pages: list[FacetPage]) -> FacetList:
    told = reading.told.facets.get(facet.name) if reading.told else None
    year = glance(summed(reading.counts(facet.values_from)), _calendar(reading, facet)).year
    return FacetList(
        name=facet.name,
        title=told.title if told else facet.title,
        one=told.one if told else facet.one,
        column=facet.column,
        period=year.period.label if year else "",
        pages=tuple(sorted(pages, key=lambda p: (-(p.total or 0), p.value))),
        feed=facet.feed,
    )


def _calendar(reading: Reading, facet: Facet) -> Calendar:
    return reading.calendar(reading.folder.questions[facet.questions[0]].period.source)


def _page(reading: Reading, facet: Facet, value: str, entries: tuple[Entry, ...]) -> FacetPage:
    calendar = _calendar(reading, facet)
    counts = reading.counts(facet.values_from)
    everything = glance(summed(counts), calendar)
    seen = glance(counts[value], calendar)
    year, whole = seen.year, everything.year
    months = sorted(calendar.complete)[-_TREND:]
    return FacetPage(
        facet=facet.name,
        value=value,
        label=reading.names.get(facet.column, {}).get(value, value),
        path=f"{facet.name}/{reading.slugs(facet.name)[value]}/",
        tiles=tiles(reading, seen, everything),
        entries=entries,
        total=year.total if year else None,
        change=year.change if year else None,
        share=year.total / whole.total if year and whole and whole.total else None,
        trend=tuple(counts[value].get(m, 0) for m in months),
    )


def summed(counts: Mapping[str, Mapping[date, int]]) -> dict[date, int]:
    """Inquiries of all values by month."""
    total: dict[date, int] = {}
    for months in counts.values():
        for month, n in months.items():
            total[month] = total.get(month, 0) + n
    return total


def tiles(reading: Reading, seen: Glance, whole: Glance | None) -> tuple[tuple[str, str, str], ...]:
    """(label, figure, note) for the year, the month and the year so far."""
    say = reading.words
    text = say.gettext
    made = []
    for figure in (seen.year, seen.month, seen.to_date):
        if figure is None:
            continue
        label = text("Inquiries in {period}").format(
            period=say.span(figure.period.start, figure.period.end)
        )
        made.append((label, say.number(figure.total), _against(reading, figure)))
    if whole and whole.year and seen.year and whole.year.total:
        label = text("Share of all in {period}").format(period=whole.year.period.start.year)
        made.append((label, say.percent(seen.year.total / whole.year.total), ""))
    return tuple(made)


def _against(reading: Reading, figure: Figure) -> str:
    say = reading.words
    if figure.before is None:
        return say.gettext("no complete months a year earlier")
    before = say.number(figure.before)
    if figure.change is None:
        return say.gettext("{before} a year earlier").format(before=before)
    change = say.cell(figure.change, "change")
    sign = "▲" if figure.total > figure.before else "▼" if figure.total < figure.before else "="
    return say.gettext("{sign} {change} on the same period a year earlier ({before})").format(
        sign=sign, change=change, before=before
    )
