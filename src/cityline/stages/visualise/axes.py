"""Axes and labels that several charts share."""

from __future__ import annotations

from typing import Any, TypeAlias

Spec: TypeAlias = dict[str, Any]
"""A piece of a Vega-Lite specification."""


def _label_axis() -> Spec:
    return {"title": None, "ticks": False, "domain": False, "labelPadding": 6}


def number_axis() -> Spec:
    """An axis of counts."""
    return {"title": None, "grid": True, "tickCount": 4, "format": "~s"}


def names(field: str) -> Spec:
    """Names beside horizontal bars, in the order of the table."""
    return {"field": field, "type": "nominal", "sort": None, "axis": _label_axis()}


def end_label() -> Spec:
    """The figure at the end of a bar."""
    return {
        "mark": {"type": "text", "align": "left", "dx": 5},
        "encoding": {"text": {"field": "label", "type": "nominal"}},
    }
