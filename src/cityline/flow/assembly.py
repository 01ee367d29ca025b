"""One state of the city assembled as a site: every answer, every facet, in one language."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date

from cityline import __version__
from cityline.declarations.facet import Facet
from cityline.flow.extracts import history
from cityline.flow.reading import Ask, Reading, prebuilt
from cityline.flow.steps.freshness import freshness
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address, Zone
from cityline.lake.answer import Origin
from cityline.stages.analyse import Figure, Glance, event_words, glance
from cityline.stages.publish.explore import TABLE, Cube, cube
from cityline.stages.publish.site import SAMPLE, Entry, FacetList, FacetPage, Site, TableNote

_DATA = (Zone.RAW, Zone.LANDING, Zone.CURATED, Zone.ANSWERS)
_TREND = 24
"""Months in a small line beside a name."""


def data_id(done: Done) -> str:
    """The id of a state's data: the hash of every version but the site's own pages."""
    versions = sorted(
        f"{v.address}@{v.id}"
        for r in done.receipts.values()
        for v in r.versions
        if v.address.zone in _DATA
    )
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def assembled(reading: Reading, until: str = "", *, complete: bool = True) -> Site:
    """The whole site, or without `complete` only what the frame of a page needs."""
    folder, done = reading.folder, reading.done
    fresh = freshness(reading.parts, done)
    entries, others, facets, service = _answered(reading) if complete else ((), (), (), ())
    return Site(
        words=reading.words,
        languages=folder.city.languages,
        first_language=folder.city.language,
        audience=reading.audience,
        city=reading.told.city if reading.told else folder.city.title,
        contact=folder.city.contact,
        address=folder.city.address,
        version=__version__,
        snapshot=data_id(done),
        entries=entries,
        others=others,
        service=service,
        facets=facets,
        glance=_city_glance(reading),
        origins=_origins(reading),
        data_to=fresh.data_to,
        last_complete_month=fresh.last_month,
        refreshed_at=fresh.refreshed_at,
        next_due=fresh.next_due,
        checks_passed=fresh.checks_passed,
        checks_total=fresh.checks_total,
        tables=tuple(_notes(reading)),
        verdicts=tuple(
            {"step": r.step, **v}
            for r in done.receipts.values()
            for v in r.details.get("verdicts", ())
        ),
        events=tuple(
            (e.date.isoformat(), *event_words(e, reading.told)) for e in folder.city.events
        ),
        extracts=history(reading, until),
        names=reading.names,
        links=_links(reading),
        cube=_cube(reading) if complete else None,
        has_cube=TABLE in done.tables(),
        has_service=any(folder.questions[q].page == "service-levels" for q in reading.questions),
    )


def _cube(reading: Reading) -> Cube | None:
    """The table Explore turns about, if the city has it."""
    version = reading.done.tables().get(TABLE)
    if version is None:
        return None
    sql = (
        "SELECT department, channel, month, year, month_of_year, inquiries, month_complete "
        f"FROM {TABLE} ORDER BY ALL"
    )
    city = reading.folder.city.title
    return cube(
        reading.parts.engine.query(sql, {TABLE: version}),
        snapshot=version.id,
        title=f"3-1-1 inquiries, {city}",
        licences=[(o.attribution, o.licence_url) for o in _origins(reading)],
        notice=SAMPLE if reading.done.generated else "",
    )


def _answered(
    reading: Reading,
) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[FacetList, ...], tuple[Entry, ...]]:
    """Everything that is drawn, asked for at once so that it is drawn side by side."""
    folder = reading.folder
    main: list[Ask] = [(q, {}) for q in reading.questions if folder.questions[q].page != "facets"]
    other: list[Ask] = [
        (q, asked)
        for q in reading.questions
        for asked in prebuilt(
            folder.questions[q], reading.calendar(folder.questions[q].period.source).years
        )
    ]
    pages: list[Ask] = [
        (q, {facet.column: value})
        for facet in folder.facets.values()
        for value in reading.values(facet.values_from)
        for q in facet.questions
        if q in reading.questions
    ]
    found = reading.entries([*main, *other, *pages])
    entries = found[: len(main)]
    others = found[len(main) : len(main) + len(other)]
    rest = iter(found[len(main) + len(other) :])
    facets = tuple(_facet(reading, facet, rest) for facet in folder.facets.values())
    service = [e for e in entries if folder.questions[e.answer.question].page == "service-levels"]
    order = {f.name: f.order for f in folder.facets.values()}
    ordered = tuple(sorted(facets, key=lambda f: order[f.name]))
    return tuple(entries), tuple(others), ordered, tuple(service)


def _facet(reading: Reading, facet: Facet, rest: Iterator[Entry]) -> FacetList:
    source = reading.folder.questions[facet.questions[0]].period.source
    calendar = reading.calendar(source)
    counts = reading.counts(facet.values_from)
    everything = glance(_summed(counts), calendar)
    slugs = reading.slugs(facet.name)
    months = sorted(calendar.complete)[-_TREND:]
    asked = [q for q in facet.questions if q in reading.questions]
    pages = []
    for value in reading.values(facet.values_from):
        seen = glance(counts[value], calendar)
        year, whole = seen.year, everything.year
        pages.append(
            FacetPage(
                facet=facet.name,
                value=value,
                label=reading.names.get(facet.column, {}).get(value, value),
                path=f"{facet.name}/{slugs[value]}/",
                tiles=_tiles(reading, seen, everything),
                entries=tuple(next(rest) for _ in asked),
                total=year.total if year else None,
                change=year.change if year else None,
                share=year.total / whole.total if year and whole and whole.total else None,
                trend=tuple(counts[value].get(m, 0) for m in months),
            )
        )
    told = reading.told.facets.get(facet.name) if reading.told else None
    return FacetList(
        name=facet.name,
        title=told.title if told else facet.title,
        one=told.one if told else facet.one,
        column=facet.column,
        period=everything.year.period.label if everything.year else "",
        pages=tuple(sorted(pages, key=lambda p: (-(p.total or 0), p.value))),
        feed=facet.feed,
    )


def _summed(counts: Mapping[str, Mapping[date, int]]) -> dict[date, int]:
    total: dict[date, int] = {}
    for months in counts.values():
        for month, n in months.items():
            total[month] = total.get(month, 0) + n
    return total


def _tiles(
    reading: Reading, seen: Glance, whole: Glance | None
) -> tuple[tuple[str, str, str], ...]:
    """(label, figure, note) for the year, the month and the year so far."""
    say = reading.words
    text = say.gettext
    tiles = []
    for figure in (seen.year, seen.month, seen.to_date):
        if figure is None:
            continue
        label = text("Inquiries in {period}").format(
            period=say.span(figure.period.start, figure.period.end)
        )
        tiles.append((label, say.number(figure.total), _against(reading, figure)))
    if whole and whole.year and seen.year and whole.year.total:
        label = text("Share of all in {period}").format(period=whole.year.period.start.year)
        tiles.append((label, say.percent(seen.year.total / whole.year.total), ""))
    return tuple(tiles)


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


def _city_glance(reading: Reading) -> tuple[tuple[str, str, str], ...]:
    """The same figures for the whole city, from the first facet's table."""
    facets = sorted(reading.folder.facets.values(), key=lambda f: f.order)
    if not facets:
        return ()
    totals = _summed(reading.counts(facets[0].values_from))
    source = reading.folder.questions[facets[0].questions[0]].period.source
    return _tiles(reading, glance(totals, reading.calendar(source)), None)


def _links(reading: Reading) -> dict[tuple[str, str], str]:
    """Every value's page by column and value."""
    return {
        (facet.column, value): f"{name}/{slug}/"
        for name, facet in reading.folder.facets.items()
        for value, slug in reading.slugs(name).items()
    }


def _origins(reading: Reading) -> tuple[Origin, ...]:
    found = {o.source: o for q in reading.questions for o in reading.answer(q).origins}
    return tuple(found.values())


def _notes(reading: Reading) -> Iterator[TableNote]:
    """What each table of the dictionary holds."""
    tables = reading.done.tables()
    told = reading.told
    for name, model in reading.folder.models.items():
        version = tables[Address(Zone.CURATED, name).table]
        columns = tuple(
            (
                c.name,
                c.unit,
                (told.meanings.get(f"{name}.{c.name}") or told.meanings.get(c.name) if told else "")
                or c.description,
            )
            for c in model.columns
        )
        description = told.tables.get(name, model.description) if told else model.description
        yield TableNote(
            version.address.table, description, version.rows, version.id, version.bytes, columns
        )
