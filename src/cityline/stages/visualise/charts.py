"""One Vega-Lite specification per mark. Labels are the table's own cells, written the same way.

Bars begin at zero, names stand beside horizontal bars, series are told apart by more than colour,
and what is provisional is dashed, hollow and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cityline.lake.answer import Answer
from cityline.stages.visualise.axes import Spec, end_label, names, number_axis
from cityline.stages.visualise.grids import heatmap, stacked
from cityline.stages.visualise.look import Look

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_FONT = "Inter"
_WIDTH = 460
_ROW = 24


def chart(answer: Answer, look: Look) -> Spec:
    """The specification of an answer's chart, with its names in the language of the look.

    Raises KeyError only for a mark that declarations do not know.
    """
    records = [{k: look.named(k, v) for k, v in r.items()} for r in answer.records()]
    units = {c.name: c.unit for c in answer.columns}
    body = _MARKS[answer.chart["mark"]](answer, records, units, look)
    return {
        "$schema": _SCHEMA,
        "background": look.background,
        "padding": 6,
        **body,
        "config": _config(look),
    }


def _config(look: Look) -> Spec:
    text = {"labelFontSize": 13, "titleFontSize": 13, "labelColor": look.ink}
    return {
        "aria": False,
        "font": _FONT,
        "view": {"stroke": None},
        "text": {"fontSize": 13, "color": look.ink},
        "axis": {
            **text,
            "titleColor": look.muted,
            "titleFontWeight": "normal",
            "gridColor": look.grid,
            "domainColor": look.muted,
            "tickColor": look.grid,
            "labelLimit": 330,
        },
        "legend": {
            **text,
            "title": None,
            "orient": "top",
            "symbolType": "square",
            "labelLimit": 260,
        },
    }


def _bar(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    x, y = answer.chart["x"], answer.chart["y"]
    rows = [
        {"name": r[y], "value": r[x], "label": look.words.cell(r[x], units[x])}
        for r in records[: answer.chart["limit"]]
    ]
    return {
        "data": {"values": rows},
        "width": _WIDTH,
        "height": {"step": _ROW},
        "encoding": {
            "y": names("name"),
            "x": {"field": "value", "type": "quantitative", "axis": number_axis()},
        },
        "layer": [
            {"mark": {"type": "bar", "color": look.current, "height": {"band": 0.72}}},
            end_label(),
        ],
    }


def _paired(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    x, y, before = (answer.chart[k] for k in ("x", "y", "compare"))
    labels = {c.name: c.label for c in answer.columns}
    rows = [
        {"name": r[y], "series": labels[k], "value": r[k], "label": look.words.cell(r[k], units[k])}
        for r in records[: answer.chart["limit"]]
        for k in (before, x)
    ]
    order = [labels[before], labels[x]]
    colours = [look.comparison, look.current]
    return {
        "data": {"values": rows},
        "width": _WIDTH,
        "height": {"step": 17},
        "encoding": {
            "y": {**names("name"), "scale": {"paddingInner": 0.28}},
            "yOffset": {"field": "series", "type": "nominal", "sort": order},
            "x": {"field": "value", "type": "quantitative", "axis": number_axis()},
        },
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "color": {
                        "field": "series",
                        "type": "nominal",
                        "sort": order,
                        "scale": {"domain": order, "range": colours},
                    }
                },
            },
            {**end_label(), "mark": {"type": "text", "align": "left", "dx": 5, "fontSize": 12}},
        ],
    }


def _difference(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    x, y = answer.chart["x"], answer.chart["y"]
    rows = [
        {
            "name": r[y],
            "value": r[x],
            "rises": r[x] > 0,
            "label": f"{'▲' if r[x] > 0 else '▼'} {look.words.cell(r[x], units[x])}",
        }
        for r in records[: answer.chart["limit"]]
    ]
    reach = max((abs(r["value"]) for r in rows), default=1) * 1.28
    return {
        "data": {"values": rows},
        "width": _WIDTH,
        "height": {"step": _ROW},
        "encoding": {
            "y": names("name"),
            "x": {
                "field": "value",
                "type": "quantitative",
                "axis": number_axis(),
                "scale": {"domain": [-reach, reach]},
            },
        },
        "layer": [
            _two_sided(look),
            {**end_label(), "transform": [{"filter": "datum.rises"}]},
            {
                "transform": [{"filter": "!datum.rises"}],
                "mark": {"type": "text", "align": "right", "dx": -5},
                "encoding": {"text": {"field": "label", "type": "nominal"}},
            },
        ],
    }


def _two_sided(look: Look) -> Spec:
    colour = {"condition": {"test": "datum.rises", "value": look.rise}, "value": look.fall}
    return {
        "mark": {"type": "bar", "height": {"band": 0.72}},
        "encoding": {"color": colour},
    }


def _line(answer: Answer, records: list[Spec], units: Mapping[str, str], look: Look) -> Spec:
    x, y, mark = (answer.chart[k] for k in ("x", "y", "provisional"))
    rows = [
        {"x": r[x], "value": r[y], "provisional": bool(mark and r[mark])}
        for r in records
        if r[y] is not None
    ]
    dated = units[x] == "month"
    along: Spec = {
        "field": "x",
        "type": "temporal" if dated else "ordinal",
        "axis": {"title": None},
    }
    if dated:
        along["axis"] |= {"format": "%Y", "tickCount": "year", "labelOverlap": True}
    else:
        along["axis"] |= {"labelAngle": 0}
    share = units[y] == "share"
    axis = {**number_axis(), "format": "%" if share else "~s"}
    up: Spec = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": True}}
    return {
        "data": {"values": rows},
        "width": 640,
        "height": 280,
        "encoding": {"x": along, "y": up},
        "layer": [*_strokes(rows, look, dots=not dated), *_last(rows, units[y], look)],
    }


def _strokes(rows: Sequence[Spec], look: Look, *, dots: bool) -> list[Spec]:
    """A solid line over complete months; a dashed one, with hollow points, to provisional ones."""
    strokes: list[Spec] = [
        {
            "transform": [{"filter": "!datum.provisional"}],
            "mark": {"type": "line", "color": look.current, "strokeWidth": 2, "point": dots},
        }
    ]
    for ends in _provisional_ends(rows):
        line = {"type": "line", "color": look.current, "strokeDash": [4, 3]}
        strokes.append({"data": {"values": ends}, "mark": line})
        hollow = [r for r in ends if r["provisional"]]
        point = {"type": "point", "color": look.current, "filled": False, "size": 50}
        strokes.append({"data": {"values": hollow}, "mark": point})
    if dots:
        strokes[0]["mark"] |= {"color": look.current, "point": {"color": look.current}}
    return strokes


def _provisional_ends(rows: Sequence[Spec]) -> list[Sequence[Spec]]:
    """The provisional rows at either end, each with the complete row they join."""
    whole = [i for i, r in enumerate(rows) if not r["provisional"]]
    if not whole:
        return [rows]
    ends = [rows[: whole[0] + 1], rows[whole[-1] :]]
    return [e for e in ends if len(e) > 1]


def _last(rows: Sequence[Spec], unit: str, look: Look) -> list[Spec]:
    """The last complete point and the last provisional one, named where they stand."""
    done = [r for r in rows if not r["provisional"]][-1:]
    told = [{**r, "label": look.words.cell(r["value"], unit)} for r in done]
    layers = [_point_label(told, look, "right")]
    for at, side in ((0, "left"), (-1, "right")):
        row = rows[at]
        if row["provisional"]:
            provisional = look.words.gettext("provisional")
            label = f"{look.words.cell(row['value'], unit)} {provisional}"
            layers.append(_point_label([{**row, "label": label}], look, side))
    return layers


def _point_label(rows: Sequence[Spec], look: Look, side: str) -> Spec:
    """A label above a point, growing away from the chart's edge."""
    mark = {"type": "text", "align": side, "dy": -12, "color": look.ink, "fontWeight": 600}
    mark |= {"dx": 8} if side == "left" else {}
    return {
        "data": {"values": list(rows)},
        "mark": mark,
        "encoding": {"text": {"field": "label", "type": "nominal"}},
    }


_Build = Callable[[Answer, list[Spec], Mapping[str, str], Look], Spec]
_MARKS: Mapping[str, _Build] = {
    "bar": _bar,
    "paired-bar": _paired,
    "difference": _difference,
    "line": _line,
    "heatmap": heatmap,
    "stacked-bar": stacked,
}
