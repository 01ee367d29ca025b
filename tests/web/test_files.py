"""The published files themselves: links, cells, licence, budgets, languages, and payloads."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import feedparser
import html5lib
import openpyxl
import pyarrow.parquet as pq
import pytest

from cityline.flow.assembly import assembled
from cityline.flow.reading import Reading
from cityline.flow.steps.answer import load
from cityline.flow.steps.publish import pictured
from cityline.lake.answer import Answer
from cityline.lake.wording import wording
from cityline.stages.publish import files
from cityline.stages.publish.pages import file_of, question_page
from cityline.stages.publish.rendering import assets
from cityline.stages.publish.site import SAMPLE, Entry, slugs
from cityline.stages.visualise import captioned, chart, look
from tests.conftest import Ran
from tests.web.payloads import PAYLOADS

LICENCE = "Contains information licensed under the Open Government Licence – Vancouver."
DRAWN = {"svg", "g", "path", "text", "rect", "title", "desc", "defs", "clipPath", "line"}
FRENCH = "Données d’exemple, générées; pas les chiffres de la Ville"


def all_pages(site: Path) -> list[Path]:
    return sorted(site.resolve().rglob("*.html"))


def one_of_each(site: Path) -> list[Path]:
    """A page of every template in both languages; of facets the largest and an odd one."""
    site = site.resolve()
    names = [
        "", "questions/", "questions/departments/", "questions/monthly-trend/",
        "questions/by-year/", "questions/compare-years/", "questions/channels/",
        "questions/rising/", "questions/departments/2026/", "compare/2023-2024/",
        "compare/2025-2026/", "departments/", "departments/fsc-property-tax/",
        "channels/", "channels/phone/", "service-levels/", "data/", "data/dictionary/",
        "data/snapshots/", "method/", "method/changes/", "accessibility/", "embed/departments/",
    ]  # fmt: skip
    extracts = sorted(p for p in (site / "data" / "snapshots").iterdir() if p.is_dir())
    found = [site / f"{prefix}{n}index.html" for prefix in ("", "fr/") for n in names]
    return [*found, extracts[0] / "index.html"]


class Page(HTMLParser):
    """Ids, links, headings, assets and table cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.rows: list[list[str]] = []
        self.scripts: list[str] = []
        self.inline = 0
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if tag in ("a", "link") and known.get("rel") != "canonical":
            self.links.append(str(known["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "script":
            self.scripts.append(str(known.get("src", "")))
        self.inline += sum(1 for name, _ in attrs if name == "style" or name.startswith("on"))
        self.inline += tag == "style"
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.rows[-1].append("".join(self._cell).strip())
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


@cache
def ids(path: Path) -> frozenset[str]:
    return frozenset(Page(path.read_text(encoding="utf-8")).ids)


def test_links_resolve_headings_are_in_order_and_nothing_is_inline(ran: Ran) -> None:
    """On every page of the site, both languages, as files: so they do under any path."""
    site = ran.site.resolve()
    found = all_pages(site)
    assert len(found) > 500
    known = {p for p in site.rglob("*") if p.is_file()}
    for path in found:
        page = Page(path.read_text(encoding="utf-8"))
        scripts = 6 if path.parent.name == "explore" else 0 if "/embed/" in str(path) else 1
        assert len([s for s in page.scripts if s]) >= scripts, path
        assert page.inline == 0, path
        assert "" not in page.scripts, path
        assert page.headings.count(1) == 1, path
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), path
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("https", "data"):
                continue
            assert not parts.path.startswith("/"), (path, link)
            plain = path.parent / unquote(parts.path) if parts.path else path
            target = Path(*_normal(plain))
            assert target in known, (path, link)
            if parts.fragment and target.suffix == ".html":
                assert parts.fragment in ids(target), link


def _normal(path: Path) -> list[str]:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return parts


def test_the_pages_are_valid_html(ran: Ran) -> None:
    for path in one_of_each(ran.site):
        parser = html5lib.HTMLParser(strict=True)
        text = path.read_text(encoding="utf-8")
        parser.parse(text)  # raises at the first error
        assert text.startswith("<!doctype html>")
    with pytest.raises(html5lib.html5parser.ParseError):
        html5lib.HTMLParser(strict=True).parse("<!doctype html><p><table><b>")


def test_the_feeds_are_atom_and_tell_what_changed(ran: Ran) -> None:
    site = ran.site.resolve()
    feeds = sorted(site.rglob("feed.atom"))
    assert len(feeds) > 100
    for path in feeds[:12]:
        found = feedparser.parse(path.read_bytes())
        assert not found.bozo, (path, found.get("bozo_exception"))
        assert found.version == "atom10"
        assert found.feed.id.startswith("urn:uuid:")
        assert found.feed.title
        assert found.feed.updated_parsed
        assert {link.rel for link in found.feed.links} == {"self", "alternate"}
        for entry in found.entries:
            assert entry.id.startswith("urn:uuid:")
            assert entry.title
            assert entry.updated_parsed
    whole = feedparser.parse((site / "feed.atom").read_bytes())
    assert len(whole.entries) == 2
    assert "First extract: 65,175 rows." in whole.entries[0].title + whole.entries[1].title


def test_table_cells_are_the_answers_and_the_charts_in_both_languages(ran: Ran) -> None:
    for language in ("en", "fr"):
        reading = Reading(ran.parts, ran.done, language)
        words = wording(language)
        for name in reading.questions:
            if ran.parts.folder.questions[name].page == "facets":
                continue
            answer = reading.answer(name)
            prefix = "" if language == "en" else "fr/"
            path = ran.site / f"{prefix}questions" / name / "index.html"
            page = Page(path.read_text(encoding="utf-8"))
            wanted = [
                [
                    reading.names.get(c.name, {}).get(v, words.cell(v, c.unit))
                    if isinstance(v, str)
                    else words.cell(v, c.unit)
                    for v, c in zip(row, answer.columns, strict=True)
                ]
                for row in answer.rows
            ]
            assert page.rows[1 : len(wanted) + 1] == wanted, (language, name)
            drawn = chart(answer, look(language, reading.names))
            text = json.dumps(drawn, ensure_ascii=False)
            first = [v for v in answer.rows[0] if isinstance(v, int | float)]
            assert any(json.dumps(v) in text for v in first), name


def test_files_hold_the_same_figures_as_the_page(ran: Ran) -> None:
    for name in ran.parts.folder.questions:
        if ran.parts.folder.questions[name].page == "facets":
            continue
        answer = load(ran.parts, name, ran.done)
        base = ran.site / "files"
        data = json.loads((base / f"{name}.json").read_text(encoding="utf-8"))
        assert data["rows"] == answer.records()
        assert data["snapshots"] == answer.snapshots
        assert data["notice"] == SAMPLE
        assert {o["attribution"] for o in data["origins"]} == {LICENCE}
        parquet = pq.read_table(base / f"{name}.parquet")
        assert parquet.to_pylist() == answer.records()
        assert parquet.schema.metadata[b"rights"].decode() == LICENCE
        text = (base / f"{name}.csv").read_text(encoding="utf-8")
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0] == [c.name for c in answer.columns]
        assert len(rows) == len(answer.rows) + 1
        about = json.loads((base / f"{name}.csv-metadata.json").read_text(encoding="utf-8"))
        assert LICENCE in about["dc:rights"]
        book = openpyxl.load_workbook(base / f"{name}.xlsx", read_only=True)
        cover, sheet = book.worksheets
        assert LICENCE in str([[c.value for c in r] for r in cover.rows])
        assert SAMPLE in str([[c.value for c in r] for r in cover.rows])
        figures = [[c.value for c in r] for r in sheet.rows][1:]
        for row, wanted in zip(figures, answer.rows, strict=True):
            for value, known in zip(row, wanted, strict=True):
                if isinstance(known, int | float) and not isinstance(known, bool):
                    assert value == pytest.approx(known)
        for ending in ("svg", "png", "pdf"):
            assert (base / f"{name}.{ending}").stat().st_size > 1000
        svg = (base / f"{name}.svg").read_text(encoding="utf-8")
        assert "var(--" not in svg
        assert LICENCE in svg
        assert SAMPLE.replace("'", "&#39;") in svg or SAMPLE in svg
        assert str(next(iter(answer.snapshots.values())))[:7] in svg
        assert (base / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_a_page_of_a_facet_has_one_workbook_of_all_its_answers(ran: Ran) -> None:
    book = openpyxl.load_workbook(ran.site / "files" / "departments-fsc-property-tax.xlsx")
    assert [w.title for w in book.worksheets] == [
        "About", "1 monthly-trend", "2 rising", "3 channels",
    ]  # fmt: skip
    text = (ran.site / "departments/fsc-property-tax/index.html").read_text(encoding="utf-8")
    assert "FSC - Property Tax: 3-1-1 took" in text, "a department's figure is not the city's"


def test_every_page_says_where_it_comes_from_and_that_it_is_a_sample(ran: Ran) -> None:
    for path in all_pages(ran.site):
        text = path.read_text(encoding="utf-8")
        french = 'lang="fr"' in text.partition("\n")[2].partition("\n")[0]
        notice = FRENCH if french else SAMPLE.replace("'", "&#39;")
        assert LICENCE in text, path
        assert 'href="https://opendata.vancouver.ca/pages/licence/"' in text
        assert text.count(notice) >= (2 if "/embed/" in str(path) else 3), path
        if "/embed/" not in str(path):
            month = "Dernier mois complet : juillet 2026" if french else "month July 2026"
            assert month in text, path


def test_budgets(ran: Ran) -> None:
    """An answer page of at most 25 kB compressed with its style, fonts 40 kB, script 5 kB."""
    style = len(gzip.compress(assets()["site.css"][1]))
    for path in one_of_each(ran.site):
        if "questions" in path.parts or "compare" in path.parts:
            assert len(gzip.compress(path.read_bytes())) + style <= 25_000, path
    fonts = sum(f.stat().st_size for f in (ran.site / "static").glob("*.woff2"))
    assert fonts <= 40_000
    assert len(assets()["site.js"][1]) <= 5_000


def test_another_language_is_complete_and_marks_what_it_does_not_translate(ran: Ran) -> None:
    text = (ran.site / "fr/questions/departments/index.html").read_text(encoding="utf-8")
    assert '<html lang="fr">' in text
    assert "a reçu le plus de demandes en 2025" in text
    assert '<span lang="en">FSC - Property Tax</span>' in text
    assert 'hreflang="en"' in text
    assert re.search(r"\d\u00a0\d{3}", text), "thousands apart by a no-break space"
    channels = (ran.site / "fr/questions/channels/index.html").read_text(encoding="utf-8")
    assert "Téléphone" in channels
    assert ">Phone<" not in channels


def hostile(answer: Answer) -> Answer:
    """An answer whose departments are attacks."""
    rows = tuple((i + 1, p, 1000 - i, 0.01) for i, p in enumerate(PAYLOADS))
    sentence = f"{PAYLOADS[0]} received the most"
    data: dict[str, Any] = {**answer.to_json(), "rows": rows, "sentence": sentence}
    return Answer.from_json(data)


def test_texts_from_a_source_stay_texts_in_pages_pictures_and_files(ran: Ran) -> None:
    assert len(PAYLOADS) >= 100
    reading = Reading(ran.parts, ran.done)
    site = assembled(reading, depth="frame")
    answer = hostile(load(ran.parts, "departments", ran.done))
    [svg] = ran.parts.figures.draw([chart(answer, look())])
    entry = Entry(answer, svg, "d", "questions/departments/")
    links = {("department", p): f"departments/{s}/" for p, s in slugs(PAYLOADS).items()}
    text = question_page(replace(site, links=links), entry).decode()
    page = Page(text)
    assert [r[1] for r in page.rows[1 : len(PAYLOADS) + 1]] == [p.strip() for p in PAYLOADS]
    assert page.inline == 0
    assert len(page.scripts) == 1
    assert not re.search(r"<(?:img|iframe|object|embed|math|base|form)\b", text)
    picture = captioned(svg, answer, wording("en"), SAMPLE)
    for element in ElementTree.fromstring(picture).iter():  # noqa: S314 - our own drawing
        assert element.tag.rpartition("}")[2] in DRAWN, element.tag
        assert not [a for a in element.attrib if a.startswith("on") or "href" in a]
    assert file_of(site, entry, "pdf", pictured(ran.parts))


def test_formulas_are_disarmed_and_come_back(ran: Ran) -> None:
    site = assembled(Reading(ran.parts, ran.done), depth="frame")
    answer = hostile(load(ran.parts, "departments", ran.done))
    rows = list(csv.reader(io.StringIO(files.csv_bytes(answer).decode(), newline="")))[1:]
    for (_, found, *_), payload in zip(rows, PAYLOADS, strict=True):
        assert not found.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))
        assert found in {payload, f"'{payload}"}
    book = openpyxl.load_workbook(io.BytesIO(files.workbook([answer], site, "t")))
    cells = [r[1] for r in book.worksheets[1].iter_rows(min_row=2)]
    for cell, payload in zip(cells, PAYLOADS, strict=True):
        assert cell.data_type != "f", payload
        assert cell.hyperlink is None
        if payload.isprintable():
            assert cell.value == payload


