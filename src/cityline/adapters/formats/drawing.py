"""Draws charts in a process of its own: one line of JSON in, one line of JSON out.

The drawing engine is one thread wide; two processes draw twice as many pictures.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

_LOCALES = {"en": "en-CA", "fr": "fr-CA"}
"""d3's number marks by language."""
_TIMES = {"en": "en-CA", "fr": "fr-CA"}


def draw(spec: str, language: str) -> str:
    """A Vega-Lite specification (JSON text) as SVG text; raises ValueError when it is none."""
    return str(
        converter().vegalite_to_svg(
            spec, format_locale=_LOCALES[language], time_format_locale=_TIMES[language]
        )
    )


@cache
def converter() -> Any:
    """The drawing engine with the package's fonts, so that text is measured as pages show it."""
    import vl_convert  # noqa: PLC0415 - starts an engine

    vl_convert.register_font_directory(str(Path(__file__).with_name("fonts")))
    return vl_convert


def main() -> None:
    """Draw what stdin asks for until it ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            told = {"svg": draw(asked["spec"], asked["language"])}
        except ValueError as error:
            told = {"error": str(error).splitlines()[0]}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
