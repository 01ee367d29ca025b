"""Charts of shares: a grid of cells with their figures, and bars divided among few series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityline.lake.answer import Answer
from cityline.stages.visualise.axes import Spec, names
from cityline.stages.visualise.look import Look

_MAX_CATEGORIES = 4


def heatmap(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    """Cells in steps of one hue, with their figures."""
    x, y, value = (answer.chart[k] for k in ("x", "y", "value"))
    rows = [
        {
            "x": r[x],
            "name": r[y],
            "value": r[value],
            "label": look.words.cell(r[value], units[value]),
        }
        for r in records
    ]
    # a row that sums up all the others would wash out the colours of the rest
    rest = look.named(y, "All other departments")
    single = [r["value"] for r in rows if r["name"] != rest]
    largest = max(single, default=1)
    order = list(dict.fromkeys(r["name"] for r in rows))
    above = {"title": None, "labelAngle": 0, "orient": "top", "ticks": False}
    return {
        "data": {"values": rows},
        "width": {"step": 58},
        "height": {"step": 30},
        "encoding": {
            "x": {"field": "x", "type": "ordinal", "axis": above},
            "y": {**names("name"), "sort": order},
        },
        "layer": [_coloured(largest, look), _printed(largest, look)],
    }


def _coloured(largest: float, look: Look) -> Spec:
    scale = {"type": "quantize", "domain": [0, largest], "range": list(look.sequential)}
    colour = {"field": "value", "type": "quantitative", "legend": None, "scale": scale}
    mark = {"type": "rect", "stroke": look.background, "strokeWidth": 1}
    return {"mark": mark, "encoding": {"color": colour}}


def _printed(largest: float, look: Look) -> Spec:
    """The figure in each cell, in an ink that the cell's step carries."""
    steps = [(3 / 6, look.on_light), (4 / 6, look.on_middle)]
    inks = [{"test": f"datum.value < {largest * s!r}", "value": ink} for s, ink in steps]
    return {
        "mark": {"type": "text", "fontSize": 12},
        "encoding": {
            "text": {"field": "label", "type": "nominal"},
            "color": {"condition": inks, "value": look.on_dark},
        },
    }


def stacked(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    """Shares per series; more series than can be told apart are drawn together as one."""
    x, y, series = (answer.chart[k] for k in ("x", "y", "series"))
    rows, shown = _shares(records, x, y, series, look.words.gettext("Other"))
    for row in rows:
        row["label"] = _inside(row["value"], units[y], look)
    colours = list(look.categories[: len(shown)])
    place = {"field": "value", "type": "quantitative", "stack": True, "axis": None}
    colour = {
        "field": "series",
        "type": "nominal",
        "sort": shown,
        "scale": {"domain": shown, "range": colours},
    }
    bar = {"type": "bar", "stroke": look.background, "strokeWidth": 1}
    # the second and fourth colours carry the page's ink, the others its opposite
    inked = {"test": "datum.place % 2 == 1", "value": look.on_light}
    ink = {"condition": inked, "value": look.on_dark}
    text = {"field": "label", "type": "nominal"}
    return {
        "data": {"values": rows},
        "width": {"step": 58},
        "height": 280,
        "encoding": {
            "x": {"field": "x", "type": "ordinal", "axis": {"title": None, "labelAngle": 0}},
            "order": {"field": "place", "type": "quantitative"},
        },
        "layer": [
            {"mark": bar, "encoding": {"y": place, "color": colour}},
            {
                "mark": {"type": "text", "fontSize": 12},
                "encoding": {"y": {**place, "bandPosition": 0.5}, "text": text, "color": ink},
            },
        ],
    }


def _shares(
    records: list[Spec], x: str, y: str, series: str, other: str
) -> tuple[list[Spec], list[str]]:
    """Values by x and series, the largest series first, the small ones together as one."""
    totals: dict[str, float] = {}
    for r in records:
        totals[r[series]] = totals.get(r[series], 0) + (r[y] or 0)
    order = sorted(totals, key=lambda s: -totals[s])
    shown = order if len(order) <= _MAX_CATEGORIES else [*order[: _MAX_CATEGORIES - 1], other]
    summed: dict[tuple[Any, str], float] = {}
    for r in records:
        key = (r[x], r[series] if r[series] in shown else other)
        summed[key] = summed.get(key, 0) + (r[y] or 0)
    rows = [
        {"x": at, "series": s, "place": shown.index(s), "value": v} for (at, s), v in summed.items()
    ]
    return rows, shown


def _inside(value: float, unit: str, look: Look) -> str:
    """A label inside a segment, when there is room for one."""
    return look.words.cell(value, unit) if value >= 0.06 else ""  # noqa: PLR2004 - 280 px × 6 % fits a line
