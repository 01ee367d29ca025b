"""What Athena refuses, fails or cuts off becomes one typed error that says what to try."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from cityline.errors import (
    CitylineError,
    CloudRefused,
    CloudSignIn,
    CloudUnreachable,
    EngineError,
    QueryStopped,
    SessionLost,
)
from cityline.lake.cost import GENERAL
from cityline.ports.engine import Limits
from tests.aws.scripted import Script

MEGABYTE = 1024 * 1024


def queries(**changes: Any) -> Any:
    from cityline.adapters.aws.queries import Queries, Workgroup  # noqa: PLC0415 - an extra

    given: dict[str, Any] = {
        "name": "analysis",
        "region": "ca-central-1",
        "databases": {},
        "rate": GENERAL,
    }
    return Queries(Workgroup(**(given | changes)))


def ended(state: str, reason: str = "", scanned: int = 0, **more: Any) -> dict[str, Any]:
    status = {"State": state, "StateChangeReason": reason, **more}
    statistics = {"DataScannedInBytes": scanned, "EngineExecutionTimeInMillis": 12,
                  "QueryQueueTimeInMillis": 3}  # fmt: skip
    return {
        "QueryExecution": {"QueryExecutionId": "q1", "Status": status, "Statistics": statistics}
    }


def result(name: str, *texts: str, kind: str = "varchar") -> dict[str, Any]:
    columns = [{"Name": name, "Type": kind}]
    data = [{"Data": [{"VarCharValue": text}]} for text in (name, *texts)]
    return {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": columns}}}


STATES: dict[str, tuple[Any, type[CitylineError], str, str]] = {
    "cut off": (
        ended("CANCELLED", "Bytes scanned limit was exceeded", 1_100_000_000),
        QueryStopped, r"cut off after 1\.1 GB", "query_cutoff_mb",
    ),
    "cut off as a failure": (
        ended("FAILED", "Query cancelled! : Bytes scanned limit was exceeded", 10),
        QueryStopped, "cut off", "query_cutoff_mb",
    ),
    "timed out": (
        ended("FAILED", "Query timeout"), QueryStopped, "took too long", "ask for less",
    ),
    "cancelled": (
        ended("CANCELLED", "Query cancelled by user"), QueryStopped, "was cancelled", "ask again",
    ),
    "no memory": (
        ended("FAILED", "Query exhausted resources at this scale factor"),
        EngineError, "out of memory", "ask for less",
    ),
    "denied the data": (
        ended("FAILED", "Permission denied on S3 path: s3://curated/x (Access Denied)"),
        CloudRefused, "was denied", "cityline access",
    ),
    "Athena's own fault": (
        ended("FAILED", "GENERIC_INTERNAL_ERROR", AthenaError={"ErrorCategory": 1}),
        SessionLost, "Athena failed", "run again",
    ),
    "wrong SQL": (
        ended("FAILED", "COLUMN_NOT_FOUND: line 1:8", AthenaError={"ErrorCategory": 2}),
        EngineError, "cannot be run: COLUMN_NOT_FOUND", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_how_a_query_ends(script: Script, name: str) -> None:
    told, kind, what, hint = STATES[name]
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("QUEUED"), ended("RUNNING"), told)
    with pytest.raises(kind, match=what) as failed:
        queries().run("SELECT 1")
    assert type(failed.value) is kind
    assert hint in failed.value.hint
    assert not script.to("StopQueryExecution")


REFUSALS = {
    "an expired token": ("ExpiredTokenException", "expired", CloudSignIn, "expired"),
    "unknown keys": ("UnrecognizedClientException", "invalid", CloudSignIn, "does not know"),
    "no right": ("AccessDeniedException", "not authorized", CloudRefused, "StartQueryExecution"),
    "asked too often": ("TooManyRequestsException", "slow", CloudUnreachable, "cannot answer now"),
    "throttled": ("ThrottlingException", "Rate exceeded", CloudUnreachable, "cannot answer now"),
    "another region": (
        "InvalidRequestException", "WorkGroup analysis is not found.", CloudRefused,
        "no such workgroup",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_query_that_is_not_taken(script: Script, name: str) -> None:
    code, message, kind, what = REFUSALS[name]
    script.refuses("StartQueryExecution", code, message)
    with pytest.raises(kind, match=what) as failed:
        queries().run("SELECT 1")
    assert failed.value.hint
    assert "ca-central-1" in failed.value.where


def test_sql_athena_cannot_read_is_an_error_of_the_query(script: Script) -> None:
    told = "line 1:1: mismatched input 'SELEC'"
    code = "InvalidRequestException"
    script.refuses("StartQueryExecution", code, told, AthenaErrorCode="MALFORMED_QUERY")
    with pytest.raises(EngineError, match="mismatched input"):
        queries().run("SELEC 1")


def test_without_credentials_it_says_so(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CloudSignIn, match="no credentials"):
        queries().run("SELECT 1")


def test_nobody_there_is_told_as_that(monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(CloudUnreachable, match="does not answer"):
        queries().run("SELECT 1")


def test_a_query_beyond_its_time_is_cancelled(script: Script) -> None:
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("RUNNING"))
    script.says("StopQueryExecution", {})
    with pytest.raises(QueryStopped, match=r"longer than 0\.3 seconds"):
        queries().run("SELECT 1", seconds=0.3)
    assert script.to("StopQueryExecution") == [{"QueryExecutionId": "q1"}]


def test_a_typed_query_is_cut_on_its_own_and_held_to_its_seconds(script: Script) -> None:
    """No query is put around it: Athena would give its rows in any order."""
    from cityline.adapters.aws.engine import AthenaEngine  # noqa: PLC0415 - an extra

    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("RUNNING"))
    script.says("StopQueryExecution", {})
    engine = AthenaEngine(queries()._in)
    typed = "SELECT i FROM t ORDER BY i DESC"
    with pytest.raises(QueryStopped, match=r"longer than 0\.3 seconds"):
        engine.explore(typed, {"t": pa.table({"i": [1]})}, Limits(rows=10, seconds=0.3))
    (asked,) = script.to("StartQueryExecution")
    sent = " ".join(asked["QueryString"].split())
    assert sent.startswith("SELECT t.i AS i FROM (")
    assert sent.endswith("ORDER BY i DESC LIMIT 11")


def test_whoever_stops_waiting_stops_the_query(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("RUNNING"))
    script.says("StopQueryExecution", {})
    monkeypatch.setattr("cityline.adapters.aws.queries.time.sleep", interrupted)
    with pytest.raises(KeyboardInterrupt):
        queries().run("SELECT 1")
    assert len(script.to("StopQueryExecution")) == 1


def test_an_earlier_result_costs_nothing(script: Script) -> None:
    told = ended("SUCCEEDED")
    told["QueryExecution"]["Statistics"]["ResultReuseInformation"] = {"ReusedPreviousResult": True}
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", told)
    script.says("GetQueryResults", result("n", "7", kind="bigint"))
    found, measured = queries(reuse_minutes=90).run("SELECT 7 AS n")
    assert found.to_pylist() == [{"n": 7}]
    assert measured.reused
    assert measured.usd == 0
    (asked,) = script.to("StartQueryExecution")
    assert asked["WorkGroup"] == "analysis"
    age = asked["ResultReuseConfiguration"]["ResultReuseByAgeConfiguration"]
    assert age == {"Enabled": True, "MaxAgeInMinutes": 90}


def test_an_earlier_result_is_not_taken_where_that_is_said(script: Script) -> None:
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("SUCCEEDED", scanned=11 * MEGABYTE))
    script.says("GetQueryResults", result("n"))
    _, measured = queries(reuse_minutes=0).run("SELECT 7 AS n")
    assert "ResultReuseConfiguration" not in script.to("StartQueryExecution")[0]
    assert measured.usd == GENERAL.charge(11 * MEGABYTE)
    assert (measured.queued, measured.milliseconds) == (3.0, 12.0)


def test_types_only_athena_has(script: Script) -> None:
    """Precision and scale, moments with a zone, and a first row that equals its column's name."""
    columns = [
        {"Name": "m", "Type": "decimal", "Precision": 20, "Scale": 3},
        {"Name": "z", "Type": "timestamp with time zone"},
        {"Name": "a", "Type": "array"},
        {"Name": "e", "Type": "varchar"},
    ]
    rows: list[list[str | None]] = [
        ["m", "z", "a", "e"],
        ["12345678901234567.891", "2026-07-01 05:00:00.000 America/Vancouver", "[1, 2]", ""],
        [None, None, None, None],
    ]
    data = [{"Data": [{} if t is None else {"VarCharValue": t} for t in r]} for r in rows]
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("SUCCEEDED"))
    script.says(
        "GetQueryResults",
        {"ResultSet": {"Rows": data, "ResultSetMetadata": {"ColumnInfo": columns}}},
    )
    found, _ = queries().run("SELECT 1")
    assert found.schema.field("m").type == pa.decimal128(20, 3)
    first, second = found.to_pylist()
    assert str(first["m"]) == "12345678901234567.891"
    assert first["z"].isoformat() == "2026-07-01T12:00:00"
    assert first["e"] == ""
    assert set(second.values()) == {None}


def test_a_result_that_is_too_large_is_not_fetched_whole(script: Script) -> None:
    page = result("n", "x" * 600) | {"NextToken": "more"}
    script.says("StartQueryExecution", {"QueryExecutionId": "q1"})
    script.says("GetQueryExecution", ended("SUCCEEDED"))
    script.says("GetQueryResults", page, page | {"NextToken": "again"}, page)
    with pytest.raises(QueryStopped, match="larger than it may be"):
        queries().run("SELECT 1", most_bytes=1000)
    assert len(script.to("GetQueryResults")) == 2


def test_a_query_longer_than_athena_takes_is_not_sent(script: Script) -> None:
    with pytest.raises(CitylineError, match="Athena takes 262,144"):
        queries().run(f"SELECT '{'x' * 262_144}'")
    assert not script.asked
