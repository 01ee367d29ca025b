"""The step `ingest/<source>`: always asks the portal, and mostly learns that nothing changed."""

from __future__ import annotations

from collections.abc import Mapping

from cityline.flow.parts import Parts
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.stages.ingest import pull


def inputs(parts: Parts, source: str, _done: Done) -> Mapping[str, str]:
    """The source's contract; what the portal holds is asked in `perform`."""
    return {"source": parts.folder.digest(f"sources/{source}.toml")}


def perform(parts: Parts, source: str, _done: Done, run: str) -> Made:
    """Pull the source, or keep the version that is here."""
    last = parts.ledger.last(f"ingest/{source}")
    known = None
    if last and parts.store.keys(Address(Zone.RAW, source).key(last.versions[0].id)):
        known = (last.versions[0], last.details)
    declared = parts.folder.sources[source]
    pulled = pull(
        declared,
        parts.portal(declared),
        parts.store,
        parts.home / "incoming" / run / f"{source}.csv",
        last=known,
        accept=parts.accept,
    )
    rows = pulled.version.rows
    # the same content in a newer extract is news: which months are complete may have changed
    nothing_new = known is not None and pulled.facts is known[1]
    facts = pulled.facts if nothing_new else {**pulled.facts, "same_content": pulled.unchanged}
    unchanged = pulled.unchanged if nothing_new else ""
    return Made((pulled.version,), rows, rows, pulled.generated, facts, unchanged)
