"""Explore in a real browser: its figures are DuckDB's, its address is its state, nothing foreign
is asked, no policy is broken, and a name from the data stays a text."""

from __future__ import annotations

import csv
import functools
import gzip
import http.server
import io
import json
import re
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page

from cityline.stages.publish.explore import TABLE, cube
from tests.conftest import Ran
from tests.web.conftest import AXE, TAGS
from tests.web.payloads import PAYLOADS

pytestmark = pytest.mark.browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LISTEN = """document.addEventListener('securitypolicyviolation',
    e => console.log('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"""


@pytest.fixture(scope="module")
def disked(ran: Ran) -> Iterator[str]:
    """The site below an address, with a policy as a server would send it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            if self.path.partition("?")[0].endswith("/explore/index.html"):
                self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Handler, directory=str(ran.site.resolve()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/explore/index.html"
        server.shutdown()


@pytest.fixture(scope="module")
def address(ran: Ran) -> str:
    """The page on a disk."""
    return (ran.site.resolve() / "explore" / "index.html").as_uri()


def opened(browser: Browser, address: str, talk: list[str] | None = None, **context: Any) -> Page:
    """The page once its table and chart are there; `talk` takes whatever should not be heard."""
    known = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
    page = browser.new_context(**{**known, **context}).new_page()
    heard = talk if talk is not None else []
    scheme, host = urlsplit(address)[:2]
    page.on("console", lambda m: heard.append(m.text))
    page.on("pageerror", lambda e: heard.append(str(e)))
    page.on(
        "request",
        lambda r: None if urlsplit(r.url)[:2] == (scheme, host) else heard.append(r.url),
    )
    page.on("requestfailed", lambda r: heard.append(f"failed {r.url}"))
    page.add_init_script(LISTEN)
    page.goto(address)
    page.wait_for_selector("[data-drawn]")
    return page


def cells(page: Page) -> list[list[str]]:
    """The rows of the table as they are read."""
    found: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#table tbody tr')].map(r => "
        "[...r.cells].map(c => c.firstChild ? c.firstChild.textContent : ''))"
    )
    return found


def amount(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-").replace("±", "").replace("+", ""))


def asked(ran: Ran, sql: str) -> list[tuple[Any, ...]]:
    table = ran.parts.engine.query(sql, ran.done.tables())
    return [tuple(row.values()) for row in table.to_pylist()]


CHOICES = [
    "",
    "?rows=channel&columns=year&from=2019&to=2022",
    "?rows=month&columns=channel&year=2009",
    "?rows=year&columns=channel&measure=change&from=2020&to=2026&compare=2019",
]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "light"),
        (1280, "dark"),
        pytest.param(320, "dark", marks=pytest.mark.slow),
        pytest.param(1280, "light", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, address: str, disked: str, width: int, scheme: str
) -> None:
    for choice in CHOICES:
        talk: list[str] = []
        size = {"width": width, "height": 900}
        where = disked if choice else address
        page = opened(browser, where + choice, talk, viewport=size, color_scheme=scheme)
        assert page.locator("#chart > div:not([role]) > svg[role=img][aria-label]").count() == 1
        assert page.locator("#chart svg [role=graphics-symbol]").count() == 0
        if width == 320:
            page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        page.locator("#table tbody tr").nth(1).focus()
        assert page.evaluate("document.documentElement.scrollWidth") == width, choice
        assert talk == [], (choice, talk)
        page.evaluate(AXE)
        found: dict[str, Any] = page.evaluate(
            "tags => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})",
            TAGS,
        )
        broken = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]
        assert broken == [], (choice, broken)
        small = page.evaluate(
            "[...document.querySelectorAll('select, button, summary, .boxes label, tbody tr')]"
            ".filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)"
        )
        assert small == [], choice
        page.context.close()


@pytest.mark.parametrize("place", ["disk", "server"])
def test_nothing_is_said_reported_or_asked_elsewhere(
    browser: Browser, address: str, disked: str, place: str
) -> None:
    talk: list[str] = []
    page = opened(browser, address if place == "disk" else disked, talk)
    for rows in ("month", "year", "channel", "department"):
        for columns in ("none", "channel", "year") if place == "disk" else ("year",):
            for measure in ("count", "share", "change"):
                page.select_option("#f-rows", rows)
                page.select_option("#f-columns", columns)
                page.select_option("#f-measure", measure)
    page.click("#csv")
    page.click("#copy-link")
    page.click("#copy-sql")
    assert talk == []
    # the ear is awake: a broken rule is heard, and an evaluated text is refused
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<b style=\"color:red\">x</b>')")
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    assert any(t.startswith("policy: style-src") for t in talk)
    page.context.close()


MONTH = "strftime(month, '%B %Y')"
TAX = "FSC - Property Tax"
PIVOTS = [
    ("?rows=department&year=2025", "department", "year = 2025"),
    ("?rows=channel&from=2009&to=2026", "channel", "true"),
    ("?rows=year&from=2009&to=2026&channel=Phone", "year", "channel = 'Phone'"),
    ("?rows=month&from=2020&to=2022", MONTH, "year BETWEEN 2020 AND 2022"),
    (f"?rows=month&year=2009&department={TAX}", MONTH, f"year = 2009 AND department = '{TAX}'"),
    (
        "?rows=department&year=2025&channel=Chat&channel=Mail",
        "department",
        "year = 2025 AND channel IN ('Chat', 'Mail')",
    ),
]


@pytest.mark.parametrize(("choice", "key", "where"), PIVOTS, ids=[p[0] for p in PIVOTS])
def test_the_figures_are_those_of_the_curated_table(
    ran: Ran, browser: Browser, address: str, choice: str, key: str, where: str
) -> None:
    page = opened(browser, address + choice)
    sql = f"SELECT {key} AS k, sum(inquiries) AS n FROM {TABLE} WHERE {where} GROUP BY 1"
    wanted = {str(name): int(n) for name, n in asked(ran, sql)}
    assert len(wanted) > 1
    assert {row[0]: amount(row[1]) for row in cells(page)} == wanted
    foot = page.locator("#table tfoot td").all_inner_texts()
    assert amount(foot[0]) == sum(wanted.values())
    page.context.close()


CROSSED = [
    ("?rows=department&columns=channel&year=2024", 2),
    ("?rows=department&columns=year&from=2021&to=2024", 2),
    ("?rows=month&columns=year&from=2021&to=2024", 2),
    ("?rows=channel&measure=share&columns=year&from=2021&to=2022", 2),
    ("?rows=department&year=2026&compare=2025", 1),
    ("?rows=department&columns=year&measure=change&from=2024&to=2026&compare=2023", 2),
    ("?rows=month&year=2026&compare=2025&channel=Phone", 2),
]


@pytest.mark.parametrize(("choice", "keys"), CROSSED, ids=[c for c, _ in CROSSED])
def test_the_sql_that_is_copied_gives_the_table(
    ran: Ran, browser: Browser, disked: str, choice: str, keys: int
) -> None:
    page = opened(browser, disked + choice, permissions=["clipboard-read", "clipboard-write"])
    page.click("#copy-sql")
    page.locator("#status", has_text="SQL copied.").wait_for()
    sql = page.evaluate("navigator.clipboard.readText()")
    assert sql == page.locator("#sql code").text_content()
    answered = asked(ran, sql)
    shown = [row[1:] for row in cells(page)]
    assert answered
    if "share" in choice:
        shares = sorted(round(float(row[-1]) * 100, 1) for row in answered)
        there = sorted(float(t.removesuffix(" %")) for row in shown for t in row[:-1])
        assert [s for s in there if s] == pytest.approx([s for s in shares if s], abs=0.11)
    elif "compare" in choice and keys == 1:
        names = {row[0]: (amount(row[1]), amount(row[2]), amount(row[3])) for row in cells(page)}
        assert names == {d: (b, n, n - b) for d, b, n in answered if b or n}
    elif "compare" in choice:
        differences = sorted(int(n - b) for *_, b, n in answered)
        columns = "columns" in choice
        there = sorted(amount(t) for row in shown for t in (row if columns else row[2:3]))
        assert [v for v in there if v] == [v for v in differences if v]
    else:
        totals = sorted(int(row[-1]) for row in answered)
        assert sorted(v for row in shown for v in map(amount, row[:-1]) if v) == totals
    page.context.close()


def test_the_address_is_the_state_and_back(browser: Browser, disked: str) -> None:
    page = opened(browser, disked)
    assert urlsplit(page.url).query == ""
    page.select_option("#f-rows", "month")
    page.select_option("#f-columns", "channel")
    page.select_option("#f-from", "2020")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.check("input[name=channel][value=Phone]")
    page.check("input[name=channel][value=Chat]")
    there, state = page.url, cells(page)
    again = opened(browser, there)
    assert cells(again) == state
    assert again.input_value("#f-rows") == "month"
    assert again.input_value("#f-from") == "2020"
    assert again.locator("input[name=channel]:checked").count() == 2
    asked_for = "?year=2024&compare=2023&department=FSC+-+Property+Tax&channel=Phone"
    other = opened(browser, disked + asked_for)
    assert other.input_value("#f-measure") == "change"
    assert other.input_value("#f-compare") == "2023"
    assert [row[0] for row in cells(other)] == ["FSC - Property Tax"]
    wrong = opened(browser, disked + "?rows=constructor&year=1066&department=Ministry+of+Magic")
    told = wrong.inner_text("#status")
    assert all(w in told for w in ("left out", "constructor", "1066", "Ministry of Magic"))
    assert len(cells(wrong)) > 50
    for p in (page, again, other, wrong):
        p.context.close()


def test_the_keyboard_alone_changes_the_table_and_walks_it(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    before = cells(page)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "f-rows":
            break
    page.keyboard.press("ArrowDown")
    page.locator("#status", has_text="5 channels").wait_for()
    after = cells(page)
    assert after != before
    assert len(after) == 5
    assert "5 channels" in page.inner_text("#status")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "TR":
            break
    current = "document.querySelector('tr[aria-current]').cells[0].textContent"
    marked = (
        "[...document.querySelectorAll('#chart path')]"
        ".findIndex(p => getComputedStyle(p).strokeWidth === '2.5px')"
    )
    assert page.evaluate(current) == after[0][0]
    first = page.evaluate(marked)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(current) == after[2][0]
    assert page.evaluate("document.activeElement.cells[0].textContent") == after[2][0]
    assert page.evaluate(marked) == first + 2 >= 2
    page.keyboard.press("End")
    assert page.evaluate(current) == after[4][0]
    assert page.locator("#table tbody tr[tabindex='0']").count() == 1
    page.context.close()


def test_a_comparison_is_like_for_like_or_refused(ran: Ran, browser: Browser, address: str) -> None:
    page = opened(browser, address + "?year=2026&compare=2025")
    assert page.inner_text("#finding").startswith("January–July 2026 had ")
    assert "only January–July, the months complete in both 2026 and 2025" in page.inner_text(
        "#status"
    )
    sql = f"SELECT sum(inquiries) FROM {TABLE} WHERE year = 2025 AND month_of_year <= 7"
    assert amount(page.locator("#table tfoot td").first.inner_text()) == asked(ran, sql)[0][0]
    page.select_option("#f-compare", "2009")  # its first month with data is not complete
    assert "March–July" in page.inner_text("#status")
    page.select_option("#f-compare", "2026")
    assert "compared with itself" in page.inner_text("#status.refused")
    assert page.locator("#table").is_hidden()
    page.select_option("#f-compare", "2024")
    page.select_option("#f-from", "2025")
    assert "Choose the same first and last year" in page.inner_text("#status.refused")
    page.select_option("#f-columns", "year")
    assert page.locator(".refused").count() == 0
    page.select_option("#f-rows", "year")
    assert "both years" in page.inner_text("#status.refused")
    page.context.close()


def test_what_is_provisional_is_marked_and_drawn_hollow(browser: Browser, address: str) -> None:
    page = opened(browser, address + "?rows=month&year=2009")
    texts = page.locator("#table tbody th").all_inner_texts()
    assert [t for t in texts if "provisional" in t] == [texts[0]]
    assert texts[0].startswith("February 2009")
    assert page.locator("#chart path[stroke-dasharray]").count() >= 1
    page.goto(address + "?rows=month&year=2015")
    page.wait_for_selector("[data-drawn]")
    assert page.locator("#chart path[stroke-dasharray='4,3']").count() == 0
    page.context.close()


def table_of(names: list[str]) -> pa.Table:
    """A small cube whose departments are given; each has a channel of the same name."""
    rows = [
        {
            "department": name, "channel": name, "month": date(2024, m, 1), "year": 2024,
            "month_of_year": m, "inquiries": 100 - i, "month_complete": True,
        }
        for i, name in enumerate(names)
        for m in range(1, 13)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows)


PLAIN = [p for p in PAYLOADS if p.isprintable() and p == p.strip() and len(p) < 200][:60]
HOSTILE = list(
    dict.fromkeys([*PLAIN, "a\u2028b\u2029c", 'O\'Brien "Q"', "\\u003c", "\ttab", "<!--"])
)
CHOSEN = "</script><script>alert(1)</script>"


def test_hostile_names_stay_texts(ran: Ran, browser: Browser, address: str) -> None:
    made = cube(table_of(HOSTILE), snapshot="s" * 64, title="<b>t</b>", notice="</script>")
    assert made.script.isascii()
    assert b"<" not in made.script

    talk: list[str] = []
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.on("console", lambda m: talk.append(m.text))
    page.on("dialog", lambda d: talk.append(d.message))
    page.route(
        "**/cube.*.js", lambda r: r.fulfill(body=made.script, content_type="text/javascript")
    )
    for choice in ("", "?rows=channel&columns=channel", "?rows=month&columns=channel",
                   f"?rows=department&department={quote(CHOSEN)}"):  # fmt: skip
        page.goto(address + choice)
        page.wait_for_selector("[data-drawn]")
        assert page.locator("#explore script, #explore img, #explore b").count() == 0
    assert [row[0] for row in cells(page)] == [CHOSEN]
    page.goto(address)
    page.wait_for_selector("[data-drawn]")
    assert [row[0] for row in cells(page)] == HOSTILE
    with page.expect_download() as waiting:
        page.click("#csv")
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))[1:]
    for (found, _), name in zip(rows, HOSTILE, strict=True):
        assert not found.startswith(("=", "+", "-", "@", "\t"))
        assert found.removeprefix("'") == name.removeprefix("'")
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    for box in page.locator("input[name=department]").all():
        box.check()
    sql = page.locator("#sql code").text_content() or ""
    found = ran.parts.engine.query(sql, {TABLE: table_of(HOSTILE)})
    assert set(found.column("department").to_pylist()) == set(HOSTILE)
    assert talk == []
    page.context.close()


def test_without_scripts_a_table_stands_there(ran: Ran, browser: Browser, address: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(address)
    sql = (
        f"SELECT department, sum(inquiries) FROM {TABLE} WHERE year = 2025 "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15"
    )
    shown = page.locator("#table tbody tr").all_inner_texts()
    told = [(t.split("\t")[0], amount(t.split("\t")[1])) for t in shown]
    assert told == [(d, int(n)) for d, n in asked(ran, sql)]
    assert page.locator("#controls").is_hidden()
    assert "need no script" in page.inner_text("#scriptless")
    assert page.locator("#scriptless a").count() == 2
    page.context.close()


def test_the_page_keeps_its_budget(ran: Ran) -> None:
    """300 kB compressed with everything the page asks for, the cube at most 60 kB of it."""
    folder = ran.site.resolve() / "explore"
    html = (folder / "index.html").read_bytes()
    named = re.findall(r'<script defer src="([^"]+)"', html.decode())
    assert len(named) == 6
    sizes = {n: len(gzip.compress((folder / n).read_bytes(), 9)) for n in named}
    assert sum(sizes.values()) + len(gzip.compress(html)) <= 300_000, sizes
    assert next(s for n, s in sizes.items() if "cube" in n) <= 60_000
    assert sum(s for n, s in sizes.items() if n.startswith("../static/explore")) <= 20_000


def test_the_cube_tells_every_count_again(ran: Ran) -> None:
    text = next((ran.site / "explore").glob("cube.*.js")).read_text(encoding="ascii")
    data = json.loads(text.removeprefix("window.CITYLINE_CUBE=").removesuffix(";\n"))
    year, month = data["first"]
    found = {}
    for d, c, start, steps in data["series"]:
        count = 0
        for i, step in enumerate(steps, start + month - 1):
            count += step
            if count:
                key = (data["departments"][d], data["channels"][c])
                found[(*key, date(year + i // 12, i % 12 + 1, 1))] = count
    sql = f"SELECT department, channel, month, inquiries FROM {TABLE} WHERE inquiries > 0"
    assert found == {(d, c, m): n for d, c, m, n in asked(ran, sql)}


FRENCH_CHOICES = [
    "",
    "?rows=channel&columns=year&from=2023&to=2024",
    "?rows=month&year=2009",
    "?rows=department&measure=change&year=2026&compare=2025",
    "?rows=year&columns=year",
    "?year=2024&channel=Chat&department=nobody",
]


def test_both_languages_say_the_same_things(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    keys = page.evaluate(
        "Object.fromEntries(Object.entries(cityline.words.both)"
        ".map(([language, words]) => [language, Object.keys(words)]))"
    )
    assert sorted(keys["en"]) == sorted(keys["fr"])
    assert len(keys["en"]) > 40
    page.context.close()


@pytest.mark.parametrize("choice", FRENCH_CHOICES)
def test_the_french_page_speaks_french_and_counts_the_same(
    browser: Browser, address: str, choice: str
) -> None:
    english = opened(browser, address + choice)
    french = opened(browser, address.replace("/explore/", "/fr/explore/") + choice)
    said = french.evaluate("document.querySelector('main').innerText")
    words = ["Inquiries", "Departments", "Channels", "Compare with", "complete in", "Phone"]
    for word in [*words, "compared", "incomplete", "Change", "snapshot"]:
        assert word not in said, (word, said[:600])
    digits = [[re.sub(r"[^0-9]", "", c) for c in row[1:]] for row in cells(french)]
    wanted = [[re.sub(r"[^0-9]", "", c) for c in row[1:]] for row in cells(english)]
    assert digits == wanted
    assert french.evaluate("location.search") == english.evaluate("location.search")
    english.context.close()
    french.context.close()
