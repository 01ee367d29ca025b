"""One state of the city assembled as a site: every answer, every facet, in one language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cityline import __version__
from cityline.flow.extracts import history
from cityline.flow.facets import facet_list, summed, tiles
from cityline.flow.reading import Ask, Reading, prebuilt
from cityline.flow.steps.freshness import freshness
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address, Zone
from cityline.lake.answer import Origin
from cityline.stages.analyse import event_words, glance
from cityline.stages.publish.explore import TABLE, Cube, cube
from cityline.stages.publish.site import SAMPLE, Entry, FacetList, Site, TableNote

Depth = Literal["frame", "main", "all"]
_TREND = 24
"""Months in a small line beside a name."""


def _events(reading: Reading) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (e.date.isoformat(), *event_words(e, reading.told)) for e in reading.folder.city.events
    )


def _verdicts(done: Done) -> tuple[dict[str, object], ...]:
    return tuple(
        {"step": r.step, **v} for r in done.receipts.values() for v in r.details.get("verdicts", ())
    )


def assembled(reading: Reading, until: str = "", depth: Depth = "all") -> Site:
    """The site: all of it, or only its main answers, or only what the frame of a page needs."""
    folder, done = reading.folder, reading.done
    fresh = freshness(reading.parts, done)
    entries, others, facets, service = _answered(reading, depth)
    return Site(
        words=reading.words,
        languages=folder.city.languages,
        first_language=folder.city.language,
        audience=reading.audience,
        city=reading.told.city if reading.told else folder.city.title,
        contact=folder.city.contact,
        address=folder.city.address,
        version=__version__,
        snapshot=done.snapshot,
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
        verdicts=_verdicts(done),
        events=_events(reading),
        extracts=history(reading, until),
        names=reading.names,
        links=_links(reading),
        cube=_cube(reading) if depth == "all" else None,
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
        f"FROM {TABLE} ORDER BY department, channel, month"
    )
    city = reading.folder.city.title
    return cube(
        reading.parts.asking.query(sql, {TABLE: version}),
        snapshot=version.id,
        title=f"3-1-1 inquiries, {city}",
        licences=[(o.attribution, o.licence_url) for o in _origins(reading)],
        notice=SAMPLE if reading.done.generated else "",
    )


def _answered(
    reading: Reading, depth: Depth
) -> tuple[tuple[Entry, ...], tuple[Entry, ...], tuple[FacetList, ...], tuple[Entry, ...]]:
    """Everything that is drawn, asked for at once so that it is drawn side by side."""
    if depth == "frame":
        return (), (), (), ()
    folder = reading.folder
    main: list[Ask] = [(q, {}) for q in reading.questions if folder.questions[q].page != "facets"]
    if depth == "main":
        return tuple(reading.entries(main)), (), (), ()
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
    facets = tuple(facet_list(reading, facet, rest) for facet in folder.facets.values())
    service = [e for e in entries if folder.questions[e.answer.question].page == "service-levels"]
    order = {f.name: f.order for f in folder.facets.values()}
    ordered = tuple(sorted(facets, key=lambda f: order[f.name]))
    return tuple(entries), tuple(others), ordered, tuple(service)


def _city_glance(reading: Reading) -> tuple[tuple[str, str, str], ...]:
    """The same figures for the whole city, from the first facet's table."""
    facets = sorted(reading.folder.facets.values(), key=lambda f: f.order)
    if not facets:
        return ()
    totals = summed(reading.counts(facets[0].values_from))
    source = reading.folder.questions[facets[0].questions[0]].period.source
    return tiles(reading, glance(totals, reading.calendar(source)), None)


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
