"""The pages that need an account, in a real browser; and every link of the served site."""

from __future__ import annotations

import re
from collections import deque
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser

from cityline.web.identity.roles import Role
from tests.conftest import Ran
from tests.web.conftest import PASSWORD, Served
from tests.web.test_site import axe

pytestmark = pytest.mark.browser

PAGES = ["/sql/", "/account/", "/ops/", "/ops/lineage/?thing=curated/department-month",
         "/ops/quality/", "/ops/profile/?source=inquiry-volume", "/ops/settings/",
         "/ops/recipe/?source=inquiry-volume", "/ops/doctor/", "/nothing-here/"]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_on_the_console(
    served: Served, ran: Ran, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    talk: list[str] = []
    page.on("console", lambda m: talk.append(m.text) if m.type == "error" else None)
    page.on(
        "request",
        lambda r: None if r.url.startswith((served.address, "data:")) else talk.append(r.url),
    )
    page.goto(f"{served.address}/sign-in/?next=/sql/")
    assert axe(page) == []
    page.fill("#name", "the-steward")
    page.fill("#password", "wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").inner_text() == "The name or the password is not right."
    assert axe(page) == []
    talk.clear()  # a refusal is an error to the console, and meant
    page.fill("#name", "the-steward")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{served.address}/sql/")
    page.get_by_role("button", name="Run").click()
    page.wait_for_selector("text=scanned")
    assert axe(page) == []
    for path in (*PAGES, f"/ops/runs/{ran.finished.run}/"):
        page.goto(served.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width, path
        assert axe(page) == [], path
    assert [t for t in talk if "404" not in t] == []
    context.close()


def test_people_can_sign_in_without_a_script(served: Served, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.address}/ops/")
    assert "/sign-in/?next=%2Fops%2F" in page.url
    page.fill("#name", "the-steward")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.address}/ops/")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{served.address}/")
    page.goto(f"{served.address}/ops/")
    assert "/sign-in/" in page.url
    page.goto(f"{served.address}/questions/compare-years/?year=2019&compare=2018")
    assert "2019" in page.locator("h1").inner_text()
    page.select_option("#choose-year", "2021")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**year=2021**")
    assert "year=2021&compare=2018" in page.url
    assert "2021" in page.locator("h1").inner_text()
    context.close()


def test_a_run_at_work_is_seen_while_it_works(served: Served, ran: Ran, browser: Browser) -> None:
    """The page of a running run follows it by itself, and says when it is over."""
    name = "r-29990101-000000-test"
    journal, ledger = ran.parts.journal, ran.parts.ledger
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served.address}/sign-in/?next=/ops/runs/{name}/")
    with ledger.hold(name):
        journal.write(name, "info", "ingest/inquiry-volume", "begins")
        page.fill("#name", "the-steward")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("p.running")
        assert "ingest/inquiry-volume begins" in page.locator("pre.log").inner_text()
        journal.write(name, "warning", "ingest/inquiry-volume", "<b>slow</b> portal")
        page.wait_for_selector("text=<b>slow</b> portal")
    journal.write(name, "info", "", "readers see release abc")
    page.wait_for_selector("p.done")
    context.close()
    (ran.parts.home / "logs" / "runs" / f"{name}.jsonl").unlink()


def test_every_link_of_the_served_site_leads_somewhere(served: Served) -> None:
    """Pages made on request included; from the overview as everybody, from the console as a steward."""
    for client, start in ((served.client(), "/"), (served.signed_in(Role.STEWARD), "/ops/")):
        waiting, seen = deque([start, "/questions/departments/?year=2023&channel=Phone"]), {start}
        while waiting and len(seen) < 400:
            path = waiting.popleft()
            answer = client.get(path)
            assert answer.status_code in (200, 303), path
            if "text/html" not in answer.headers.get("content-type", ""):
                continue
            for link in re.findall(r'(?:href|src)="([^"]+)"', answer.text):
                target = urlsplit(urljoin(served.address + path, unescape(link)))
                found = target.path + (f"?{target.query}" if target.query else "")
                if target.scheme == "http" and found not in seen and "/types/" not in found:
                    seen.add(found)
                    waiting.append(found)
        assert len(seen) > 40
