"""The published files themselves: links, cells, licence, budgets, and payloads that stay inert."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq
import pytest

from cityline.flow.steps.answer import load
from cityline.lake.answer import Answer
from cityline.lake.wording import cell
from cityline.stages.publish import files
from cityline.stages.publish.pages import _Page as Renderer
from cityline.stages.publish.pages import _static
from cityline.stages.publish.site import SAMPLE, Entry, Pictures, Site
from cityline.stages.visualise import chart, literal_palette, page_palette
from tests.conftest import Ran

LICENCE = "Contains information licensed under the Open Government Licence – Vancouver."


def all_pages(site: Path) -> list[Path]:
    return sorted(site.resolve().rglob("*.html"))


class _Page(HTMLParser):
    """Ids, links, headings and table cells of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.rows: list[list[str]] = []
        self.scripts = 0
        self._cell: list[str] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if tag == "a":
            self.links.append(str(known["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.scripts += tag == "script"
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


def test_links_resolve_headings_are_in_order_and_nothing_runs(ran: Ran) -> None:
    site = ran.site.resolve()
    for path in all_pages(site):
        page = _Page(path.read_text(encoding="utf-8"))
        assert page.scripts == 0
        assert page.headings.count(1) == 1, path
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), path
        assert len(page.ids) == len(set(page.ids)), path
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "https":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_relative_to(site), link
            assert target.is_file(), (path, link)
            if parts.fragment and target.suffix == ".html":
                assert parts.fragment in _Page(target.read_text(encoding="utf-8")).ids, link


def test_table_cells_are_the_answers_and_the_charts(ran: Ran) -> None:
    for name in ran.parts.folder.questions:
        answer = load(ran.parts, name, ran.done)
        page = _Page((ran.site / "questions" / name / "index.html").read_text(encoding="utf-8"))
        wanted = [
            [cell(v, c.unit) for v, c in zip(row, answer.columns, strict=True)]
            for row in answer.rows
        ]
        assert page.rows[1 : len(wanted) + 1] == wanted, name
        drawn = json.dumps(chart(answer, page_palette()))
        first = answer.rows[0]
        assert any(json.dumps(v) in drawn for v in first), name


def test_files_hold_the_same_figures_as_the_page(ran: Ran) -> None:
    for name in ran.parts.folder.questions:
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


def test_every_page_says_where_it_comes_from_and_that_it_is_a_sample(ran: Ran) -> None:
    for path in all_pages(ran.site):
        text = path.read_text(encoding="utf-8")
        assert LICENCE in text, path
        assert 'href="https://opendata.vancouver.ca/pages/licence/"' in text
        assert text.count(SAMPLE.replace("'", "&#39;")) >= 3, path
        assert "Last complete month July 2026" in text
        assert "Data to 31 July 2026" in text


def test_budgets(ran: Ran) -> None:
    """An answer page of at most 25 kB compressed, fonts of 40 kB, no script."""
    for name in ran.parts.folder.questions:
        page = (ran.site / "questions" / name / "index.html").read_bytes()
        assert len(gzip.compress(page)) <= 25_000, name
    fonts = sum(f.stat().st_size for f in (ran.site / "static").glob("*.woff2"))
    assert fonts <= 40_000


PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg><script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "'; DROP TABLE x; --",
    '=HYPERLINK("http://x")',
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "\u202egnp.exe",
]


def hostile(answer: Answer) -> Answer:
    """An answer whose departments are attacks."""
    rows = tuple((i + 1, p, 100 - i, 0.1) for i, p in enumerate(PAYLOADS))
    sentence = f"{PAYLOADS[0]} received the most"
    data: dict[str, Any] = {**answer.to_json(), "rows": rows, "sentence": sentence}
    return Answer.from_json(data)


def test_texts_from_a_source_stay_texts(ran: Ran) -> None:

    answer = hostile(load(ran.parts, "departments", ran.done))
    svg = ran.parts.figures.svg(chart(answer, page_palette()))
    literal = ran.parts.figures.svg(chart(answer, literal_palette())).encode()
    entry = Entry(answer, Pictures(svg, literal, b""), "d")
    site = Site("C", "en", "", "0", (entry,), "2026-07-31", "July 2026",
                "2026-08-12T13:50:39+00:00", "", 1, 1, (), (), ())  # fmt: skip
    html = Renderer(site, {}).render("question.html", "../../", answer.title, entry=entry).decode()
    assert "<script" not in html
    assert "<img" not in html
    assert "{{ 7 * 7 }}" in html
    assert not re.search(r"<[^>]+\son\w+=", html)
    page = _Page(html)
    assert [r[1] for r in page.rows[1 : len(PAYLOADS) + 1]] == PAYLOADS


def test_formulas_in_a_csv_are_disarmed_and_come_back(ran: Ran) -> None:
    answer = hostile(load(ran.parts, "departments", ran.done))
    rows = list(csv.reader(io.StringIO(files.csv_bytes(answer).decode())))[1:]
    for (_, found, *_), payload in zip(rows, PAYLOADS, strict=True):
        assert not found.startswith(("=", "+", "-", "@"))
        assert found.removeprefix("'") == payload.removeprefix("'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colours_have_the_contrast_they_promise(scheme: str) -> None:
    css = _static("site.css").decode()
    blocks = re.findall(r":root\{([^}]*)\}", css)
    tokens = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[0]))
    if scheme == "dark":
        tokens |= dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", blocks[1]))
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
