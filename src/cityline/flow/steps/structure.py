"""The step `structure/<model>`: landing → curated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from cityline.errors import StepError
from cityline.flow.parts import Parts
from cityline.flow.steps.candidate import judge, key_for
from cityline.flow.steps.facts import system_tables
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.lake.version import Version
from cityline.ports.engine import Table
from cityline.stages.structure import reconcile, structure


def inputs(parts: Parts, model: str, done: Done) -> Mapping[str, str]:
    """The versions read, the facts about the lake read, and the model's declarations."""
    reads = parts.folder.models[model].reads
    system = system_tables(parts, done)
    found = {
        r: str(system[r].to_pylist()) if r in system else done.version(Address.parse(r)).id
        for r in reads
    }
    digest = parts.folder.digest(f"models/{model}.sql", f"policies/quality/curated/{model}.dqdl")
    return {**found, "declarations": digest}


def perform(parts: Parts, model: str, done: Done, run: str) -> Made:
    """Write the candidate, reconcile and judge it, commit it."""
    declared = parts.folder.models[model]
    address = Address(Zone.CURATED, model)
    system = system_tables(parts, done)
    known: dict[str, Table] = {**done.tables(), **system}
    tables = {r: known[r] for r in declared.reads}
    written = structure(declared, parts.engine, tables, key_for(address, run))
    candidate = Version(address, "candidate", written.rows, written.files)
    totals = reconcile(declared, parts.engine, {**tables, address.table: candidate})
    wrong = [t for t in totals if not t.equal]
    if wrong:
        told = "; ".join(f"{t.column} is {t.total}, {t.of} is {t.expected}" for t in wrong)
        hint = "a join fanned out or dropped rows; look at the model's SQL"
        raise StepError(f"totals do not reconcile: {told}", where=str(address), hint=hint)
    judged = judge(parts, address, written, tables, f"structure/{model}")
    version = parts.catalog.commit(
        address, written, partition_by=declared.partition_by, properties={"cityline.run": run}
    )
    rows_in = sum(t.rows for t in tables.values() if isinstance(t, Version))
    details = {"sql": declared.sql, "totals": [asdict(t) for t in totals], **judged.details()}
    return Made((version,), rows_in, written.rows, _generated(done, declared.reads), details)


def _generated(done: Done, reads: tuple[str, ...]) -> bool:
    """Whether any table read came from generated data, directly or through another model."""
    for read in reads:
        address = Address.parse(read)
        stage = {"landing": "prepare", "curated": "structure"}.get(address.zone)
        if stage and done.receipts[f"{stage}/{address.name}"].generated:
            return True
    return False
