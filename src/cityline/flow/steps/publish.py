"""The step `publish/site`: one state into a release of pages, not yet switched to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cityline.flow.assembly import assembled
from cityline.flow.parts import Parts
from cityline.flow.plan import questions
from cityline.flow.reading import Reading
from cityline.flow.steps.freshness import freshness, months
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.lake.version import DataFile, Version
from cityline.stages.publish.pages import Pictured, pages
from cityline.stages.publish.release import write_release
from cityline.stages.publish.site import SAMPLE, Entry, Site
from cityline.stages.visualise import captioned


def inputs(parts: Parts, _site: str, done: Done) -> Mapping[str, str]:
    """Every answer, every table, every verdict, the pulls before, and what is declared."""
    answers = {f"answers/{q}": done.version(f"answers/{q}").id for q in questions(parts.folder)}
    tables = {t: v.id for t, v in done.tables().items()}
    fresh = freshness(parts, done)
    declared = ("city.toml", "languages/", "facets/", "questions/", "models/", "sources/")
    return {
        **answers,
        **tables,
        "fresh": str(fresh),
        "declarations": parts.folder.digest(*declared),
    }


def perform(parts: Parts, _site: str, done: Done, _run: str) -> Made:
    """Write the release completely. Readers see it once the run promotes it."""
    audience = parts.folder.city.publish
    identity, files = write_release(parts.site, rendered(parts, done, audience))
    listed = tuple(DataFile(f"site/{name}", 0, size) for name, size in files.items())
    version = Version(Address(Zone.SITE, "site"), identity, 0, listed)
    details = {"months": months(parts, done)}
    return Made((version,), len(questions(parts.folder)), len(files), done.generated, details)


def rendered(
    parts: Parts, done: Done, audience: str = "public", until: str = ""
) -> Iterator[tuple[str, bytes]]:
    """Every file of the site in all the city's languages. `until` leaves out pulls started later,
    so that a past release comes out as it was."""
    written: set[str] = set()
    reading: Reading | None = None
    for language in parts.folder.city.languages:
        reading = Reading(parts, done, language, audience, reading)
        site = assembled(reading, until)
        for path, body in pages(site, pictured(parts)):
            if path not in written:  # assets are the same in every language
                written.add(path)
                yield path, body


def pictured(parts: Parts) -> Pictured:
    """Makes picture files of entries with a city's figures."""

    def picture(site: Site, entry: Entry, ending: str) -> bytes:
        notice = site.words.gettext(SAMPLE)
        address = f"{site.address}{site.prefix}{entry.path}" if site.address else ""
        svg = captioned(entry.picture, entry.answer, site.words, notice, address)
        if ending == "svg":
            return svg.encode()
        return parts.figures.png(svg) if ending == "png" else parts.figures.pdf(svg)

    return picture
