"""Colours of charts: names of CSS variables for pages, written out for files.

Values are those of the design's tokens (site design, section 8), light theme.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SEQUENTIAL = ("#E8F1FA", "#BBD6EE", "#86B4DC", "#5A98CC", "#20639B", "#12436D")
CATEGORIES = ("#12436D", "#28A197", "#801650", "#F46A25")

_VARIABLE = re.compile(r"var\(--([a-z0-9-]+)\)")


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour a chart uses."""

    background: str
    ink: str
    muted: str
    grid: str
    current: str
    comparison: str
    rise: str
    fall: str
    sequential: tuple[str, ...]
    on_light: str
    on_middle: str
    on_dark: str
    categories: tuple[str, ...]


def page_palette() -> Palette:
    """CSS variables, so that one picture serves light, dark and print."""
    return Palette(
        background="transparent",
        ink="var(--ink)",
        muted="var(--muted)",
        grid="var(--hairline)",
        current="var(--c-cur)",
        comparison="var(--c-cmp)",
        rise="var(--c-rise)",
        fall="var(--c-fall)",
        sequential=tuple(f"var(--s-{i})" for i in range(len(SEQUENTIAL))),
        on_light="var(--s-ink-low)",
        on_middle="var(--s-ink-mid)",
        on_dark="var(--s-ink-high)",
        categories=tuple(f"var(--k-{i})" for i in range(len(CATEGORIES))),
    )


LITERAL = {
    "ink": "#1B2733",
    "muted": "#4A5868",
    "hairline": "#D8DEE6",
    "c-cur": "#12436D",
    "c-cmp": "#8290A0",
    "c-rise": "#A34700",
    "c-fall": "#0F6B74",
    "s-ink-low": "#1B2733",
    "s-ink-mid": "#1B2733",
    "s-ink-high": "#FFFFFF",
    **{f"s-{i}": colour for i, colour in enumerate(SEQUENTIAL)},
    **{f"k-{i}": colour for i, colour in enumerate(CATEGORIES)},
}
"""What the variables are outside a page."""


def literal(svg: str) -> str:
    """A picture whose colours are written out, for files."""
    return _VARIABLE.sub(lambda m: LITERAL[m[1]], svg)