def test_slugs_are_short_plain_and_never_alike() -> None:
    found = slugs([*PAYLOADS, "A b", "a-B", "Été", "", "…"])
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch(r"[a-z0-9-]{1,80}", s) for s in found.values())


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_the_colours_have_the_contrast_they_promise(scheme: int) -> None:
    css = assets()["site.css"][1].decode()
    pairs = re.findall(r"--([\w-]+):light-dark\((#[0-9a-f]{3,6}),(#[0-9a-f]{3,6})\)", css)
    tokens = {name: (light, dark)[scheme] for name, light, dark in pairs}
    for name in ("ink", "muted", "link", "pass", "warn", "fail"):
        for ground in ("bg", "surface"):
            assert contrast(tokens[name], tokens[ground]) >= 4.5, (name, ground)
    for name in ("c-cur", "c-cmp", "c-rise", "c-fall", "control", "focus"):
        assert contrast(tokens[name], tokens["bg"]) >= 3, name
    assert contrast(tokens["c-cur"], tokens["c-cmp"]) >= 3
    for i in range(4):
        ink = tokens["s-ink-low" if i % 2 else "s-ink-high"]
        assert contrast(ink, tokens[f"k-{i}"]) >= 4.5, f"a label inside category {i}"
    for i in range(6):
        ink = tokens["s-ink-low" if i < 3 else "s-ink-mid" if i == 3 else "s-ink-high"]
        assert contrast(ink, tokens[f"s-{i}"]) >= 4.5, i


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    a, b = sorted((luminance(first), luminance(second)))
    return (b + 0.05) / (a + 0.05)
