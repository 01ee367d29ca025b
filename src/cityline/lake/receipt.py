"""A receipt: what one step read and wrote. Lineage is receipts read backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from cityline.lake.version import Version


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a step did: `step` is `stage/subject`, times are ISO 8601 in UTC, seconds are wall time.

    `reads` and `writes` map an address to a version id. `versions` are the full versions written.
    `details` belongs to the stage (rows at each recipe step, verdicts, headers, SQL as run).
    `generated` is true when any input was generated and is not the City's figures.
    """

    run: str
    step: str
    outcome: Outcome
    fingerprint: str
    started: str
    seconds: float
    reads: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[Version, ...] = ()
    rows_in: int = 0
    rows_out: int = 0
    generated: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The verb of the way this step belongs to."""
        return self.step.partition("/")[0]

    @property
    def subject(self) -> str:
        """What the step worked on: a source, a model, a question, or `site`."""
        return self.step.partition("/")[2]

    @property
    def writes(self) -> Mapping[str, str]:
        """Address → version id of what was written."""
        return {str(v.address): v.id for v in self.versions}

    def to_json(self) -> dict[str, Any]:
        """A plain object, the form that is stored."""
        return {
            "run": self.run,
            "step": self.step,
            "outcome": self.outcome.value,
            "fingerprint": self.fingerprint,
            "started": self.started,
            "seconds": round(self.seconds, 4),
            "reads": dict(self.reads),
            "versions": [v.to_json() for v in self.versions],
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "generated": self.generated,
            "details": dict(self.details),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            run=data["run"],
            step=data["step"],
            outcome=Outcome(data["outcome"]),
            fingerprint=data["fingerprint"],
            started=data["started"],
            seconds=data["seconds"],
            reads=data["reads"],
            versions=tuple(Version.from_json(v) for v in data["versions"]),
            rows_in=data["rows_in"],
            rows_out=data["rows_out"],
            generated=data["generated"],
            details=data["details"],
        )
