"""The sample portal speaks the Explore API: endpoints, caps, shapes, headers and error bodies."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from cityline.adapters.portals.sample import Fault, SamplePortal
from cityline.adapters.portals.sample.catalogue import processed_at
from cityline.adapters.portals.sample.tables import CENTRE, VOLUME


def _get(sample: SamplePortal, path: str = "", **query: object) -> httpx.Response:
    address = f"{sample.base_url}/catalog/datasets{path}?{urlencode(query)}"
    return httpx.get(address, trust_env=False)


def _json(sample: SamplePortal, path: str = "", **query: object) -> Any:
    response = _get(sample, path, **query)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_catalogue(sample: SamplePortal) -> None:
    found = _json(sample, limit=1)
    assert found["total_count"] == 2
    assert [d["dataset_id"] for d in found["results"]] == [VOLUME]
    assert _json(sample, limit=1, offset=1)["results"][0]["dataset_id"] == CENTRE
    assert _json(sample, where='dataset_id="x"') == {"total_count": 0, "results": []}
    assert _json(sample, where='search("cent met")')["total_count"] == 1


def test_a_description_has_the_published_fields_and_says_that_it_is_generated(
    sample: SamplePortal,
) -> None:
    found = _json(sample, f"/{VOLUME}")
    assert [(f["name"], f["label"], f["type"]) for f in found["fields"]] == [
        ("department", "Department", "text"),
        ("type", "Type", "text"),
        ("year_month", "Year Month", "date"),
        ("channel", "Channel", "text"),
        ("number_of_records", "Number of Records", "int"),
        ("bi_id", "BI_ID", "int"),
    ]
    default = found["metas"]["default"]
    assert default["title"] == "3-1-1 inquiry volume (generated sample)"
    assert default["description"].startswith("<p><strong>Generated sample data")
    assert default["data_processed"] == default["modified"] == "2010-03-12T13:50:39+00:00"
    assert default["records_count"] == len(_csv(sample, VOLUME)) - 1


def _csv(sample: SamplePortal, dataset: str, **query: object) -> list[list[str]]:
    body = _get(sample, f"/{dataset}/exports/csv", **query).content
    assert body.endswith(b"\r\n")
    text = body.decode("utf-8-sig")
    delimiter = str(query.get("delimiter", ";"))
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_the_volume_export_has_the_published_layout(sample: SamplePortal) -> None:
    response = _get(sample, f"/{VOLUME}/exports/csv", use_labels="true", delimiter=";")
    assert response.content.startswith(
        b"\xef\xbb\xbfDepartment;Type;Year Month;Channel;Number of Records;BI_ID\r\n"
    )
    assert b"\n" not in response.content.replace(b"\r\n", b"")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{VOLUME}.csv"'
    rows = _csv(sample, VOLUME)
    assert rows[0] == [
        "department", "type", "year_month", "channel", "number_of_records", "bi_id",
    ]  # fmt: skip
    assert [r[5] for r in rows[1:]] == [str(n) for n in range(1, len(rows))]
    months = [r[2] for r in rows[1:]]
    assert months == sorted(months, reverse=True)
    assert (months[0], months[-1]) == ("2010-02", "2009-02")


def test_the_centre_export_has_the_published_header(sample: SamplePortal) -> None:
    rows = _csv(sample, CENTRE, use_labels="true")
    assert rows[0] == [
        "Date", "CallsOffered", "CallsHandled", "CallsAbandoned", "AverageSpeedofAnswer",
        "ServiceLevel", "BI_ID",
    ]  # fmt: skip
    assert (rows[1][0], rows[-1][0]) == ("2010-02-28", "2009-06-15")


def test_export_options(sample: SamplePortal) -> None:
    rows = _csv(sample, VOLUME, delimiter=",", with_bom="false", limit=50)
    assert len(rows) == 51
    assert {len(r) for r in rows} == {6}
    plain = _get(sample, f"/{VOLUME}/exports/csv", with_bom="false", limit=1).content
    assert plain.startswith(b"department;")
    array = _json(sample, f"/{VOLUME}/exports/json", limit=3)
    lines = _get(sample, f"/{VOLUME}/exports/jsonl", limit=3).text.splitlines()
    assert [json.loads(line) for line in lines] == array
    assert array[0]["bi_id"] == 1


def test_records_groups_and_facets_agree_with_the_export(sample: SamplePortal) -> None:
    rows = _csv(sample, VOLUME)[1:]
    total = _json(sample, f"/{VOLUME}/records", select="count(*) as total", limit=1)
    assert total == {"total_count": len(rows), "results": [{"total": len(rows)}]}
    groups = _json(
        sample,
        f"/{VOLUME}/exports/json",
        group_by="channel",
        select="sum(number_of_records) as n, max(number_of_records) as most, count(*) as rows",
        order_by="n desc",
    )
    for group in groups:
        counts = [int(r[4]) for r in rows if r[3] == group["channel"]]
        assert (group["n"], group["most"], group["rows"]) == (sum(counts), max(counts), len(counts))
    assert [g["n"] for g in groups] == sorted((g["n"] for g in groups), reverse=True)
    facet = _json(sample, f"/{VOLUME}/facets", facet="channel")["facets"][0]
    assert {f["name"]: f["count"] for f in facet["facets"]} == {
        g["channel"]: g["rows"] for g in groups
    }
    where = "year_month >= date'2010-02' and channel = \"Phone\" and number_of_records > 100"
    found = _json(sample, f"/{VOLUME}/records", where=where, limit=100, order_by="bi_id desc")
    wanted = [r for r in rows if r[2] >= "2010-02" and r[3] == "Phone" and int(r[4]) > 100]
    assert found["total_count"] == len(wanted)
    assert [r["bi_id"] for r in found["results"]] == [int(r[5]) for r in reversed(wanted)][:100]


def test_the_caps(sample: SamplePortal) -> None:
    assert len(_json(sample, f"/{CENTRE}/records")["results"]) == 10
    assert len(_json(sample, f"/{CENTRE}/records", limit=-1)["results"]) == 100
    assert _get(sample, f"/{CENTRE}/records", offset=9900, limit=100).status_code == 200
    for query in ({"limit": 101}, {"offset": 9901, "limit": 100}, {"limit": "x"}, {"offset": -1}):
        response = _get(sample, f"/{CENTRE}/records", **query)
        assert response.status_code == 400
        assert response.json()["error_code"] == "InvalidRESTParameterError"
    told = _get(sample, f"/{CENTRE}/records", limit=1473).json()["message"]
    assert told == (
        "Invalid value for limit API parameter: 1473 was found but -1 <= limit <= 100 is expected."
    )


@pytest.mark.parametrize(
    ("path", "query", "status", "told"),
    [
        ("/nope", {}, 404, "The requested dataset nope does not exist."),
        (f"/{VOLUME}/nope", {}, 404, "The requested resource does not exist."),
        (f"/{VOLUME}/exports/parquet", {}, 404, "The requested resource does not exist."),
        (f"/{VOLUME}/records", {"select": "no_such"}, 400, "Unknown field: no_such."),
        (f"/{VOLUME}/exports/csv", {"select": "no_such"}, 400, "Unknown field: no_such."),
        (f"/{VOLUME}/records", {"where": "x ~ 1"}, 400, "ODSQL query is malformed"),
        (f"/{VOLUME}/records", {"where": "nope = 1"}, 400, "Unknown field: nope"),
        (f"/{VOLUME}/records", {"order_by": "nope"}, 400, "Unknown field: nope"),
        (f"/{VOLUME}/records", {"group_by": "nope"}, 400, "Unknown field: nope"),
        (f"/{VOLUME}/records", {"select": "sum(type) as x"}, 400, "sum of a text"),
        (f"/{VOLUME}/facets", {"facet": "bi_id"}, 400, "not a facet"),
        (f"/{VOLUME}/exports/csv", {"delimiter": "x"}, 400, "delimiter"),
        ("", {"where": "data_visible=true"}, 400, "malformed"),
    ],
)
def test_refusals_have_the_portals_shape(
    sample: SamplePortal, path: str, query: dict[str, str], status: int, told: str
) -> None:
    response = _get(sample, path, **query)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert "x-ratelimit-limit" not in response.headers
    assert response.text.startswith('{\n  "error_code"')
    assert told in response.json()["message"]


def test_headers_of_the_live_portal_and_the_mark_of_the_sample(sample: SamplePortal) -> None:
    headers = _get(sample, f"/{CENTRE}").headers
    assert headers["x-cityline-sample"] == "generated"
    assert headers["x-ratelimit-limit"] == "15000"
    assert headers["x-ratelimit-reset"].endswith(" 00:00:00+00:00")
    assert headers["cache-control"].startswith("no-cache")
    assert headers["content-encoding"] == "gzip"
    assert "etag" not in headers
    assert "last-modified" not in headers


def test_it_listens_on_loopback_only(sample: SamplePortal) -> None:
    assert sample.base_url.startswith("http://127.0.0.1:")


def test_extracts_follow_the_calendar() -> None:
    assert processed_at(VOLUME, date(2026, 8, 17)).isoformat() == "2026-08-12T13:50:39+00:00"
    assert processed_at(CENTRE, date(2026, 8, 17)).isoformat() == "2026-08-01T13:49:09+00:00"
    for day in (1, 5, 12):
        made = processed_at(VOLUME, date(2026, 8, day))
        assert made.date() == date(2026, 8, 1)
        assert made.hour == 0


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="known: "):
        Fault("gremlins")


def test_faults_strike_where_and_as_often_as_asked(sample: SamplePortal) -> None:
    sample.faults.append(Fault("error", path="exports", times=1, status=502))
    assert _get(sample, f"/{CENTRE}").status_code == 200
    assert _get(sample, f"/{CENTRE}/exports/csv").status_code == 502
    assert _get(sample, f"/{CENTRE}/exports/csv").status_code == 200


def _damaged(sample: SamplePortal, kind: str) -> bytes:
    sample.faults.append(Fault(kind, path="exports"))
    return _get(sample, f"/{VOLUME}/exports/csv", use_labels="true").content


def test_damaged_tables(sample: SamplePortal) -> None:
    whole = _get(sample, f"/{VOLUME}/exports/csv", use_labels="true").content
    assert _damaged(sample, "delimiter").startswith(b"\xef\xbb\xbfDepartment,Type,")
    assert _damaged(sample, "renamed").startswith(b"\xef\xbb\xbfRenamed Department;Type;")
    assert _damaged(sample, "missing").startswith(b"\xef\xbb\xbfDepartment;Year Month;")
    assert {x.count(b";") for x in _damaged(sample, "extra").split(b"\r\n") if x} == {6}
    assert not _damaged(sample, "truncated").endswith(b"\n")
    assert _damaged(sample, "shrunk").count(b"\n") < whole.count(b"\n") / 2
    assert _damaged(sample, "no-bom") == whole[3:]
    assert _damaged(sample, "utf-16").decode("utf-16") == whole.decode("utf-8-sig")
    with pytest.raises(UnicodeDecodeError):
        _damaged(sample, "latin-1").decode("utf-8")
    sample.faults.append(Fault("miscount"))
    count = _json(sample, f"/{VOLUME}")["metas"]["default"]["records_count"]
    assert count == whole.count(b"\n") - 1 + 1000
