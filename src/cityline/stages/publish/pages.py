"""Pages and files of a site, as (path, bytes). Links are relative, so the site works anywhere:
below any path of any server, and from a disk. Answers need no script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cityline.stages.publish import feed, files
from cityline.stages.publish.explore import Cube
from cityline.stages.publish.rendering import assets, explore_scripts, hashed, render
from cityline.stages.publish.site import Entry, Extract, FacetList, FacetPage, Site

Pictured = Callable[[Site, Entry, str], bytes]
"""Makes an answer's picture as a file: svg, png or pdf."""

_ALL = ("csv", "xlsx", "parquet", "json", "svg", "png", "pdf")
_SHOWN = 40
"""Changed figures listed for each extract on the page of all changes."""


def pages(site: Site, pictured: Pictured) -> Iterator[tuple[str, bytes]]:
    """Every file of one language's site. Assets are shared by all languages."""
    for path, body in assets().values():
        yield path, body
    if site.cube:
        yield _cube_path(site.cube), site.cube.script
    for path, body in _pages(site, pictured):
        yield f"{site.prefix}{path}", body


def _pages(site: Site, pictured: Pictured) -> Iterator[tuple[str, bytes]]:
    _ = site.words.gettext
    yield "index.html", render(site, "index.html", "", title=_("Overview"))
    yield "questions/index.html", render(site, "questions.html", "questions/", title=_("Questions"))
    for entry in site.entries:
        yield _page(entry), question_page(site, entry)
        yield f"embed/{entry.answer.question}/index.html", embed_page(site, entry)
        yield from _files(site, entry, _ALL, pictured)
    for entry in site.others:
        yield _page(entry), question_page(site, entry, endings=("csv",))
        yield from _files(site, entry, ("csv",), pictured)
    for facet in site.facets:
        yield f"{facet.name}/index.html", facet_page(site, facet)
        for at, page in enumerate(facet.pages):
            yield from _value(site, facet, page, at)
    yield from _about(site)
    yield "feed.atom", feed.feed(site, site.extracts, _("Changes to the figures"), "feed.atom")


def _page(entry: Entry) -> str:
    return f"{entry.path}index.html"


def question_page(
    site: Site,
    entry: Entry,
    *,
    endings: tuple[str, ...] = _ALL,
    query: str = "",
    as_of: str = "",
) -> bytes:
    """The page of one answer. `query` is the query string its files take when served live."""
    root = "../" * entry.path.count("/")
    name = entry.answer.question
    others = [e for e in site.others if e.answer.question == name]
    pattern = "compare/{compare}-{year}/" if _is_pair(entry) else f"questions/{name}/{{year}}/"
    return render(
        site,
        "question.html",
        entry.path,
        section="questions/",
        title=entry.answer.title,
        entry=entry,
        base=f"{root}files/{name if entry.live else entry.name}",
        endings=endings,
        query=query,
        as_of=as_of,
        live=entry.live,
        page_pattern=f"{pattern}index.html",
        pages=[(_label(e), e.path) for e in others],
        embed=entry.path.startswith("questions/") and not as_of,
    )


def _is_pair(entry: Entry) -> bool:
    return {"year", "compare"} <= {c.name for c in entry.choices}


def _label(entry: Entry) -> str:
    period, against = entry.answer.parameters.get("year"), entry.answer.parameters.get("compare")
    return f"{against} – {period}" if against else str(period)


def embed_page(site: Site, entry: Entry) -> bytes:
    """A chart with its sentence and source, for another site's frame."""
    path = f"embed/{entry.answer.question}/"
    return render(site, "embed.html", path, title=entry.answer.title, entry=entry)


def facet_page(site: Site, facet: FacetList) -> bytes:
    """All values of a facet, the largest first."""
    return render(site, "facet.html", f"{facet.name}/", title=facet.title, facet=facet)


def value_page(
    site: Site,
    facet: FacetList,
    page: FacetPage,
    *,
    neighbours: tuple[FacetPage | None, FacetPage | None] = (None, None),
    live: str = "",
) -> bytes:
    """The page of one value. With `live`, files of its answers are made when asked for; it is the
    query string that names the value."""
    root = "../" * page.path.count("/")
    bases = [f"{root}files/{e.answer.question if live else _file(page, e)}" for e in page.entries]
    changed = [
        (e.extracted, *e.lines[i])
        for e in site.extracts
        if len(e.restated.get("by", ())) > 1
        for i in e.by_value.get(page.value, ())[:_SHOWN]
    ][:_SHOWN]
    return render(
        site,
        "value.html",
        page.path,
        title=page.label,
        facet=facet,
        page=page,
        bases=bases,
        queries=[live] * len(bases),
        endings=_ALL if live else ("csv",),
        workbook=f"{root}files/{_slug(page)}.xlsx",
        changed=changed if facet.feed else [],
        previous=neighbours[0],
        next=neighbours[1],
    )


