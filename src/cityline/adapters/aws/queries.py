"""One query in Athena, from its start to its typed result: asked, waited for, stopped in time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from cityline.adapters.aws.answers import cloud_errors, refused
from cityline.adapters.aws.clients import Clients
from cityline.adapters.formats.trinosql import ARROW
from cityline.errors import (
    CloudError,
    CloudRefused,
    EngineError,
    QueryStopped,
    SessionLost,
    unportable,
)
from cityline.lake.cost import Rate
from cityline.lake.wording import size
from cityline.ports.engine import Measured

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

LONGEST = 262_144
"""Bytes of a query that Athena takes."""
_FIRST, _SLOWEST = 0.1, 1.0
"""Seconds between two looks at a query: the pause grows from the one to the other."""
_SYSTEM = 1
"""Athena's category of failures that are its own."""


@dataclass(frozen=True, slots=True)
class Workgroup:
    """Where queries are asked, and within what: the workgroup carries the cut-off, the encryption
    and the place of the results. `databases` are Glue's by zone; `seconds` is the longest a query
    may take, and a result younger than `reuse_minutes` may be given again."""

    name: str
    region: str
    databases: Mapping[str, str]
    rate: Rate
    seconds: float = 300.0
    reuse_minutes: int = 60


class Queries:
    """Runs Athena's own SQL in a workgroup. Raises EngineError and its children for the query, and
    CloudError and its children for rights, credentials and the way there."""

    def __init__(self, workgroup: Workgroup, clients: Clients | None = None) -> None:
        self._in = workgroup
        self._client = clients or Clients()

    def run(
        self, sql: str, *, seconds: float = 0.0, most_bytes: int = 0, reuse: bool = True
    ) -> tuple[pa.Table, Measured]:
        """The result of one query and what it took. Beyond `seconds` it is cancelled; a result of
        more than `most_bytes` is not fetched to its end."""
        if len(sql.encode()) > LONGEST:
            told = f"the query has {len(sql.encode()):,} bytes; Athena takes {LONGEST:,}"
            raise EngineError(told, where=self._in.name, hint="read tables from the lake")
        limit = seconds or self._in.seconds
        began = self._start(sql, reuse=reuse)
        try:
            ended = self._wait(began, limit)
        except BaseException:  # whoever waited is gone: nobody pays for the rest
            self._cancel(began)
            raise
        if ended["Status"]["State"] != "SUCCEEDED":
            raise _failed(ended, self._in.name)
        return self._fetch(began, most_bytes), self._measured(ended)

    def _start(self, sql: str, *, reuse: bool) -> str:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        asked: dict[str, Any] = {"QueryString": sql, "WorkGroup": self._in.name}
        if reuse and self._in.reuse_minutes:
            age = {"Enabled": True, "MaxAgeInMinutes": self._in.reuse_minutes}
            asked["ResultReuseConfiguration"] = {"ResultReuseByAgeConfiguration": age}
        with cloud_errors(self._where()):
            try:
                told: str = self._athena().start_query_execution(**asked)["QueryExecutionId"]
            except ClientError as error:
                raise self._not_started(error) from error
        return told

    def _wait(self, query: str, limit: float) -> dict[str, Any]:
        """The query when it has ended. Raises QueryStopped when it takes too long."""
        until, pause = time.monotonic() + limit, _FIRST
        while True:
            with cloud_errors(self._where()):
                asked = self._athena().get_query_execution(QueryExecutionId=query)
            found: dict[str, Any] = asked["QueryExecution"]
            if found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
                return found
            left = until - time.monotonic()
            if left <= 0:
                told = f"the query took longer than {limit:g} seconds and was cancelled"
                hint = "ask for less, or narrow the months"
                raise QueryStopped(told, where=self._in.name, hint=hint)
            time.sleep(min(pause, left))
            pause = min(_SLOWEST, pause * 1.5)

    def _cancel(self, query: str) -> None:
        with suppress(CloudError), cloud_errors(self._where()):
            self._athena().stop_query_execution(QueryExecutionId=query)

    def _fetch(self, query: str, most_bytes: int) -> pa.Table:
        columns: list[dict[str, Any]] = []
        rows: list[list[str | None]] = []
        fetched, first = 0, True
        with cloud_errors(self._where()):
            pages = self._athena().get_paginator("get_query_results")
            for page in pages.paginate(QueryExecutionId=query):
                told = page["ResultSet"]
                columns = columns or told["ResultSetMetadata"]["ColumnInfo"]
                texts = [[d.get("VarCharValue") for d in r["Data"]] for r in told["Rows"]]
                if first and texts and texts[0] == [c["Name"] for c in columns]:
                    texts = texts[1:]  # the first row of a SELECT names its columns
                first = False
                rows += texts
                fetched += sum(len(t.encode()) for r in texts for t in r if t)
                if most_bytes and fetched > most_bytes:
                    hint = "ask for fewer rows or columns"
                    what = "the result is larger than it may be"
                    raise QueryStopped(what, where=self._in.name, hint=hint)
        return _typed(columns, rows)

    def _measured(self, ended: Mapping[str, Any]) -> Measured:
        told = ended.get("Statistics", {})
        scanned = int(told.get("DataScannedInBytes", 0))
        again = told.get("ResultReuseInformation", {}).get("ReusedPreviousResult", False)
        return Measured(
            id=ended["QueryExecutionId"],
            queued=float(told.get("QueryQueueTimeInMillis", 0)),
            milliseconds=float(told.get("EngineExecutionTimeInMillis", 0)),
            bytes_scanned=scanned,
            reused=bool(again),
            usd=Decimal(0) if again else self._in.rate.charge(scanned),
            rate=self._in.rate,
        )

    def _athena(self) -> Any:
        return self._client("athena", self._in.region)

    def _where(self) -> str:
        return f"{self._in.name} in {self._in.region}"

    def _not_started(self, error: ClientError) -> Exception:
        told = error.response.get("Error", {})
        message = str(told.get("Message", ""))
        if told.get("Code") != "InvalidRequestException":
            return refused(error, self._where())
        if "workgroup" in message.lower() and "not found" in message.lower():
            hint = "is home_region right, and is it deployed? cityline deploy aws status"
            return CloudRefused("there is no such workgroup", where=self._where(), hint=hint)
        if error.response.get("AthenaErrorCode") or "mismatched input" in message:
            return EngineError(f"the SQL cannot be run: {message}", where=self._in.name)
        return refused(error, self._where())


