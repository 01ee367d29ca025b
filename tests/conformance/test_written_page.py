"""The page of the matrix, after all that it tells of: so this file is the last of its folder."""

from __future__ import annotations

import pytest

from tests.conformance.page import PAGE, written


@pytest.mark.engines
def test_the_page_says_what_was_found() -> None:
    page = PAGE.read_text("utf-8")
    day = page.split("Run on ")[1][:10]
    assert written(day) == page, "python -m tests.conformance.page writes the page anew"
