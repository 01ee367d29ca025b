"""The Explore API's endpoints over loopback HTTP, with its caps, headers and error shapes.

It can also misbehave on request, as portals have been seen to.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cityline.adapters.portals.sample import centre, volume

_PREFIX = "/api/explore/v2.1/catalog/datasets"
VOLUME = "3-1-1-inquiry-volume"
CENTRE = "3-1-1-contact-centre-metrics"
_MAX_LIMIT = 100
_MAX_WINDOW = 10_000


@dataclass(slots=True)
class Fault:
    """Misbehaviour for the next `times` requests whose path contains `path`.

    `kind`: quota, busy, error, html, error-object, empty, cut, slow, stall, redirect, bomb, or
    replace (with `body`); `status` for error, `seconds` for busy, slow and stall.
    """

    kind: str
    path: str = ""
    times: int = 1
    status: int = 503
    seconds: float = 0.0
    body: bytes = b""
    location: str = ""


@dataclass(slots=True)
class _Refusal(Exception):
    status: int
    code: str
    message: str


@dataclass(slots=True)
class SamplePortal:
    """The portal as a context: `with SamplePortal() as portal: portal.base_url`.

    `today` is the day its extracts are made after (default: today in UTC). `faults` are consumed
    in order; `requests` lists the paths that were asked for.
    """

    today: date | None = None
    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None
    _bodies: dict[tuple[Any, ...], bytes] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base_url(self) -> str:
        """Where the API begins."""
        if self._server is None:
            raise RuntimeError("the portal is not open")
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/explore/v2.1"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"source": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def day(self) -> date:
        """The day extracts are made for."""
        return self.today or datetime.now(UTC).date()

    def processed(self) -> datetime:
        """When the newest extract was made: the 12th of the month at 13:50:39, or the first day."""
        first = self.day().replace(day=1)
        day = min(first + timedelta(days=11), self.day())
        return datetime(day.year, day.month, day.day, 13, 50, 39, tzinfo=UTC)

    def fault(self, path: str) -> Fault | None:
        """The misbehaviour due for a request, if any."""
        with self._lock:
            self.requests.append(path)
            for fault in self.faults:
                if fault.times > 0 and fault.path in path:
                    fault.times -= 1
                    return fault
        return None

    def csv(self, dataset: str, *, labels: bool, delimiter: str, bom: bool) -> bytes:
        """A dataset's export; made once per day and layout."""
        key = (dataset, labels, delimiter, bom, self.day())
        with self._lock:
            if key not in self._bodies:
                if dataset == VOLUME:
                    rows = volume.rows(self.day())
                    made = volume.csv_bytes(rows, labels=labels, delimiter=delimiter, bom=bom)
                else:
                    made = centre.csv_bytes(self.day(), delimiter=delimiter, bom=bom)
                self._bodies[key] = made
            return self._bodies[key]

    def records(self, dataset: str) -> list[dict[str, Any]]:
        """A dataset's rows by API names."""
        text = self.csv(dataset, labels=False, delimiter=";", bom=False).decode()
        head, *lines = text.splitlines()
        names = [_api_name(n) for n in head.split(";")]
        types = {f["name"]: f["type"] for f in _FIELDS[dataset]}
        return [
            {n: _typed(v, types[n]) for n, v in zip(names, line.split(";"), strict=True)}
            for line in lines
        ]

    def describe(self, dataset: str) -> dict[str, Any]:
        """The catalogue's entry."""
        lines = self.csv(dataset, labels=True, delimiter=";", bom=True).count(b"\n") - 1
        processed = self.processed().isoformat()
        title = "3-1-1 inquiry volume" if dataset == VOLUME else "3-1-1 contact centre metrics"
        return {
            "visibility": "domain",
            "dataset_id": dataset,
            "dataset_uid": f"da_{dataset.replace('-', '')[:6]}",
            "has_records": True,
            "features": ["analyze", "timeserie"],
            "attachments": [],
            "alternative_exports": [],
            "data_visible": True,
            "fields": _FIELDS[dataset],
            "metas": {
                "default": {
                    "title": f"{title} (generated sample)",
                    "description": "Generated by Cityline's sample portal; not the City's figures.",
                    "theme": ["Government and finance"],
                    "keyword": None,
                    "license": "Open Government Licence - Vancouver",
                    "modified": processed,
                    "data_processed": processed,
                    "metadata_processed": datetime.now(UTC).isoformat(),
                    "modified_updates_on_data_change": True,
                    "records_count": lines,
                    "update_frequency": None,
                },
                "custom": {"generated": True},
            },
        }


def _field(name: str, label: str, kind: str, *, facet: bool = False) -> dict[str, Any]:
    annotations = {"facet": True} if facet else {}
    return {
        "name": name,
        "label": label,
        "type": kind,
        "description": None,
        "annotations": annotations,
    }


