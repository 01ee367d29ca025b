"""A verdict: how one rule came out, with what was observed and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is passed, warned or failed; `severity` block or warn. `metrics` are named as Glue
    names them, e.g. `Column.month.Completeness`."""

    rule: str
    type: str
    outcome: str
    severity: str
    message: str
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def blocks(self) -> bool:
        """Whether it stops promotion."""
        return self.outcome == "failed"

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**data)
