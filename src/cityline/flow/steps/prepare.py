"""The step `prepare/<source>`: raw → landing and quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cityline.declarations.corrections import Corrections
from cityline.errors import EngineError
from cityline.flow.parts import Parts
from cityline.flow.steps.candidate import judge, key_for
from cityline.flow.steps.facts import extracted_on
from cityline.flow.steps.outcome import Done, Made
from cityline.guards import govern
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Receipt
from cityline.lake.version import Version
from cityline.ports.cleaning import CleaningPlan
from cityline.stages.prepare import compile_recipe, sql_of
from cityline.stages.prepare.run import Prepared, prepare, quarantine_reasons


def inputs(parts: Parts, source: str, done: Done) -> Mapping[str, str]:
    """The raw version, the day it was made, and every declaration that shapes the outcome."""
    digest = parts.folder.digest(
        f"sources/{source}.toml",
        f"recipes/{source}.toml",
        f"corrections/{source}.toml",
        f"policies/quality/landing/{source}.dqdl",
    )
    return {
        f"raw/{source}": done.version(f"raw/{source}").id,
        "extracted_on": extracted_on(parts, source, done).isoformat(),
        "declarations": digest,
    }


def clean(parts: Parts, source: str, done: Done) -> Prepared:
    """Run the recipe on the raw version, without writing anything."""
    raw = done.version(f"raw/{source}")
    return prepare(
        _plan(parts, source, done),
        parts.folder.recipes[source],
        parts.folder.sources[source],
        parts.store.fetch(raw.files[0].key),
        done.details(f"ingest/{source}")["columns"],
        raw.rows,
        parts.engine,
    )


def sql_text(parts: Parts, source: str, done: Done) -> str:
    """The recipe as one SQL statement a person can read."""
    return sql_of(_plan(parts, source, done))


def _plan(parts: Parts, source: str, done: Done) -> CleaningPlan:
    folder = parts.folder
    recipe, contract = folder.recipes[source], folder.sources[source]
    corrections = folder.corrections.get(source) or Corrections(name=source)
    return compile_recipe(recipe, contract, corrections, extracted_on(parts, source, done))


def perform(parts: Parts, source: str, done: Done, run: str) -> Made:
    """Clean, write candidates, judge them, commit them."""
    recipe = parts.folder.recipes[source]
    prepared = clean(parts, source, done)
    cleaned = prepared.cleaned
    landing, quarantine = Address(Zone.LANDING, source), Address(Zone.QUARANTINE, source)
    kept = parts.engine.write(
        "SELECT * FROM kept",
        {"kept": cleaned.kept},
        key_for(landing, run),
        partition_by=recipe.partition_by,
        order_by=recipe.order_by,
    )
    judged = judge(parts, landing, kept, {}, f"prepare/{source}")
    rejected = parts.engine.write(
        "SELECT * FROM rejected", {"rejected": cleaned.quarantined}, key_for(quarantine, run)
    )
    marks = {"cityline.run": run}
    before = _before(parts, source)
    versions = (
        parts.catalog.commit(landing, kept, partition_by=recipe.partition_by, properties=marks),
        parts.catalog.commit(quarantine, rejected, properties=marks),
    )
    details = {
        "effects": [asdict(e) for e in cleaned.effects],
        "warnings": list(prepared.surprises),
        "reasons": quarantine_reasons(cleaned.quarantined),
        "profile": {
            "before": [p.to_json() for p in prepared.before],
            "after": [p.to_json() for p in prepared.after],
        },
        "totals": _totals(prepared),
        **judged.details(),
        **_restated(parts, source, done, before, versions[0]),
    }
    generated = done.receipts[f"ingest/{source}"].generated
    return Made(versions, prepared.rows, kept.rows, generated, details)


def _totals(prepared: Prepared) -> Mapping[str, Any]:
    """The measure before and after: nothing is lost between."""
    return {
        "before": prepared.total_before,
        "kept": prepared.total_kept,
        "quarantined": prepared.total_quarantined,
    }


def _before(parts: Parts, source: str) -> Receipt | None:
    """The receipt of the landing version that stands until now, when its files are still there."""
    last = parts.ledger.last(f"prepare/{source}")
    address = Address(Zone.LANDING, source)
    if last is None or str(address) not in last.writes:
        return None
    kept = {s.id for s in parts.catalog.snapshots(address)}
    return last if last.writes[str(address)] in kept else None


def _restated(
    parts: Parts, source: str, done: Done, before: Receipt | None, after: Version
) -> Mapping[str, Any]:
    """What readers must be told of figures that changed, and whether the source or we changed."""
    recipe = parts.folder.recipes[source]
    if before is None or recipe.restatements is None or recipe.measure is None:
        return {}
    try:
        found = govern.compare(
            parts.engine,
            next(v for v in before.versions if v.address == after.address),
            after,
            key=recipe.restatements.key,
            by=recipe.restatements.by,
            measure=recipe.measure,
        )
    except EngineError as error:  # the recipe's columns were others then: say so, invent nothing
        return {"not_compared": error.what}
    raw = f"raw/{source}"
    return {
        "restatements": found.to_json(),
        "restated_on": extracted_on(parts, source, done).isoformat(),
        "cause": "source" if before.reads[raw] != done.version(raw).id else "method",
    }
