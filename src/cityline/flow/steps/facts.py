"""Facts about the lake that models and answers may read, from receipts and declarations."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from cityline.flow.parts import Parts
from cityline.flow.steps.outcome import Done

SYSTEM = {
    "lake.city": pa.schema([("fiscal_year_first_month", pa.int32()), ("time_zone", pa.string())]),
    "lake.extract": pa.schema(
        [
            ("source", pa.string()),
            ("extracted_on", pa.date32()),
            ("collection_began", pa.date32()),
            ("data_processed", pa.string()),
            ("rows", pa.int64()),
        ]
    ),
}
"""The columns of the lake's own tables."""


def extracted_on(parts: Parts, source: str, done: Done) -> date:
    """The day the portal made the extract, in the city's time zone.

    A file without such a time counts from when it was taken.
    """
    facts = done.details(f"ingest/{source}")
    moment = datetime.fromisoformat(facts["data_processed"] or facts["retrieved_at"])
    return moment.astimezone(ZoneInfo(parts.folder.city.time_zone)).date()


def system_tables(parts: Parts, done: Done) -> dict[str, pa.Table]:
    """`lake.city` (one row) and `lake.extract` (one row per source), see `declarations.model`."""
    city = parts.folder.city
    own = {
        "fiscal_year_first_month": city.fiscal_year_first_month,
        "time_zone": city.time_zone,
    }
    extracts = [
        {
            "source": name,
            "extracted_on": extracted_on(parts, name, done),
            "collection_began": source.collection_began,
            "data_processed": done.details(f"ingest/{name}")["data_processed"],
            "rows": done.version(f"raw/{name}").rows,
        }
        for name, source in parts.folder.sources.items()
        if f"ingest/{name}" in done.receipts
    ]
    rows = {"lake.city": [own], "lake.extract": extracts}
    return {name: pa.Table.from_pylist(rows[name], schema) for name, schema in SYSTEM.items()}