def _slug(page: FacetPage) -> str:
    return page.path.strip("/").replace("/", "-")


def _file(page: FacetPage, entry: Entry) -> str:
    return f"{_slug(page)}-{entry.answer.question}"


def _value(site: Site, facet: FacetList, page: FacetPage, at: int) -> Iterator[tuple[str, bytes]]:
    before = facet.pages[at - 1] if at else None
    after = facet.pages[at + 1] if at + 1 < len(facet.pages) else None
    yield f"{page.path}index.html", value_page(site, facet, page, neighbours=(before, after))
    answers = [e.answer for e in page.entries if not e.answer.refused]
    yield f"files/{_slug(page)}.xlsx", files.workbook(answers, site, page.label)
    for entry in page.entries:
        if not entry.answer.refused:
            yield f"files/{_file(page, entry)}.csv", files.csv_bytes(entry.answer)
    if facet.feed:
        about = [e for e in site.extracts if page.value in e.by_value]
        path = f"{page.path}feed.atom"
        yield path, feed.feed(site, about, page.label, path, value=page.value)


def _files(
    site: Site, entry: Entry, endings: tuple[str, ...], pictured: Pictured
) -> Iterator[tuple[str, bytes]]:
    for ending in endings:
        body = file_of(site, entry, ending, pictured)
        if body is not None:
            yield f"files/{entry.name}.{ending}", body
    if "json" in endings:
        described = files.metadata_bytes(entry.answer, f"{entry.name}.csv", site)
        yield f"files/{entry.name}.csv-metadata.json", described


def file_of(site: Site, entry: Entry, ending: str, pictured: Pictured) -> bytes | None:
    """An answer as a file; None for a kind that there is not, as a picture of a refused answer."""
    answer = entry.answer
    match ending:
        case "csv":
            return files.csv_bytes(answer)
        case "json":
            return files.json_bytes(answer, site)
        case "parquet":
            return files.parquet_bytes(answer, site)
        case "xlsx":
            return files.workbook([answer], site, answer.title)
        case "svg" | "png" | "pdf" if entry.picture:
            return pictured(site, entry, ending)
    return None


def _about(site: Site) -> Iterator[tuple[str, bytes]]:
    """The pages about the figures rather than of them."""
    _ = site.words.gettext
    if site.service:
        yield "service-levels/index.html", service_page(site)
    if site.cube:
        yield "explore/index.html", explore_page(site, site.cube)
    for path, template, title in about(site):
        yield f"{path}index.html", about_page(site, path, template, title)
    for extract in site.extracts:
        yield f"{extract.path}index.html", extract_page(site, extract)


def about(site: Site) -> tuple[tuple[str, str, str], ...]:
    """(path, template, title) of the pages about the figures."""
    _ = site.words.gettext
    return (
        ("data/", "data.html", _("Data")),
        ("data/dictionary/", "dictionary.html", _("Dictionary")),
        ("data/snapshots/", "snapshots.html", _("Snapshots and extracts")),
        ("method/", "method.html", _("Method")),
        ("method/changes/", "changes.html", _("Changes to the figures")),
        ("accessibility/", "accessibility.html", _("Accessibility")),
    )


def explore_page(site: Site, cube: Cube) -> bytes:
    """The one page that loads a chart runtime."""
    scripts = explore_scripts(_cube_path(cube))
    title = site.words.gettext("Explore")
    return render(site, "explore.html", "explore/", title=title, cube=cube, scripts=scripts)


def _cube_path(cube: Cube) -> str:
    return f"explore/{hashed('cube.js', cube.script)}"


def service_page(site: Site) -> bytes:
    """The answers about the contact centre, one below the other."""
    title = site.words.gettext("Service levels")
    context = {"entries": site.service, "endings": _ALL}
    return render(site, "group.html", "service-levels/", title=title, **context)


def extract_page(site: Site, extract: Extract) -> bytes:
    """One pull of a source, and every figure it changed."""
    title = f"{extract.title}, {site.words.day(extract.extracted)}"
    return render(site, "extract.html", extract.path, title=title, extract=extract, limit=1000)


def about_page(
    site: Site, path: str, template: str, title: str, past: list[tuple[str, str]] | None = None
) -> bytes:
    """A page about the figures. `past` are (id, time) of earlier states, when served live."""
    return render(site, template, path, title=title, past=past or [], limit=_SHOWN)
