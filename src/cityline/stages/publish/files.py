"""An answer as a file: CSV with its description beside it, the others with it inside."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cityline.lake.answer import Answer
from cityline.stages.publish.site import SAMPLE, Site

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def file_name(text: str) -> str:
    """A name that every file system takes, from any text."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:80] or "answer"


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


def metadata_bytes(answer: Answer, name: str, site: Site) -> bytes:
    """The CSV's description, as CSV on the Web (W3C): columns, period, snapshots, licence."""
    described = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        "dc:title": answer.title,
        "dc:description": answer.sentence,
        "dc:license": [o.licence_url for o in answer.origins],
        "dc:rights": [o.attribution for o in answer.origins],
        "dc:source": [o.address for o in answer.origins],
        **_context(answer, site),
        "tableSchema": {
            "columns": [
                {"name": c.name, "titles": c.label, "dc:description": c.description, "unit": c.unit}
                for c in answer.columns
            ]
        },
    }
    return _json(described)


def json_bytes(answer: Answer, site: Site) -> bytes:
    """Everything about an answer: rows as objects, SQL, period, snapshots, sources, licence."""
    data = answer.to_json() | {"rows": answer.records(), **_context(answer, site)}
    return _json(data)


def parquet_bytes(answer: Answer, site: Site) -> bytes:
    """The table with types; title, period, snapshots and licence are in the file's metadata."""
    columns = {c.name: [r[i] for r in answer.rows] for i, c in enumerate(answer.columns)}
    about = {
        "title": answer.title,
        "sentence": answer.sentence,
        "rights": " ".join(sorted({o.attribution for o in answer.origins})),
        **{k: json.dumps(v, ensure_ascii=False) for k, v in _context(answer, site).items()},
    }
    table = pa.table(columns).replace_schema_metadata(about)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def workbook(answers: Sequence[Answer], site: Site, title: str) -> bytes:
    """A sheet that says what it is, then a sheet for each answer. Texts stay texts: no cell is ever
    a formula or a link. The same figures give the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - only files of this kind need it

    sink = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(sink, options) as book:
        book.set_properties({"title": title, "created": datetime(2000, 1, 1, tzinfo=UTC)})
        bold = book.add_format({"bold": True})
        cover = book.add_worksheet(site.words.gettext("About")[:31])
        cover.set_column(0, 0, 24)
        cover.set_column(1, 1, 100)
        for at, (label, text) in enumerate(_cover(answers, site, title)):
            cover.write_string(at, 0, label, bold)
            cover.write_string(at, 1, text)
        for number, answer in enumerate(answers, 1):
            _sheet(book, f"{number} {answer.question}"[:31], answer, site, bold)
    return sink.getvalue()


def _cover(answers: Sequence[Answer], site: Site, title: str) -> Iterator[tuple[str, str]]:
    _ = site.words.gettext
    yield _("Title"), title
    if any(a.generated for a in answers):
        yield _("Notice"), _(SAMPLE)
    for answer in answers:
        yield answer.title, answer.sentence
        yield _("Period"), " / ".join(s.label for s in (answer.period, answer.comparison) if s)
        chosen = ", ".join(f"{k} = {v}" for k, v in answer.parameters.items())
        yield _("Filters"), chosen or _("none")
        yield _("Snapshots"), ", ".join(f"{t}@{s}" for t, s in answer.snapshots.items())
    yield _("Snapshot of the site"), site.snapshot
    if site.address:
        yield _("Address"), site.address
    for sentence, address in site.licences:
        yield _("Licence"), f"{sentence} {address}".strip()


def _sheet(book: Any, name: str, answer: Answer, site: Site, bold: Any) -> None:
    sheet = book.add_worksheet(name)
    formats = {
        unit: book.add_format({"num_format": pattern})
        for unit, pattern in (("share", "0.0%"), ("change", "+0.0%;-0.0%"), ("count", "#,##0"))
    }
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(answer.columns):
        sheet.write_string(0, at, column.label or column.name, bold)
        sheet.set_column(at, at, max(12, min(48, len(column.label) + 2)))
    for row, values in enumerate(answer.rows, 1):
        for at, (column, value) in enumerate(zip(answer.columns, values, strict=True)):
            if isinstance(value, bool) or value is None:
                sheet.write_string(row, at, "" if value is None else site.words.cell(value, ""))
            elif isinstance(value, int | float):
                counted = "count" if column.unit in ("inquiries", "calls", "difference") else ""
                sheet.write_number(row, at, value, formats.get(column.unit, formats.get(counted)))
            else:
                sheet.write_string(row, at, site.names.get(column.name, {}).get(value, str(value)))


def _context(answer: Answer, site: Site) -> dict[str, Any]:
    told: dict[str, Any] = {
        "period": answer.period.label if answer.period else "",
        "comparison": answer.comparison.label if answer.comparison else "",
        "parameters": dict(answer.parameters),
        "snapshots": dict(answer.snapshots),
        "site_snapshot": site.snapshot,
        "address": site.address,
    }
    if answer.generated:
        told["notice"] = SAMPLE
    return told


def _json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n").encode()
