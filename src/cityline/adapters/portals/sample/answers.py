"""From a request's path and parameters to the sample portal's answer; no sockets here."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

from cityline.adapters.portals.sample.catalogue import entry
from cityline.adapters.portals.sample.query import Refusal, run, window
from cityline.adapters.portals.sample.tables import (
    CENTRE,
    VOLUME,
    Table,
    centre_table,
    volume_table,
)

PREFIX = "/api/explore/v2.1/catalog/datasets"
_JSON = "application/json; charset=utf-8"
_EXPORTS = ("csv", "json", "jsonl")
_DELIMITERS = (";", ",", "\t", "|")
_SEARCH = re.compile(r'\s*(?:search\(\s*"([^"]*)"\s*\)|dataset_id\s*=\s*"([^"]*)")\s*')


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it is sent. `streamed` bodies are exports, sent in chunks."""

    body: bytes
    content_type: str = _JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    streamed: bool = False


def answer(path: str, asked: Mapping[str, str], today: date) -> Answer:
    """What the portal says to `GET path?asked`."""
    try:
        return _answer(path, asked, today)
    except Refusal as no:
        body = {"error_code": no.code, "message": no.message}
        return Answer(pretty(body), "application/json", no.status)


def pretty(data: Any) -> bytes:
    """JSON as the portal prints its errors."""
    return json.dumps(data, indent=2, ensure_ascii=False).encode()


@lru_cache(maxsize=8)
def table_of(dataset: str, last_month: int) -> Table:
    """A dataset's table, made once per month."""
    return volume_table(last_month) if dataset == VOLUME else centre_table(last_month)


def last_finished_month(today: date) -> int:
    """The month before a day's, in months since January of year 0."""
    return today.year * 12 + today.month - 2


def _answer(path: str, asked: Mapping[str, str], today: date) -> Answer:
    if not path.startswith(PREFIX):
        raise Refusal(404, "NotFoundResource", "The requested resource does not exist.")
    dataset, *rest = [p for p in path.removeprefix(PREFIX).split("/") if p] or [""]
    if not dataset:
        return _catalogue(asked, today)
    if dataset not in (VOLUME, CENTRE):
        told = f"The requested dataset {dataset} does not exist."
        raise Refusal(404, "NotFoundResource", told)
    table = table_of(dataset, last_finished_month(today))
    match rest:
        case []:
            return _json(entry(table, today))
        case ["records"]:
            total, results = run(table, asked, paged=True)
            return _json({"total_count": total, "results": results})
        case ["facets"]:
            return _json(_facets(table, asked))
        case ["exports"]:
            links = [{"rel": k, "href": f"{PREFIX}/{dataset}/exports/{k}"} for k in _EXPORTS]
            return _json({"links": links})
        case ["exports", kind] if kind in _EXPORTS:
            return _export(table, kind, asked)
    raise Refusal(404, "NotFoundResource", "The requested resource does not exist.")


def _json(data: Any) -> Answer:
    return Answer(json.dumps(data, ensure_ascii=False).encode())


def _catalogue(asked: Mapping[str, str], today: date) -> Answer:
    """Search matches every word as a prefix of a word of the identifier, title or description."""
    limit, offset = window(asked)
    where = asked.get("where", "")
    match = _SEARCH.fullmatch(where)
    if where and match is None:
        told = f"ODSQL query is malformed: {where[:120]}. Clause(s) containing the error(s): where."
        raise Refusal(400, "ODSQLError", told)
    entries = [entry(table_of(d, last_finished_month(today)), today) for d in (VOLUME, CENTRE)]
    if match is not None and match[2] is not None:
        entries = [e for e in entries if e["dataset_id"] == match[2]]
    elif match is not None:
        entries = [e for e in entries if _matches(e, match[1])]
    found = entries[offset : offset + limit]
    return _json({"total_count": len(entries), "results": found})


def _matches(found: Mapping[str, Any], wanted: str) -> bool:
    default = found["metas"]["default"]
    text = f"{found['dataset_id']} {default['title']} {default['description']}".lower()
    words = set(re.findall(r"[\w-]+", text)) | set(re.findall(r"\w+", text))
    return all(any(w.startswith(part) for w in words) for part in wanted.lower().split())


def _facets(table: Table, asked: Mapping[str, str]) -> dict[str, Any]:
    facets = [f.name for f in table.fields if dict(f.annotations).get("facet")]
    wanted = asked.get("facet", "")
    if wanted and wanted not in facets:
        told = f"ODSQL query is malformed: {wanted} is not a facet."
        raise Refusal(400, "ODSQLError", told)
    made = []
    for at, known in enumerate(table.fields):
        if known.name in ([wanted] if wanted else facets):
            values = [
                {"name": v, "count": n, "state": "displayed", "value": v}
                for v, n in Counter(table.columns[at]).most_common()
            ]
            made.append({"name": known.name, "facets": values})
    here = f"{PREFIX}/{table.id}"
    links = [{"rel": "self", "href": f"{here}/facets"}, {"rel": "dataset", "href": here}]
    return {"links": links, "facets": made}


def _export(table: Table, kind: str, asked: Mapping[str, str]) -> Answer:
    disposition = {"Content-Disposition": f'attachment; filename="{table.id}.{kind}"'}
    plain = not any(asked.get(k) for k in ("select", "where", "group_by", "order_by"))
    limit = int(asked.get("limit") or -1)
    if kind == "csv" and plain:
        delimiter = asked.get("delimiter", ";")
        if delimiter not in _DELIMITERS:
            told = "Invalid value for delimiter API parameter."
            raise Refusal(400, "InvalidRESTParameterError", told)
        body = table.csv(
            labels=asked.get("use_labels", "false") == "true",
            delimiter=delimiter,
            bom=asked.get("with_bom", "true") == "true",
            limit=limit,
        )
        return Answer(body, "text/csv; charset=utf-8", headers=disposition, streamed=True)
    if kind == "csv":
        told = "The sample portal exports CSV only whole; ask for json with a query."
        run(table, asked, paged=False)  # an unknown field is refused as the portal refuses it
        raise Refusal(400, "InvalidRESTParameterError", told)
    if plain:
        body = table.json(limit) if kind == "json" else table.jsonl(limit)
    else:
        _, records = run(table, asked, paged=False)
        body = json.dumps(records).encode()
        if kind == "jsonl":
            body = "".join(json.dumps(r) + "\n" for r in records).encode()
    content = _JSON if kind == "json" else "application/jsonl; charset=utf-8"
    return Answer(body, content, headers=disposition, streamed=True)
