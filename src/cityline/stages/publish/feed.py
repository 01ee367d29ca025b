"""The Atom feed (RFC 4287) of extracts and of the figures they changed."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from cityline.stages.publish.rendering import environment
from cityline.stages.publish.site import SAMPLE, Extract, Site

_ATOM = "http://www.w3.org/2005/Atom"
_SPACE = uuid.UUID("6f1c4f4e-0f0b-5d0e-9a6e-311311311311")
"""The namespace of the feeds' ids: the same extract has the same id wherever it is published."""
_MOST = 50
_NEWEST = 30
ET.register_namespace("", _ATOM)


def feed(
    site: Site, extracts: Sequence[Extract], title: str, path: str, *, value: str = ""
) -> bytes:
    """A feed of the newest extracts; with `value` only the changed figures of that value."""
    words = site.words
    depth = path.count("/")
    base = f"{site.address}{site.prefix}" if site.address else "../" * depth
    name = f"{title} · {words.gettext('3-1-1 inquiries, {city}').format(city=site.city)}"
    if site.generated:
        name += f" · {words.gettext(SAMPLE)}"
    root = _element(None, "feed", {"xml:lang": words.language})
    _element(root, "id", text=_urn(f"{site.city}/{words.language}/{path}"))
    _element(root, "title", text=name)
    newest = max((e.retrieved_at for e in extracts), default=site.refreshed_at)
    _element(root, "updated", text=newest)
    _element(root, "link", {"rel": "self", "href": f"{base}{path}"})
    _element(root, "link", {"rel": "alternate", "href": f"{base}method/changes/index.html"})
    author = _element(root, "author")
    _element(author, "name", text=site.city)
    for extract in extracts[:_NEWEST]:
        _entry(root, site, extract, base, value)
    ET.indent(root, " ")
    text: str = ET.tostring(root, "unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _entry(root: ET.Element, site: Site, extract: Extract, base: str, value: str) -> None:
    words = site.words
    entry = _element(root, "entry")
    key = f"{extract.source}/{extract.snapshot}/{value}/{words.language}"
    _element(entry, "id", text=_urn(key))
    told = environment(words.language).filters["told"](extract)
    _element(entry, "title", text=f"{extract.title}, {words.day(extract.extracted)}: {told}")
    _element(entry, "updated", text=extract.retrieved_at)
    _element(entry, "link", {"rel": "alternate", "href": f"{base}{extract.path}index.html"})
    chosen = [extract.lines[i] for i in extract.by_value.get(value, ())] if value else extract.lines
    line = words.gettext("{what}: {before} → {after} on {day}")
    lines = [
        line.format(what=what, before=before, after=after, day=words.day(extract.extracted))
        for what, before, after in chosen[:_MOST]
    ]
    _element(entry, "content", {"type": "text"}, "\n".join(lines) or told)


def _element(
    parent: ET.Element | None, name: str, attributes: dict[str, str] | None = None, text: str = ""
) -> ET.Element:
    attributes = {k.replace("xml:", _XML): v for k, v in (attributes or {}).items()}
    tag = f"{{{_ATOM}}}{name}"
    made = ET.Element(tag, attributes) if parent is None else ET.SubElement(parent, tag, attributes)
    # XML 1.0 has no place for control characters a source may hold
    made.text = "".join(c for c in text if c in "\n\t" or ord(c) >= _FIRST_PRINTABLE) or None
    return made


_XML = "{http://www.w3.org/XML/1998/namespace}"
_FIRST_PRINTABLE = 0x20


def _urn(key: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_SPACE, key)}"
