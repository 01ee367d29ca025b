"""Pages and files of a release, as (path, bytes). Links are relative, so the site works anywhere:
below any path of any server, and from a disk. No script is needed, and none is there.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cityline.lake import wording
from cityline.lake.answer import Answer
from cityline.stages.publish import files
from cityline.stages.publish.site import SAMPLE, Entry, Site

_TAG = re.compile(r"<[^>]*>")
_ROLE = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_FONTS = ("inter-regular.woff2", "inter-semibold.woff2")


def pages(site: Site) -> Iterator[tuple[str, bytes]]:
    """Every file of the release."""
    fonts = {name: _static(name) for name in _FONTS}
    hashed = {name: f"static/{_hashed(name, body)}" for name, body in fonts.items()}
    for name, body in fonts.items():
        yield hashed[name], body
    page = _Page(site, hashed)
    yield "index.html", page.render("index.html", "", "Overview")
    yield "questions/index.html", page.render("questions.html", "../", "Questions")
    for entry in site.entries:
        name = entry.answer.question
        yield (
            f"questions/{name}/index.html",
            page.render("question.html", "../../", entry.answer.title, entry=entry),
        )
        yield from _files(entry)
    yield "data/index.html", page.render("data.html", "../", "Data and dictionary")
    yield "method/index.html", page.render("method.html", "../", "Method")
    yield "accessibility/index.html", page.render("accessibility.html", "../", "Accessibility")


def _files(entry: Entry) -> Iterator[tuple[str, bytes]]:
    answer = entry.answer
    base = f"files/{answer.question}"
    yield f"{base}.csv", files.csv_bytes(answer)
    yield f"{base}.csv-metadata.json", files.metadata_bytes(answer, f"{answer.question}.csv")
    yield f"{base}.json", files.json_bytes(answer)
    yield f"{base}.parquet", files.parquet_bytes(answer)
    if entry.pictures:
        yield f"{base}.svg", _captioned(entry.pictures.svg, answer)
        yield f"{base}.png", entry.pictures.png


def _captioned(svg: bytes, answer: Answer) -> bytes:
    """A picture that leaves the site takes its title, period, snapshot and licence along."""
    told = [answer.sentence, answer.period.label if answer.period else ""]
    told += [f"{t}@{s}" for t, s in answer.snapshots.items()]
    told += sorted({o.attribution for o in answer.origins})
    if answer.generated:
        told.insert(0, f"{SAMPLE}.")
    title = Markup("<title>{}</title><desc>{}</desc>").format(
        answer.title, " · ".join(filter(None, told))
    )
    head, sign, rest = svg.decode().partition(">")
    return f"{head}{sign}{title}{rest}".encode()


class _Page:
    """Renders templates with the frame every page has."""

    def __init__(self, site: Site, static: Mapping[str, str]) -> None:
        self._site = site
        self._static = static
        self._css = _static("site.css").decode()

    def render(self, template: str, root: str, title: str, **context: Any) -> bytes:
        css = self._css
        for name, path in self._static.items():
            css = css.replace(f"url({name})", f"url({root}{path})")
        digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
        html = (
            _environment()
            .get_template(template)
            .render(
                site=self._site,
                root=root,
                title=title,
                css=Markup(css),  # noqa: S704 - our own file
                css_hash=digest,
                sample=SAMPLE,
                **context,
            )
        )
        return html.encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cityline.stages.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "cell": wording.cell,
        "number": wording.number,
        "size": wording.size,
        "day": _day,
        "moment": _moment,
        "svg": _inline,
        "right": lambda column: column.unit not in ("", "month"),
    }
    return environment


def _inline(svg: str, name: str) -> Markup:
    """A drawn picture inside a page, as one image with a name."""
    role = Markup('<svg role="img" aria-label="{}"').format(name)
    # a picture is one image to a screen reader; the table beside it holds the marks
    plain = _TAG.sub(lambda tag: _ROLE.sub("", tag[0]), svg).removeprefix("<svg")
    return role + Markup(plain)  # noqa: S704 - our own drawing; its texts were escaped there


def _day(text: str) -> str:
    """`2026-10-31` → `31 October 2026`."""
    if not text:
        return ""
    day = date.fromisoformat(text[:10])
    return f"{day.day} {wording.month(day)}"


def _moment(text: str) -> str:
    """`2026-11-03T06:04:11+00:00` → `3 November 2026 06:04 UTC`."""
    return f"{_day(text)} {datetime.fromisoformat(text):%H:%M} UTC"


def _static(name: str) -> bytes:
    return resources.files(__package__).joinpath("static", name).read_bytes()


def _hashed(name: str, body: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(body).hexdigest()[:8]}.{ending}"
