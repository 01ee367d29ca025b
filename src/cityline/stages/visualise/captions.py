"""A picture that leaves its page takes along what it says, of when, from where, by whose licence.

The chart stays as it was drawn; lines of text stand above and below it.
"""

from __future__ import annotations

import re
import textwrap
from xml.sax.saxutils import escape

from cityline.lake.answer import Answer
from cityline.lake.wording import Wording
from cityline.stages.visualise.palette import LITERAL, literal

_SIZE = re.compile(r'<svg[^>]*?width="([0-9.]+)"[^>]*?height="([0-9.]+)"')
_MARGIN, _LEAST = 16, 560
_TITLE, _SMALL = 17, 12
_WIDE = 0.54
"""Mean width of a letter of the font in units of its size, from measuring English and French."""


def captioned(svg: str, answer: Answer, wording: Wording, notice: str, address: str = "") -> str:
    """The chart as a file: literal colours, white ground, title, period, source and licence."""
    found = _SIZE.search(svg)
    wide, high = (float(found[1]), float(found[2])) if found else (_LEAST, 300)
    width = max(wide, _LEAST) + 2 * _MARGIN
    head = _wrapped(answer.sentence, width, _TITLE)
    below = [line for text in _told(answer, wording, notice, address)
             for line in _wrapped(text, width, _SMALL)]  # fmt: skip
    top = _MARGIN + len(head) * _TITLE * 1.3 + 8
    foot = top + high + 16
    height = foot + len(below) * _SMALL * 1.4 + _MARGIN
    lines = [_line(t, _MARGIN + _TITLE * (1 + 1.3 * i), _TITLE, "600", "ink")
             for i, t in enumerate(head)]  # fmt: skip
    lines += [_line(t, foot + _SMALL * (1 + 1.4 * i), _SMALL, "400", "muted")
              for i, t in enumerate(below)]  # fmt: skip
    description = escape(" · ".join(_told(answer, wording, notice, address)))
    inner = literal(svg).replace("<svg", f'<svg x="{_MARGIN}" y="{top:g}"', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="Inter, sans-serif">'
        f"<title>{escape(answer.sentence)}</title><desc>{description}</desc>"
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(lines)}{inner}</svg>'
    )


def _told(answer: Answer, wording: Wording, notice: str, address: str) -> list[str]:
    """What stands below the chart, one line each."""
    period = answer.period.label if answer.period else ""
    if answer.comparison:
        period = wording.gettext("{period} compared with {comparison}").format(
            period=period, comparison=answer.comparison.label
        )
    chosen = ", ".join(str(v) for k, v in answer.parameters.items() if k not in ("year", "compare"))
    snapshots = ", ".join(f"{t}@{s[:7]}" for t, s in answer.snapshots.items())
    told = [
        f"{notice}." if answer.generated else "",
        " · ".join(filter(None, [answer.title, period, chosen])),
        " · ".join([*sorted({o.title for o in answer.origins}), snapshots]),
        *sorted({o.attribution for o in answer.origins}),
        address,
    ]
    return [line for line in told if line]


def _wrapped(text: str, width: float, size: int) -> list[str]:
    return textwrap.wrap(text, max(20, int((width - 2 * _MARGIN) / (size * _WIDE))))


def _line(text: str, y: float, size: int, weight: str, ink: str) -> str:
    return (
        f'<text x="{_MARGIN}" y="{y:g}" font-size="{size}" font-weight="{weight}" '
        f'fill="{LITERAL[ink]}">{escape(text)}</text>'
    )
