"""Templates into HTML, in one language; and the assets pages refer to by their hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cityline.lake.answer import Answer, AnswerColumn
from cityline.lake.wording import Wording, wording
from cityline.stages.publish.site import SAMPLE, Extract, Site

_TAG = re.compile(r"<[^>]*>")
_ROLE = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')
_ASSETS = ("site.css", "site.js", "inter-regular.woff2", "inter-semibold.woff2")
_WHOLE = Markup('<span class="nb">3-1-1</span>')
_OWN = ("explore-words.js", "explore-pivot.js", "explore-chart.js", "explore.js")
_EXPLORE = ("vendor/vega.js", *_OWN)
"""The scripts of the page Explore in the order they run."""


@cache
def assets() -> Mapping[str, tuple[str, bytes]]:
    """Every asset by its plain name: its path, which holds a hash of its bytes, and its bytes."""
    bodies = {name: _static(name) for name in (*_ASSETS, *_EXPLORE, "explore.css")}
    css = bodies["site.css"].decode()
    for name in (n for n in _ASSETS if n.endswith(".woff2")):
        css = css.replace(f"url({name})", f"url({hashed(name, bodies[name])})")
    bodies["site.css"] = css.encode()
    named = {n: (f"static/{hashed(n.rpartition('/')[2], b)}", b) for n, b in bodies.items()}
    # what a licence asks for goes where the code goes
    name = "vega.LICENSE.txt"
    return {**named, name: (f"static/{name}", _static(f"vendor/{name}"))}


def render(site: Site, template: str, path: str, **context: Any) -> bytes:
    """One page. `path` is its folder below the language's root, with a slash at its end."""
    depth = path.count("/")
    root = "../" * depth
    top = root + ("../" if site.prefix else "")
    section = context.pop("section", path.split("/", maxsplit=1)[0] + "/" if path else "")
    html = (
        environment(site.words.language)
        .get_template(template)
        .render(
            site=site,
            path=path,
            root=root,
            top=top,
            section=section,
            assets={n: p for n, (p, _) in assets().items()},
            navigation=_navigation(site),
            sample=SAMPLE,
            **{"as_of": "", "query": "", "live": False, **context},
        )
    )
    return html.encode()


def explore_scripts(cube: str) -> list[str]:
    """The scripts of the page Explore, the cube's own first."""
    return [cube, *(assets()[name][0] for name in _EXPLORE)]


def _navigation(site: Site) -> list[tuple[str, str]]:
    _ = site.words.gettext
    found = [(_("Overview"), ""), (_("Questions"), "questions/")]
    found += [(f.title, f"{f.name}/") for f in site.facets[:1]]
    if site.has_service:
        found.append((_("Service levels"), "service-levels/"))
    if site.has_cube:
        found.append((_("Explore"), "explore/"))
    return [*found, (_("Data"), "data/"), (_("Method"), "method/")]


@cache
def environment(language: str) -> Environment:
    """The templates in a language, with the filters they use."""
    words = wording(language)
    made = Environment(
        loader=PackageLoader("cityline.stages.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["_"] = words.gettext
    made.filters |= {
        "cell": words.cell,
        "number": words.number,
        "size": words.size,
        "day": words.day,
        "moment": words.moment,
        "month_of": lambda text: (
            words.day(text).partition(" ")[2] if text else words.gettext("none")
        ),
        "svg": _inline,
        "whole": lambda text: escape(text).replace("3-1-1", _WHOLE),
        "short": lambda text: text[:7],
        "command": _command,
        "told": lambda extract: _told(extract, words),
        "right": _right,
        "body": _body,
        "value": _value,
    }
    return made


def _body(answer: Answer, site: Site, root: str, limit: int = 0) -> Markup:
    """The rows of an answer's table. A cell that names something with a page links to it; a name
    that is not translated says in which language it is."""
    lines = []
    heads = [(c, ' class="n"' if _right(c) else "") for c in answer.columns]
    for row in answer.rows[:limit] if limit else answer.rows:
        cells = []
        for at, (value, (column, css)) in enumerate(zip(row, heads, strict=True)):
            tag, scope = ("td", "") if at else ("th", ' scope="row"')
            cells.append(f"<{tag}{scope}{css}>{_cell(value, column, site, root)}</{tag}>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return Markup("\n".join(lines))  # noqa: S704 - every value was escaped in _cell


def _cell(value: Any, column: AnswerColumn, site: Site, root: str) -> str:
    if column.unit or not isinstance(value, str):
        return str(escape(site.words.cell(value, column.unit)))
    names = site.names.get(column.name)
    text = str(escape((names or {}).get(value, value)))
    if names is not None and value not in names:
        text = f'<span lang="{site.first_language}">{text}</span>'
    target = site.link(column.name, value)
    return f'<a href="{root}{target}index.html">{text}</a>' if target else text


def _value(value: Any, column: AnswerColumn, site: Site, root: str) -> Markup:
    """One value as in a table's cell."""
    return Markup(_cell(value, column, site, root))  # noqa: S704 - escaped in _cell


def _right(column: AnswerColumn) -> bool:
    """Whether a column holds figures, which stand to the right."""
    return column.unit not in ("", "month")


def _told(extract: Extract, words: Wording) -> str:
    """What an extract changed, in one sentence."""
    _ = words.gettext
    if not extract.restated:
        return _("First extract: {rows} rows.").format(rows=words.number(extract.rows))
    parts = [
        _("{what} added: {total}").format(what=what, total=total) for what, total in extract.news
    ]
    count = len(extract.lines) + int(extract.restated["more"])
    parts.append(
        _("{count} earlier figures changed").format(count=words.number(count))
        if count
        else _("no earlier figure changed")
    )
    return "; ".join(parts) + "."


def _command(answer: Answer) -> str:
    """The command that computes an answer again."""
    asked = " ".join(f"--set {k}={_quoted(str(v))}" for k, v in answer.parameters.items())
    return f"cityline answer {answer.question} {asked}".strip()


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.-]+", text) else "'" + text.replace("'", "'\\''") + "'"


def _inline(svg: str, name: str) -> Markup:
    """A drawn picture inside a page, as one image with a name."""
    role = Markup('<svg role="img" aria-label="{}"').format(name)
    # a picture is one image to a screen reader; the table beside it holds the marks
    plain = _TAG.sub(lambda tag: _ROLE.sub("", tag[0]), svg).removeprefix("<svg")
    return role + Markup(plain)  # noqa: S704 - our own drawing; its texts were escaped there


def _static(name: str) -> bytes:
    return resources.files(__package__).joinpath("static", name).read_bytes()


def hashed(name: str, body: bytes) -> str:
    """A file's name with a hash of its bytes, so that it may be kept for ever."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(body).hexdigest()[:8]}.{ending}"
