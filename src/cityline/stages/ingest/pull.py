"""One pull: ask the portal what changed, stream the export, check it, seal it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cityline.declarations.source import Source
from cityline.errors import SourceChanged, UsageError
from cityline.lake.address import Address, Zone
from cityline.lake.version import DataFile, Version
from cityline.ports.portal import Dataset, Download, Portal
from cityline.ports.store import Store
from cityline.stages.ingest.gates import Inspection, check_counts, inspect


@dataclass(frozen=True, slots=True)
class Pulled:
    """A sealed version of the raw zone. `unchanged` says why nothing was new, or is empty.

    `facts` is kept in the receipt: what the portal said and what was found in the file.
    """

    version: Version
    facts: Mapping[str, Any]
    generated: bool
    unchanged: str = ""


def pull(
    source: Source,
    portal: Portal,
    store: Store,
    incoming: Path,
    *,
    last: tuple[Version, Mapping[str, Any]] | None = None,
    accept: str = "",
) -> Pulled:
    """Bring a source into the raw zone, or find that nothing changed.

    `incoming` is a path to stream to, on the store's file system. `accept` is a person's reason
    to take a dataset that shrank. Raises SourceError and its children; nothing is left behind.
    """
    if source.status != "signed":
        what = f"the source {source.name} is a draft; nobody has signed it"
        hint = 'read it, then set status = "signed" and signed_by'
        raise UsageError(what, where=f"sources/{source.name}.toml", hint=hint)
    dataset = portal.describe(source.dataset)
    _check_fields(source, dataset)
    if last and _same_extract(dataset, last[1]):
        told = f"the portal's extract of {dataset.data_processed} is already here"
        return Pulled(last[0], last[1], dataset.generated, told)
    try:
        incoming.parent.mkdir(parents=True, exist_ok=True)
        download = portal.export(source.dataset, incoming, source.format.max_bytes)
        inspection = inspect(incoming, source, download.content_type)
        check_counts(
            inspection.rows,
            source,
            promised=dataset.records_count,
            last=None if accept or last is None else last[0].rows,
        )
        facts = _facts(source, dataset, download, inspection, accept)
        if last and last[0].id == download.sha256:
            told = "the portal processed the dataset again; its content is the same"
            return Pulled(last[0], facts, dataset.generated, told)
        return Pulled(_seal(source, download, facts, dataset, store), facts, dataset.generated)
    finally:
        incoming.unlink(missing_ok=True)


def _same_extract(dataset: Dataset, known: Mapping[str, Any]) -> bool:
    """Whether the portal says that nothing changed. It has no ETag, so its own words must do."""
    return bool(dataset.data_processed) and (
        dataset.data_processed == known["data_processed"]
        and dataset.records_count == known["records_count"]
        and dataset.address == known["address"]
    )


def _check_fields(source: Source, dataset: Dataset) -> None:
    """Refuse a dataset whose fields the contract does not know by label or name."""
    if not dataset.fields:
        return
    published = {f.label for f in dataset.fields} | {f.name for f in dataset.fields}
    missing = [f.label for f in source.fields if not {f.label, f.name} & published]
    if missing:
        told = ", ".join(repr(m) for m in missing)
        has = ", ".join(repr(f.label) for f in dataset.fields)
        raise SourceChanged(
            f"the portal no longer publishes the column {told}; it publishes {has}",
            where=source.dataset,
            hint=f"cityline discover {source.dataset} shows it; then mend "
            f"sources/{source.name}.toml. The last good state stays",
        )


def _facts(
    source: Source, dataset: Dataset, download: Download, inspection: Inspection, accept: str
) -> dict[str, Any]:
    return {
        "dataset": dataset.id,
        "title": dataset.title or source.title,
        "address": dataset.address,
        "url": download.url,
        "licence": dataset.licence or source.licence,
        "records_count": dataset.records_count,
        "data_processed": dataset.data_processed,
        "retrieved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": download.sha256,
        "bytes": download.bytes,
        "content_type": download.content_type,
        "columns": list(inspection.columns),
        "rows": inspection.rows,
        "notes": list(inspection.notes),
        "accepted": accept,
        "generated": dataset.generated,
    }


def _seal(
    source: Source,
    download: Download,
    facts: Mapping[str, Any],
    dataset: Dataset,
    store: Store,
) -> Version:
    """Put the bytes under their hash, with the headers and the portal's metadata beside them.

    The data come last: where they stand, their companions do too.
    """
    address = Address(Zone.RAW, source.name)
    companions = {
        "headers.json": dict(download.headers),
        "metadata.json": dict(dataset.metadata),
        "facts.json": dict(facts),
    }
    for name, content in companions.items():
        text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
        store.write(address.key(download.sha256, name), text.encode())
    key = address.key(download.sha256, "data.csv")
    store.adopt(download.path, key)
    rows = int(facts["rows"])
    return Version(address, download.sha256, rows, (DataFile(key, rows, download.bytes),))
