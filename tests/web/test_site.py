"""The published pages in a real browser: readable by all, from a disk, with nothing foreign."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import ROOT, Ran

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def all_pages(site: Path) -> list[Path]:
    return sorted(site.resolve().rglob("*.html"))


def opened(browser: Browser, path: Path, width: int, scheme: str, talk: list[str]) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=False,
    )
    page = context.new_page()
    page.on("console", lambda m: talk.append(m.text))
    page.on("request", lambda r: talk.append(r.url) if not r.url.startswith("file:") else None)
    page.on("requestfailed", lambda r: talk.append(f"failed {r.url}"))
    page.goto(path.as_uri())
    page.evaluate("document.fonts.ready")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_breaks_a_rule_of_axe_or_overflows_or_asks_anything_foreign(
    ran: Ran, browser: Browser, width: int, scheme: str
) -> None:
    for path in all_pages(ran.site):
        talk: list[str] = []
        page = opened(browser, path, width, scheme, talk)
        name = path.relative_to(ran.site.resolve()).as_posix()
        assert talk == [], (name, talk)
        assert page.evaluate("document.documentElement.scrollWidth") == width, name
        # axe is put in by the test's own hand, which a page's policy does not reach
        page.evaluate(AXE)
        found: dict[str, Any] = page.evaluate(
            "tags => axe.run({runOnly: {type: 'tag', values: tags}})", TAGS
        )
        broken = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found["violations"]]
        assert broken == [], (name, broken)
        page.context.close()


def test_no_label_of_a_chart_is_cut(ran: Ran, browser: Browser) -> None:
    for path in all_pages(ran.site / "questions"):
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


def test_everything_is_reached_by_keyboard_and_focus_is_seen(ran: Ran, browser: Browser) -> None:
    page = opened(
        browser, ran.site.resolve() / "questions/compare-years/index.html", 1280, "light", []
    )
    wanted = page.evaluate("document.querySelectorAll('a[href], summary, [tabindex=\"0\"]').length")
    seen = set()
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => { const e = document.activeElement; const b = e.getBoundingClientRect();
            return e === document.body ? null : [e.outerHTML.slice(0, 200), b.width > 0,
            getComputedStyle(e).outlineStyle] }"""
        )
        if told:
            assert told[1], told
            assert told[2] == "solid", told
            seen.add(told[0])
    inside = page.evaluate(
        "document.querySelectorAll('details:not([open]) > :not(summary) *').length"
    )
    assert inside > 0
    assert len(seen) >= 15
    page.context.close()


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
