"""The published pages in a real browser: readable by all, from a disk, with nothing foreign."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT, Ran
from tests.web.conftest import AXE, TAGS
from tests.web.test_files import all_pages, one_of_each

pytestmark = pytest.mark.browser


def opened(browser: Browser, path: Path, width: int, scheme: str, talk: list[str]) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=False,
    )
    page = context.new_page()
    page.on("console", lambda m: talk.append(m.text))
    page.on("request", lambda r: talk.append(r.url) if not foreign(r.url) else None)
    page.on("requestfailed", lambda r: talk.append(f"failed {r.url}"))
    page.goto(path.as_uri())
    page.evaluate("document.fonts.ready")
    return page


def foreign(url: str) -> bool:
    return url.startswith(("file:", "data:"))


def axe(page: Page) -> list[Any]:
    # axe is put in by the test's own hand, which a page's policy does not reach
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]


# two of the four in `make test`, all in `make test-slow`
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (320, "light"),
        (1280, "dark"),
        pytest.param(320, "dark", marks=pytest.mark.slow),
        pytest.param(1280, "light", marks=pytest.mark.slow),
    ],
)
def test_no_page_breaks_a_rule_of_axe_or_overflows_or_asks_anything_foreign(
    ran: Ran, browser: Browser, width: int, scheme: str
) -> None:
    for path in one_of_each(ran.site):
        name = path.relative_to(ran.site.resolve()).as_posix()
        if name.startswith("fr/") and (width, scheme) != (320, "light"):  # as wide in any colour
            continue
        talk: list[str] = []
        page = opened(browser, path, width, scheme, talk)
        assert talk == [], (name, talk)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        assert axe(page) == [], name
        page.context.close()


def test_no_label_of_a_chart_is_cut(ran: Ran, browser: Browser) -> None:
    paths = [p for p in one_of_each(ran.site) if "questions" in p.parts or "fr" in p.parts]
    for path in paths:
        page = opened(browser, path, 1280, "light", [])
        cut = page.evaluate(
            """() => [...document.querySelectorAll('figure svg')].flatMap(svg => {
                const box = svg.getBoundingClientRect();
                return [...svg.querySelectorAll('text')].filter(t => {
                    const b = t.getBoundingClientRect();
                    return b.width && (b.left < box.left - 1 || b.right > box.right + 1);
                }).map(t => t.textContent);
            })"""
        )
        assert cut == [], path
        assert page.evaluate("document.fonts.check('16px Inter')"), "the page's own font is loaded"
        page.context.close()


def test_no_line_of_a_picture_file_is_cut(ran: Ran, browser: Browser) -> None:
    context = browser.new_context()
    for path in sorted((ran.site / "files").glob("*.svg")):
        page = context.new_page()
        page.goto(path.resolve().as_uri())
        cut = page.evaluate(
            """() => { const box = document.documentElement.getBoundingClientRect();
            return [...document.querySelectorAll('svg > text')].filter(t =>
                t.getBoundingClientRect().right > box.right + 1).map(t => t.textContent) }"""
        )
        assert cut == [], path.name
        page.close()
    context.close()


def test_everything_is_reached_by_keyboard_and_focus_is_seen(ran: Ran, browser: Browser) -> None:
    for name in ("questions/compare-years", "departments/fsc-property-tax", ""):
        path = ran.site.resolve() / name / "index.html"
        page = opened(browser, path, 1280, "light", [])
        wanted = page.evaluate(
            """() => [...document.querySelectorAll(
                'a[href], summary, button, select, input, [tabindex="0"]')]
                .filter(e => e.checkVisibility()).length"""
        )
        seen = set()
        for _ in range(wanted + 3):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => { const e = document.activeElement; const b = e.getBoundingClientRect();
                e.dataset.seen = e.dataset.seen || String(Math.random());
                return e === document.body ? null : [e.dataset.seen, b.width > 0,
                getComputedStyle(e).outlineStyle, e.outerHTML.slice(0, 90)] }"""
            )
            if told:
                assert told[1], told
                assert told[2] == "solid", told
                seen.add(told[0])
        assert len(seen) >= wanted - 1, (name, len(seen), wanted)
        page.context.close()


def test_without_scripts_every_answer_is_there(ran: Ran, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((ran.site.resolve() / "questions/compare-years/index.html").as_uri())
    assert page.locator("form.choose").is_hidden(), "a static form does nothing without a script"
    assert page.locator("figure svg").is_visible()
    assert page.locator("main table tbody tr").count() > 20
    page.locator("details.others summary").click()
    page.get_by_role("link", name="2018 – 2019").click()
    assert page.url.endswith("compare/2018-2019/index.html")
    assert "2019" in page.locator("h1").inner_text()
    context.close()


def test_with_scripts_the_form_finds_the_page_or_explore(ran: Ran, browser: Browser) -> None:
    path = ran.site.resolve() / "questions/compare-years/index.html"
    page = opened(browser, path, 1280, "light", [])
    page.select_option("#choose-year", "2019")
    page.select_option("#choose-compare", "2022")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/compare/2019-2022/index.html")
    assert "2019" in page.locator("h1").inner_text()
    assert "2022" in page.locator("h1").inner_text()
    page.select_option("#choose-channel", "Chat")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**/explore/index.html?*channel=Chat*")
    assert page.url.startswith("file://"), "nothing foreign is asked"
    page.context.close()


def test_print_shows_tables_and_hides_what_paper_cannot_do(ran: Ran, browser: Browser) -> None:
    path = ran.site.resolve() / "departments/fsc-property-tax/index.html"
    page = opened(browser, path, 1000, "dark", [])
    page.emulate_media(media="print")
    assert page.locator("header nav").is_hidden()
    assert page.locator(".takes").first.is_hidden()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    page.context.close()


def test_the_first_paint_is_quick_on_a_slow_phone(ran: Ran, browser: Browser, served: Any) -> None:
    """At 1.6 Mbit/s, 150 ms latency and a processor four times slower: at most a second."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000,
    })  # fmt: skip
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    found = []
    for name in ("questions/compare-years/", "questions/departments/", ""):
        page.goto(f"{served.address}/{name}")
        painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
        page.wait_for_function(painted)
        found.append(page.evaluate(painted))
    assert min(found) <= 1000, found
    context.close()


def test_every_page_of_the_site_was_looked_at_in_some_form(ran: Ran) -> None:
    """Templates that no test opens would be templates nobody checks."""
    kinds = {p.relative_to(ran.site.resolve()).parts[0] for p in all_pages(ran.site)}
    looked = {p.relative_to(ran.site.resolve()).parts[0] for p in one_of_each(ran.site)}
    assert kinds - looked == {"explore"}, "explore has tests of its own"


def test_the_readme_picture(ran: Ran, browser: Browser) -> None:
    """The picture of the 2023-vs-2024 page in the README is made here, so it cannot go stale."""
    for scheme in ("light", "dark"):
        path = ran.site.resolve() / "questions" / "compare-years" / "index.html"
        page = opened(browser, path, 1100, scheme, [])
        page.set_viewport_size({"width": 1100, "height": 980})
        picture = page.screenshot()
        assert len(picture) > 20_000
        target = ROOT / "docs" / "pictures" / f"compare-years-{scheme}.png"
        if os.environ.get("CITYLINE_PICTURES"):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(picture)
        assert target.is_file(), "CITYLINE_PICTURES=1 make test writes it"
        page.context.close()
