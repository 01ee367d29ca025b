"""Write, audit, publish: a candidate's files are judged before they become a table's version."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cityline.errors import QualityError
from cityline.flow.parts import Parts
from cityline.guards import govern
from cityline.lake.address import Address
from cityline.lake.version import Version
from cityline.ports.engine import Tables, Written


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts on a candidate, as they go into the receipt."""

    verdicts: Sequence[govern.Verdict]

    def details(self) -> dict[str, Any]:
        """Verdicts in full, and every metric by name for the history."""
        metrics: dict[str, float] = {}
        for verdict in self.verdicts:
            metrics |= verdict.metrics
        return {"verdicts": [v.to_json() for v in self.verdicts], "metrics": metrics}


def key_for(address: Address, run: str) -> str:
    """A fresh place for a candidate's files; nothing points there until it is committed."""
    return address.key("data", f"{run}-{uuid.uuid4().hex[:8]}")


def judge(
    parts: Parts, address: Address, written: Written, references: Tables, step: str
) -> Judged:
    """Judge a candidate by the rules declared for its address.

    Raises QualityError when a blocking rule fails; the message names each such rule.
    """
    ruleset = parts.folder.rules.get(str(address))
    if ruleset is None:
        return Judged(())
    candidate = Version(address, "candidate", written.rows, written.files)
    verdicts = govern.judge(
        ruleset,
        parts.engine,
        address.table,
        {**references, address.table: candidate},
        history=_history(parts, step),
        now=datetime.now(UTC),
        references=tuple(references),
    )
    failed = [v for v in verdicts if v.blocks]
    if failed:
        told = "; ".join(v.message for v in failed)
        raise QualityError(
            f"{len(failed)} blocking rule{'s' if len(failed) > 1 else ''} failed: {told}",
            where=f"{address}, policies/quality/{address}.dqdl",
            hint="nothing was promoted; the last good state stays. cityline status shows it",
        )
    return Judged(verdicts)


def _history(parts: Parts, step: str) -> Any:
    """Past values of a metric of this step, newest first."""
    past: list[Mapping[str, float]] = []

    def values(metric: str) -> list[float]:
        if not past:
            receipts = parts.ledger.receipts(step=step, limit=100)
            past.extend(r.details.get("metrics", {}) for r in receipts)
        return [metrics[metric] for metrics in past if metric in metrics]

    return values
