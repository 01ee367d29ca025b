"""Pictures from Vega-Lite, drawn in this process: no browser, no network.

The fonts lie in the package, so that text is measured with the font the pages show.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cityline.errors import EngineError


class VegaFigures:
    """Implements `ports.figures.Figures` with vl-convert."""

    def svg(self, spec: Mapping[str, Any]) -> str:
        """The picture as SVG text."""
        return str(_drawn("vegalite_to_svg", spec))

    def png(self, spec: Mapping[str, Any], scale: float = 2.0) -> bytes:
        """The picture as PNG, `scale` pixels per unit."""
        return bytes(_drawn("vegalite_to_png", spec, scale=scale))


def _drawn(function: str, spec: Mapping[str, Any], **options: float) -> Any:
    try:
        return getattr(_converter(), function)(json.dumps(spec), **options)
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise EngineError(f"the chart cannot be drawn: {first}", where="vega-lite") from error


@cache
def _converter() -> Any:
    import vl_convert  # noqa: PLC0415 - starts an engine

    vl_convert.register_font_directory(str(Path(__file__).with_name("fonts")))
    return vl_convert
