"""Turns a chart's specification into pictures, without a browser and without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Figures(Protocol):
    """Draws Vega-Lite, and turns drawings into other files. Raises EngineError when a
    specification cannot be drawn."""

    def draw(self, specs: Sequence[Mapping[str, Any]], language: str = "en") -> list[str]:
        """Each picture as SVG text; CSS variables in colours are kept. Many are drawn side by side;
        one that was drawn before is not drawn again."""
        ...

    def png(self, svg: str, scale: float = 2.0) -> bytes:
        """A drawing with literal colours as PNG, `scale` pixels per unit."""
        ...

    def pdf(self, svg: str) -> bytes:
        """A drawing with literal colours as one page of PDF."""
        ...
