"""The sample portal's two tables, and their bytes laid out as the portal lays its exports out.

CSV: `;` unless asked otherwise, CRLF, quotes only where needed, API names unless labels are asked,
a byte order mark unless refused, newest rows first.
"""

from __future__ import annotations

import calendar
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from cityline.adapters.portals.sample.centre import generate_centre
from cityline.adapters.portals.sample.volume import generate_volume

VOLUME = "3-1-1-inquiry-volume"
CENTRE = "3-1-1-contact-centre-metrics"
BOM = b"\xef\xbb\xbf"
Cell: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Field:
    """A column as the portal describes it; `annotations` are the portal's own."""

    name: str
    label: str
    type: str
    annotations: tuple[tuple[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The catalogue's shape."""
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "description": None,
            "annotations": dict(self.annotations),
        }


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset's rows, column-wise; decimals are texts, for their precision is part of them."""

    id: str
    fields: tuple[Field, ...]
    columns: tuple[Sequence[Cell], ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def csv(
        self,
        *,
        labels: bool = True,
        delimiter: str = ";",
        bom: bool = True,
        limit: int = -1,
    ) -> bytes:
        """The export's bytes; a limit of -1 means all rows."""
        count = len(self) if limit < 0 else min(limit, len(self))
        header = [f.label if labels else f.name for f in self.fields]
        texts = [_texts(c, count, delimiter) for c in self.columns]
        lines = [delimiter.join(quoted(h, delimiter) for h in header)]
        lines += map(delimiter.join, zip(*texts, strict=True))
        return (BOM if bom else b"") + "\r\n".join([*lines, ""]).encode()

    def record(self, row: int) -> dict[str, Any]:
        """One row as the API's JSON has it: flat, by API name."""
        return {
            f.name: float(c[row]) if f.type == "double" else c[row]
            for f, c in zip(self.fields, self.columns, strict=True)
        }

    def json(self, limit: int = -1) -> bytes:
        """The `json` export: one array."""
        return json.dumps(self._records(limit), ensure_ascii=False).encode()

    def jsonl(self, limit: int = -1) -> bytes:
        """The `jsonl` export: one object per line."""
        lines = (json.dumps(r, ensure_ascii=False) + "\n" for r in self._records(limit))
        return "".join(lines).encode()

    def _records(self, limit: int) -> list[dict[str, Any]]:
        count = len(self) if limit < 0 else min(limit, len(self))
        return [self.record(row) for row in range(count)]


def volume_table(last_month: int) -> Table:
    """Generated inquiry volumes up to a month (months since January of year 0)."""
    return Table(VOLUME, _VOLUME_FIELDS, tuple(generate_volume(last_month).columns()))


def centre_table(last_month: int) -> Table:
    """Generated contact centre days up to the end of a month."""
    year, month = last_month // 12, last_month % 12 + 1
    last_day = date(year, month, calendar.monthrange(year, month)[1])
    return Table(CENTRE, _CENTRE_FIELDS, tuple(generate_centre(last_day)))


def quoted(text: str, delimiter: str) -> str:
    """A cell with quotes only where it needs them."""
    if delimiter in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def _texts(column: Sequence[Cell], count: int, delimiter: str) -> list[str]:
    known: dict[Cell, str] = {}
    for value in set(column[:count]):
        known[value] = quoted(str(value), delimiter)
    return [known[value] for value in column[:count]]


_FACET = (("facet", True), ("disjunctive", True))
_VOLUME_FIELDS = (
    Field("department", "Department", "text", (*_FACET, ("hierarchical", " - "))),
    Field("type", "Type", "text", _FACET),
    Field("year_month", "Year Month", "date", (("timeserie_precision", "month"),)),
    Field("channel", "Channel", "text", _FACET),
    Field("number_of_records", "Number of Records", "int"),
    Field("bi_id", "BI_ID", "int"),
)
_CENTRE_FIELDS = (
    Field("date", "Date", "date", (("timeserie_precision", "day"),)),
    Field("callsoffered", "CallsOffered", "int"),
    Field("callshandled", "CallsHandled", "int"),
    Field("callsabandoned", "CallsAbandoned", "int"),
    Field("averagespeedofanswer", "AverageSpeedofAnswer", "double"),
    Field("servicelevel", "ServiceLevel", "double"),
    Field("bi_id", "BI_ID", "int"),
)