_FIELDS: dict[str, list[dict[str, Any]]] = {
    VOLUME: [
        _field("department", "Department", "text", facet=True),
        _field("type", "Type", "text", facet=True),
        _field("year_month", "Year Month", "date"),
        _field("channel", "Channel", "text", facet=True),
        _field("number_of_records", "Number of Records", "int"),
        _field("bi_id", "BI_ID", "int"),
    ],
    CENTRE: [
        _field("date", "Date", "date"),
        _field("callsoffered", "CallsOffered", "int"),
        _field("callshandled", "CallsHandled", "int"),
        _field("callsabandoned", "CallsAbandoned", "int"),
        _field("averagespeedofanswer", "AverageSpeedofAnswer", "double"),
        _field("servicelevel", "ServiceLevel", "double"),
        _field("bi_id", "BI_ID", "int"),
    ],
}


def _api_name(label: str) -> str:
    return label.lower().replace(" ", "_")


def _typed(text: str, kind: str) -> Any:
    if kind == "int":
        return int(text)
    return float(text) if kind == "double" else text


def _window(asked: Mapping[str, str]) -> tuple[int, int]:
    """`limit` and `offset` within the portal's caps."""
    limit, offset = int(asked.get("limit", "10")), int(asked.get("offset", "0"))
    if not -1 <= limit <= _MAX_LIMIT:
        found = f"{limit} was found but -1 <= limit <= 100 is expected."
        told = f"Invalid value for limit API parameter: {found}"
        raise _Refusal(400, "InvalidRESTParameterError", told)
    if offset + limit > _MAX_WINDOW:
        told = "Invalid value for offset API parameter: offset + limit must not pass 10000."
        raise _Refusal(400, "InvalidRESTParameterError", told)
    return (_MAX_LIMIT if limit == -1 else limit), offset


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    source: SamplePortal
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent; the client tells what it asked."""

    def do_GET(self) -> None:
        """Answer, or misbehave as asked."""
        try:
            fault = self.source.fault(self.path)
            if fault is not None and self._misbehave(fault):
                return
            self._answer()
        except _Refusal as refused:
            body = {"error_code": refused.code, "message": refused.message}
            self._json(body, refused.status, quota=False)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, as it may

    def _answer(self) -> None:
        address = urlsplit(self.path)
        asked = {k: v[-1] for k, v in parse_qs(address.query).items()}
        if not address.path.startswith(_PREFIX):
            raise _Refusal(404, "NotFoundResource", "The requested resource does not exist.")
        parts = [p for p in address.path.removeprefix(_PREFIX).split("/") if p]
        if not parts:
            self._search(asked)
            return
        dataset, *rest = parts
        if dataset not in _FIELDS:
            told = f"The requested dataset {dataset} does not exist."
            raise _Refusal(404, "NotFoundResource", told)
        match rest:
            case []:
                self._json(self.source.describe(dataset))
            case ["records"]:
                self._records(dataset, asked)
            case ["facets"]:
                self._facets(dataset, asked)
            case ["exports", "csv" | "json" | "jsonl" as kind]:
                self._export(dataset, kind, asked)
            case _:
                raise _Refusal(404, "NotFoundResource", "The requested resource does not exist.")

    def _search(self, asked: Mapping[str, str]) -> None:
        limit, offset = _window(asked)
        where = asked.get("where", "")
        match = re.fullmatch(r'\s*(?:search\("(.*)"\)|dataset_id\s*=\s*"(.*)")\s*', where)
        if where and not match:
            raise _Refusal(400, "ODSQLError", f"ODSQL query is malformed: {where}")
        wanted = (match[1] if match[1] is not None else match[2]).lower() if match else ""
        found = [d for d in _FIELDS if all(w in d.replace("-", " ") + d for w in wanted.split())]
        results = [self.source.describe(d) for d in found]
        self._json({"total_count": len(results), "results": results[offset : offset + limit]})

    def _records(self, dataset: str, asked: Mapping[str, str]) -> None:
        limit, offset = _window(asked)
        rows = self.source.records(dataset)
        select = asked.get("select", "")
        count = re.fullmatch(r"count\(\*\)(?: as (\w+))?", select)
        if count:
            results: list[dict[str, Any]] = [{count[1] or "count(*)": len(rows)}]
        elif select and select not in rows[0]:
            told = f"ODSQL query is malformed: Unknown field: {select}. "
            told += "Clause(s) containing the error(s): select."
            raise _Refusal(400, "ODSQLError", told)
        else:
            chosen = [select] if select else list(rows[0])
            results = [{k: r[k] for k in chosen} for r in rows[offset : offset + limit]]
        self._json({"total_count": len(rows), "results": results})

    def _facets(self, dataset: str, asked: Mapping[str, str]) -> None:
        name = asked.get("facet", "department" if dataset == VOLUME else "date")
        counts: dict[Any, int] = {}
        for row in self.source.records(dataset):
            if name not in row:
                raise _Refusal(400, "ODSQLError", f"Unknown facet: {name}.")
            counts[row[name]] = counts.get(row[name], 0) + 1
        values = [
            {"name": k, "count": n, "state": "displayed", "value": k} for k, n in counts.items()
        ]
        self._json({"links": [], "facets": [{"name": name, "facets": values}]})

    def _export(self, dataset: str, kind: str, asked: Mapping[str, str]) -> None:
        limit = int(asked.get("limit", "-1"))
        if kind == "csv":
            body = self.source.csv(
                dataset,
                labels=asked.get("use_labels", "false") == "true",
                delimiter=asked.get("delimiter", ";"),
                bom=asked.get("with_bom", "true") == "true",
            )
            if limit >= 0:
                body = b"".join(body.splitlines(keepends=True)[: limit + 1])
            self._send(body, "text/csv; charset=utf-8", name=f"{dataset}.csv")
            return
        rows = self.source.records(dataset)
        rows = rows[:limit] if limit >= 0 else rows
        if kind == "json":
            self._json(rows)
        else:
            body = "".join(json.dumps(r) + "\n" for r in rows).encode()
            self._send(body, "application/jsonl; charset=utf-8", name=f"{dataset}.jsonl")

    # -- sending ------------------------------------------------------------------------------

    def _json(self, data: Any, status: int = 200, *, quota: bool = True) -> None:
        body = json.dumps(data, indent=4).encode()
        kind = "application/json; charset=utf-8" if status == 200 else "application/json"  # noqa: PLR2004
        self._send(body, kind, status=status, quota=quota)

    def _send(
        self,
        body: bytes,
        content_type: str,
        *,
        status: int = 200,
        name: str = "",
        quota: bool = True,
        extra: Mapping[str, str] | None = None,
        cut: int = 0,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
        self.send_header("Vary", "Accept-Language, Cookie, Host")
        self.send_header("X-Cityline-Sample", "generated")
        if name:
            self.send_header("Content-Disposition", f'attachment; filename="{name}"')
        if quota:
            reset = datetime.now(UTC).date() + timedelta(days=1)
            self.send_header("X-RateLimit-Limit", "15000")
            self.send_header("X-RateLimit-Remaining", "14761")
            self.send_header("X-RateLimit-Reset", f"{reset} 00:00:00+00:00")
        for key, value in (extra or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: len(body) - cut])
        if cut:
            self.close_connection = True

    # -- misbehaving --------------------------------------------------------------------------

    def _misbehave(self, fault: Fault) -> bool:
        """Do what a portal should not; False lets the answer follow."""
        made = getattr(self, f"_fault_{fault.kind.replace('-', '_')}")(fault)
        return made is not False

    def _fault_quota(self, _: Fault) -> None:
        reset = f"{datetime.now(UTC).date() + timedelta(days=1)}T00:00:00Z"
        told = "Too many requests on the domain. Please contact the domain administrator."
        body = {"errorcode": 10002, "reset_time": reset, "limit_time_unit": "day",
                "call_limit": 15000, "error": told}  # fmt: skip
        self._json(body, 429, quota=False)

    def _fault_busy(self, fault: Fault) -> None:
        body = json.dumps({"error_code": "TooManyRequests", "message": "Slow down."}).encode()
        extra = {"Retry-After": f"{fault.seconds:.0f}"}
        self._send(body, "application/json", status=429, quota=False, extra=extra)

    def _fault_error(self, fault: Fault) -> None:
        self._send(b"<html>upstream</html>", "text/html", status=fault.status, quota=False)

    def _fault_html(self, _: Fault) -> None:
        self._send(b"<!DOCTYPE html><html><body>We will be back.</body></html>", "text/html")

    def _fault_error_object(self, _: Fault) -> None:
        self._json({"error_code": "InternalError", "message": "Something went wrong."})

    def _fault_empty(self, _: Fault) -> None:
        self._send(b"", "text/csv; charset=utf-8")

    def _fault_replace(self, fault: Fault) -> None:
        self._send(fault.body, "text/csv; charset=utf-8")

    def _fault_cut(self, _: Fault) -> None:
        body = self.source.csv(VOLUME, labels=True, delimiter=";", bom=True)
        self._send(body, "text/csv; charset=utf-8", cut=len(body) // 2)

    def _fault_slow(self, fault: Fault) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        for _ in range(10_000):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(fault.seconds)

    def _fault_stall(self, fault: Fault) -> None:
        time.sleep(fault.seconds)
        self.close_connection = True

    def _fault_redirect(self, fault: Fault) -> None:
        self._send(b"", "text/plain", status=302, extra={"Location": fault.location})

    def _fault_bomb(self, _: Fault) -> None:
        body = gzip.compress(b"0" * 300_000_000, 6)
        self._send(body, "text/csv", extra={"Content-Encoding": "gzip"})
