"""Turns a chart's specification into pictures, without a browser and without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Figures(Protocol):
    """Renders Vega-Lite. Raises EngineError when a specification cannot be drawn."""

    def svg(self, spec: Mapping[str, Any]) -> str:
        """The picture as SVG text; CSS variables in colours are kept."""
        ...

    def png(self, spec: Mapping[str, Any], scale: float = 2.0) -> bytes:
        """The picture as PNG; the specification must use literal colours."""
        ...