def _failed(ended: Mapping[str, Any], where: str) -> EngineError | CloudRefused:
    """What Athena's reason means for whoever asked."""
    status = ended["Status"]
    reason = str(status.get("StateChangeReason") or "no reason was given")
    scanned = int(ended.get("Statistics", {}).get("DataScannedInBytes", 0))
    lower = reason.lower()
    if "bytes scanned limit" in lower:
        told = f"the query was cut off after {size(scanned)}: it scans more than it may"
        hint = "ask for fewer columns or months; the limit is query_cutoff_mb in [aws]"
        return QueryStopped(told, where=where, hint=hint)
    if "timeout" in lower or "exceeded_time_limit" in lower or "time limit" in lower:
        return QueryStopped(f"the query took too long: {reason}", where=where, hint="ask for less")
    if status["State"] == "CANCELLED":
        return QueryStopped(f"the query was cancelled: {reason}", where=where, hint="ask again")
    if "exhausted resources" in lower or "exceeded_memory" in lower:
        return EngineError(f"Athena ran out of memory: {reason}", where=where, hint="ask for less")
    if "access denied" in lower or "accessdenied" in lower or "permission" in lower:
        hint = "the role needs to read this zone and use its key: cityline access tells which has"
        return CloudRefused(f"Athena was denied: {reason}", where=where, hint=hint)
    trouble = status.get("AthenaError", {})
    if trouble.get("Retryable") or trouble.get("ErrorCategory") == _SYSTEM:
        return SessionLost(f"Athena failed: {reason}", where=where, hint="run again")
    hint = "cityline check tells what of a question is not portable; cityline snapshots, the tables"
    told = f"the SQL cannot be run: {reason}"
    return unportable(reason, where) or EngineError(told, where=where, hint=hint)


# -- typed results --------------------------------------------------------------------------------


def _typed(columns: list[dict[str, Any]], rows: list[list[str | None]]) -> pa.Table:
    """Texts as values; a cell without a text is NULL, an empty text is an empty text."""
    arrays = [_column([row[at] for row in rows], told) for at, told in enumerate(columns)]
    return pa.table(arrays, names=[c["Name"] for c in columns])


def _column(texts: list[str | None], told: Mapping[str, Any]) -> pa.Array:
    kind = str(told["Type"]).lower()
    match kind:
        case "boolean":
            made: list[Any] = [None if t is None else t.lower() == "true" for t in texts]
        case "tinyint" | "smallint" | "integer" | "bigint":
            made = [None if t is None else int(t) for t in texts]
        case "float" | "real" | "double":
            kind = "real" if kind == "float" else kind
            made = [None if t is None else float(t) for t in texts]
        case "date":
            made = [None if t is None else datetime.fromisoformat(t).date() for t in texts]
        case "decimal":
            return _decimals(texts, int(told.get("Precision", 38)), int(told.get("Scale", 0)))
        case _ if kind.startswith("timestamp"):
            moments = [None if t is None else _moment(t) for t in texts]
            return pa.array(moments, pa.timestamp("us"))
        case _:
            return pa.array(texts, pa.string())
    return pa.array(made, ARROW[kind])


def _decimals(texts: list[str | None], precision: int, scale: int) -> pa.Array:
    made = [None if t is None else Decimal(t) for t in texts]
    finest = max((-int(d.as_tuple().exponent) for d in made if d is not None), default=0)
    return pa.array(made, pa.decimal128(max(1, precision), max(scale, finest)))


def _moment(text: str) -> datetime:
    """`2026-08-17 09:30:00.000`, with the name of a zone after it or without; in UTC."""
    day, _, rest = text.partition(" ")
    clock, _, zone = rest.partition(" ")
    moment = datetime.fromisoformat(f"{day} {clock}" if clock else day)
    if not zone:
        return moment
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
