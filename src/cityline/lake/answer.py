"""An answer: a small table with units, a finding sentence, its period and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column of the table; `unit` as declared in the question."""

    name: str
    label: str
    unit: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """Months from `start` to `end`, first days of the first and last month; `label` in words."""

    start: date
    end: date
    label: str
    complete: bool
    """True when every month in it is complete and it makes whole years where years are meant."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A source of an answer, as a reader must see it."""

    source: str
    title: str
    dataset: str
    address: str
    retrieved_at: str
    data_processed: str
    sha256: str
    rows: int
    licence_url: str
    attribution: str
    generated: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, the figures, and everything needed to check them.

    `rows` are lists in the order of `columns`; dates are ISO texts, numbers are int or float, an
    unknown is None. `snapshots` maps each table read to its snapshot id. `refused` is the reason
    when the comparison would not be like for like; then `rows` is empty and `sentence` says so.
    """

    question: str
    title: str
    sentence: str
    columns: tuple[AnswerColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    parameters: Mapping[str, Any]
    period: Span | None
    comparison: Span | None
    sql: str
    engine: str
    milliseconds: float
    bytes_read: int
    snapshots: Mapping[str, str]
    origins: tuple[Origin, ...]
    chart: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    refused: str = ""
    refusal: str = ""
    """The kind of refusal, e.g. `nothing-shared`."""
    language: str = "en"
    steps: tuple[Mapping[str, Any], ...] = field(default=())
    """Rows at each step from the portal to this answer: {step, rows_in, rows_out, note}."""

    @property
    def generated(self) -> bool:
        """True when any source was generated and is not the City's figures."""
        return any(o.generated for o in self.origins)

    def records(self) -> list[dict[str, Any]]:
        """The table as a list of objects."""
        names = [c.name for c in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def to_json(self) -> dict[str, Any]:
        """A plain object; dates become ISO texts."""
        data = asdict(self)
        for key in ("period", "comparison"):
            if data[key]:
                data[key] |= {k: data[key][k].isoformat() for k in ("start", "end")}
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            **{
                **data,
                "columns": tuple(AnswerColumn(**c) for c in data["columns"]),
                "rows": tuple(tuple(r) for r in data["rows"]),
                "period": _span(data["period"]),
                "comparison": _span(data["comparison"]),
                "origins": tuple(Origin(**o) for o in data["origins"]),
                "notes": tuple(data["notes"]),
                "steps": tuple(data["steps"]),
            }
        )


def _span(data: Mapping[str, Any] | None) -> Span | None:
    if data is None:
        return None
    start, end = (date.fromisoformat(data[k]) for k in ("start", "end"))
    return Span(start, end, data["label"], data["complete"])
