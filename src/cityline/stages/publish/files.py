"""An answer as a file: CSV with its description beside it, JSON and Parquet with it inside."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cityline.lake.answer import Answer
from cityline.stages.publish.site import SAMPLE

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def csv_bytes(answer: Answer) -> bytes:
    """The table alone, UTF-8, one header line. A text that a spreadsheet would take for a formula
    gets an apostrophe before it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([c.name for c in answer.columns])
    writer.writerows([[_safe(v) for v in row] for row in answer.rows])
    return buffer.getvalue().encode()


def _safe(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def metadata_bytes(answer: Answer, name: str) -> bytes:
    """The CSV's description, as CSV on the Web (W3C): columns, period, snapshots, licence."""
    described = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        "dc:title": answer.title,
        "dc:description": answer.sentence,
        "dc:license": [o.licence_url for o in answer.origins],
        "dc:rights": [o.attribution for o in answer.origins],
        "dc:source": [o.address for o in answer.origins],
        **_context(answer),
        "tableSchema": {
            "columns": [
                {"name": c.name, "titles": c.label, "dc:description": c.description, "unit": c.unit}
                for c in answer.columns
            ]
        },
    }
    return _json(described)


def json_bytes(answer: Answer) -> bytes:
    """Everything about an answer: rows as objects, SQL, period, snapshots, sources, licence."""
    data = answer.to_json() | {"rows": answer.records(), **_context(answer)}
    return _json(data)


def parquet_bytes(answer: Answer) -> bytes:
    """The table with types; title, period, snapshots and licence are in the file's metadata."""
    columns = {c.name: [r[i] for r in answer.rows] for i, c in enumerate(answer.columns)}
    about = {
        "title": answer.title,
        "sentence": answer.sentence,
        "rights": " ".join(sorted({o.attribution for o in answer.origins})),
        **{k: json.dumps(v, ensure_ascii=False) for k, v in _context(answer).items()},
    }
    table = pa.table(columns).replace_schema_metadata(about)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _context(answer: Answer) -> dict[str, Any]:
    told: dict[str, Any] = {
        "period": answer.period.label if answer.period else "",
        "comparison": answer.comparison.label if answer.comparison else "",
        "parameters": dict(answer.parameters),
        "snapshots": dict(answer.snapshots),
    }
    if answer.generated:
        told["notice"] = SAMPLE
    return told


def _json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n").encode()
