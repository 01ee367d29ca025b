"""Colours of charts: names of CSS variables for pages, literal colours for files.

Values are those of the design's tokens (site design, section 8), light theme.
"""

from __future__ import annotations

from dataclasses import dataclass

SEQUENTIAL = ("#E8F1FA", "#BBD6EE", "#86B4DC", "#5A98CC", "#20639B", "#12436D")
CATEGORIES = ("#12436D", "#28A197", "#801650", "#F46A25")


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


def literal_palette() -> Palette:
    """Colours as they are, for PNG and SVG files."""
    return Palette(
        background="#FFFFFF",
        ink="#1B2733",
        muted="#4A5868",
        grid="#D8DEE6",
        current="#12436D",
        comparison="#8290A0",
        rise="#A34700",
        fall="#0F6B74",
        sequential=SEQUENTIAL,
        on_light="#1B2733",
        on_middle="#1B2733",
        on_dark="#FFFFFF",
        categories=CATEGORIES,
    )


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
