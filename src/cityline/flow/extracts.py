"""The history of a source as readers see it: each pull, and which figures it changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from cityline.flow.reading import Reading
from cityline.lake.receipt import Outcome, Receipt
from cityline.stages.publish.site import Extract


def history(reading: Reading, until: str = "") -> tuple[Extract, ...]:
    """Every pull that changed anything, newest first, of what was started before `until`."""
    found: list[tuple[str, Extract]] = []
    ledger = reading.parts.ledger
    for source in reading.folder.recipes:
        pulls = {
            version: r
            for r in ledger.receipts(step=f"ingest/{source}")
            if r.outcome is Outcome.DONE
            for version in r.writes.values()
        }
        for receipt in ledger.receipts(step=f"prepare/{source}"):
            if receipt.outcome is not Outcome.DONE or (until and receipt.started > until):
                continue
            pull = pulls.get(receipt.reads[f"raw/{source}"])
            if pull is not None:
                found.append((receipt.started, _extract(reading, source, pull, receipt)))
    return tuple(e for _, e in sorted(found, key=lambda f: f[0], reverse=True))


def _extract(reading: Reading, source: str, pull: Receipt, receipt: Receipt) -> Extract:
    facts = pull.details
    restated: Mapping[str, Any] = receipt.details.get("restatements", {})
    words = reading.words
    number = words.number
    changes = restated.get("changes", ())
    by_value: dict[str, list[int]] = {}
    for at, change in enumerate(changes):
        if len(change["by"]) > 1:
            by_value.setdefault(change["by"][1], []).append(at)
    names = reading.names.get("department", {})
    titles = reading.told.sources if reading.told else {}
    return Extract(
        source=source,
        title=titles.get(source, reading.folder.sources[source].title),
        snapshot=next((v for a, v in receipt.writes.items() if a.startswith("landing/")), ""),
        extracted=receipt.reads["extracted_on"],
        retrieved_at=facts["retrieved_at"],
        rows=facts["rows"],
        sha256=facts["sha256"],
        address=facts["address"],
        cause=str(receipt.details.get("cause", "")),
        restated=restated,
        lines=tuple(
            (
                ", ".join([_period(reading, c["by"][0]), *(names.get(b, b) for b in c["by"][1:])]),
                "–" if c["before"] is None else number(c["before"]),
                "–" if c["after"] is None else number(c["after"]),
            )
            for c in changes
        ),
        news=tuple((_period(reading, p), number(n)) for p, n in restated.get("new", ())),
        by_value={k: tuple(v) for k, v in by_value.items()},
    )


def _period(reading: Reading, text: str) -> str:
    day = date.fromisoformat(text[:10])
    return reading.words.month(day) if day.day == 1 else reading.words.day(text)
