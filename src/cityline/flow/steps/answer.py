"""The step `analyse/<question>`: curated → an answer, kept as it was computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

import pyarrow as pa

from cityline.flow.parts import Parts
from cityline.flow.steps.facts import extracted_on
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.lake.answer import Answer, Origin
from cityline.lake.version import DataFile, Version
from cityline.stages.analyse import Calendar
from cityline.stages.analyse import answer as compute_answer

CALENDAR = "curated.calendar"


def inputs(parts: Parts, question: str, done: Done) -> Mapping[str, str]:
    """The versions read, the calendar, the sources' facts, and the question's declaration."""
    declared = parts.folder.questions[question]
    reads = {r: done.version(Address.parse(r)).id for r in (*declared.reads, CALENDAR)}
    origins = {
        f"ingest/{s}": str(done.details(f"ingest/{s}")["retrieved_at"])
        for s in sources_of(parts, question, done)
    }
    digest = parts.folder.digest(f"questions/{question}.sql", "city.toml", "sources/")
    return {**reads, **origins, "declarations": digest}


def perform(parts: Parts, question: str, done: Done, _run: str) -> Made:
    """Compute the answer with its default parameters and keep it as JSON."""
    found = compute(parts, question, done, {})
    data = found.to_json()
    told = {k: v for k, v in data.items() if k != "milliseconds"}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    identity = hashlib.sha256(text.encode()).hexdigest()
    address = Address(Zone.ANSWERS, question)
    key = address.key(f"{identity}.json")
    body = json.dumps(data, ensure_ascii=False, indent=1).encode()
    parts.store.write(key, body)
    version = Version(
        address, identity, len(found.rows), (DataFile(key, len(found.rows), len(body)),)
    )
    rows_in = sum(
        done.version(Address.parse(r)).rows for r in parts.folder.questions[question].reads
    )
    details = {"sql": found.sql, "sentence": found.sentence, "refused": found.refused}
    return Made((version,), rows_in, len(found.rows), found.generated, details)


def load(parts: Parts, question: str, done: Done) -> Answer:
    """The answer as it was kept."""
    version = done.version(Address(Zone.ANSWERS, question))
    return Answer.from_json(json.loads(parts.store.read(version.files[0].key)))


def compute(
    parts: Parts,
    question: str,
    done: Done,
    parameters: Mapping[str, Any],
    *,
    calendar: Calendar | None = None,
    known: Mapping[str, Collection[str]] | None = None,
) -> Answer:
    """Ask a question of what is curated, with any parameters. A caller that asks often gives the
    `calendar` of the question's source and the `known` values by `table.column`."""
    declared = parts.folder.questions[question]
    versions = {r: done.version(Address.parse(r)) for r in declared.reads}
    tables: dict[str, pa.Table | Version] = {**done.tables()}
    return compute_answer(
        declared,
        parts.asking,
        tables,
        calendar=calendar or read_calendar(parts, declared.period.source, done),
        known=known or {},
        versions=versions,
        origins=tuple(_origin(parts, s, done) for s in sources_of(parts, question, done)),
        parameters=parameters,
        steps=_steps(parts, question, done),
        events=parts.folder.city.events,
        language=parts.folder.city.language,
    )


def sources_of(parts: Parts, question: str, done: Done) -> list[str]:
    """The sources an answer's figures come from, found by following the models backwards.

    The calendar covers every source; it only says which months of the question's own are complete.
    """
    declared = parts.folder.questions[question]
    found = {declared.period.source}
    waiting = [Address.parse(r) for r in declared.reads]
    while waiting:
        address = waiting.pop()
        if address.zone == Zone.LANDING:
            found.add(address.name)
        elif address.zone == Zone.CURATED and address.table != CALENDAR:
            model = parts.folder.models[address.name]
            waiting += [Address.parse(r) for r in model.reads if not r.startswith("lake.")]
    return [s for s in parts.folder.sources if s in found and f"ingest/{s}" in done.receipts]


def read_calendar(parts: Parts, source: str, done: Done) -> Calendar:
    """Which months of a source there are, and which are complete."""
    sql = f"SELECT * FROM {CALENDAR} WHERE source = $source ORDER BY month"
    version = done.version(Address.parse(CALENDAR))
    return Calendar(parts.asking.query(sql, {CALENDAR: version}, {"source": source}).to_pylist())


def _origin(parts: Parts, source: str, done: Done) -> Origin:
    declared = parts.folder.sources[source]
    receipt = done.receipts[f"ingest/{source}"]
    facts = receipt.details
    return Origin(
        source=source,
        title=declared.title,
        dataset=facts["dataset"],
        address=facts["address"],
        retrieved_at=facts["retrieved_at"],
        data_processed=facts["data_processed"] or extracted_on(parts, source, done).isoformat(),
        sha256=facts["sha256"],
        rows=facts["rows"],
        licence_url=declared.licence_url,
        attribution=declared.attribution,
        generated=receipt.generated,
    )


def _steps(parts: Parts, question: str, done: Done) -> tuple[Mapping[str, Any], ...]:
    """Rows at each step from the portal to the tables an answer reads."""
    told: list[Mapping[str, Any]] = []
    for source in sources_of(parts, question, done):
        raw = done.version(f"raw/{source}")
        told.append(
            {"step": f"ingest/{source}", "rows_in": raw.rows, "rows_out": raw.rows, "note": ""}
        )
        receipt = done.receipts[f"prepare/{source}"]
        reasons = receipt.details["reasons"]
        note = "; ".join(f"{n:,} rejected: {why}" for why, n in reasons.items())
        told.append(_row(f"prepare/{source}", receipt.rows_in, receipt.rows_out, note))
    for model in _models_of(parts, parts.folder.questions[question].reads):
        receipt = done.receipts[f"structure/{model}"]
        told.append(_row(f"structure/{model}", receipt.rows_in, receipt.rows_out, ""))
    return tuple(told)


def _row(step: str, rows_in: int, rows_out: int, note: str) -> Mapping[str, Any]:
    return {"step": step, "rows_in": rows_in, "rows_out": rows_out, "note": note}


def _models_of(parts: Parts, reads: tuple[str, ...]) -> list[str]:
    """Models behind tables, each after those it reads."""
    order: dict[str, None] = {}

    def visit(name: str) -> None:
        for read in parts.folder.models[name].reads:
            if read.startswith("curated."):
                visit(Address.parse(read).name)
        order[name] = None

    for read in reads:
        visit(Address.parse(read).name)
    return list(order)
