"""The step `publish/site`: answers and pictures into a release of pages, not yet switched to."""

from __future__ import annotations

from collections.abc import Mapping

from cityline import __version__
from cityline.flow.parts import Parts
from cityline.flow.plan import questions
from cityline.flow.steps.answer import load
from cityline.flow.steps.freshness import freshness
from cityline.flow.steps.outcome import Done, Made
from cityline.flow.steps.visualise import pictures
from cityline.lake.address import Address, Zone
from cityline.lake.version import DataFile, Version
from cityline.stages.publish.pages import pages
from cityline.stages.publish.release import write_release
from cityline.stages.publish.site import Entry, Site, TableNote


def inputs(parts: Parts, _site: str, done: Done) -> Mapping[str, str]:
    """Every answer, every verdict, and what the frame of each page says."""
    answers = {f"answers/{q}": done.version(f"answers/{q}").id for q in questions(parts.folder)}
    tables = {t: v.id for t, v in done.tables().items()}
    fresh = freshness(parts, done)
    return {**answers, **tables, "city": parts.folder.digest("city.toml"), "fresh": str(fresh)}


def perform(parts: Parts, _site: str, done: Done, _run: str) -> Made:
    """Write the release completely. Readers see it once the run promotes it."""
    fresh = freshness(parts, done)
    tables = done.tables()
    site = Site(
        city=parts.folder.city.title,
        language=parts.folder.city.language,
        contact=parts.folder.city.contact,
        version=__version__,
        entries=tuple(
            Entry(
                load(parts, q, done),
                pictures(parts, q, done),
                parts.folder.questions[q].description,
            )
            for q in questions(parts.folder)
        ),
        data_to=fresh.data_to,
        last_complete_month=fresh.last_complete_month,
        refreshed_at=fresh.refreshed_at,
        next_due=fresh.next_due,
        checks_passed=fresh.checks_passed,
        checks_total=fresh.checks_total,
        tables=tuple(_notes(parts, tables)),
        verdicts=tuple(
            {"step": r.step, **v}
            for r in done.receipts.values()
            for v in r.details.get("verdicts", ())
        ),
        events=tuple((e.date, e.title, e.note) for e in parts.folder.city.events),
    )
    identity, files = write_release(parts.site, pages(site))
    listed = tuple(DataFile(f"site/{name}", 0, size) for name, size in files.items())
    version = Version(Address(Zone.SITE, "site"), identity, 0, listed)
    return Made((version,), len(site.entries), len(files), site.generated, {})


def _notes(parts: Parts, tables: Mapping[str, Version]) -> list[TableNote]:
    """What each table of the dictionary holds."""
    notes = []
    for name, model in parts.folder.models.items():
        version = tables[Address(Zone.CURATED, name).table]
        columns = tuple((c.name, c.unit, c.description) for c in model.columns)
        notes.append(
            TableNote(version.address.table, model.description, version.rows, version.id, columns)
        )
    return notes
