"""The client against a portal that misbehaves: each fault ends as it should, and leaves nothing."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
from pydantic import SecretStr

from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.adapters.portals.sample import Fault, SamplePortal
from cityline.adapters.portals.sample.tables import CENTRE, VOLUME, centre_table
from cityline.errors import (
    CitylineError,
    SourceDamaged,
    SourceQuota,
    SourceRefused,
    SourceUnreachable,
)

CAP = 50_000_000
WHOLE = centre_table(2010 * 12 + 1).csv()


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", status=500, times=2),
        Fault("error", status=502, times=2),
        Fault("error", status=503, times=2),
        Fault("busy", seconds=0, times=2),
        Fault("busy", seconds=0, as_date=True, times=2),
        Fault("cut", times=2),
        Fault("cut-chunked", times=2),
        Fault("reset", times=2),
        Fault("replace", body=WHOLE, times=0),
    ],
    ids=lambda f: f"{f.kind}-{f.status}",
)
def test_what_passes_is_tried_again(
    client: OpendatasoftPortal, sample: SamplePortal, tmp_path: Path, fault: Fault
) -> None:
    expected = fault.times + 1
    sample.faults.append(fault)
    got = client.export(CENTRE, tmp_path / "x.csv", CAP)
    assert (tmp_path / "x.csv").read_bytes() == WHOLE
    assert got.bytes == len(WHOLE)
    assert len(sample.requests) == expected


@pytest.mark.parametrize(
    ("fault", "error", "told", "attempts"),
    [
        (Fault("error", status=503, times=9), SourceUnreachable, "503", 3),
        (Fault("busy", times=9), SourceUnreachable, "asks to wait", 3),
        (Fault("cut", times=9), SourceDamaged, "cut short", 3),
        (Fault("cut-chunked", times=9), SourceDamaged, "cut short", 3),
        (Fault("reset", times=9), SourceDamaged, "cut short", 3),
        (Fault("quota"), SourceQuota, "used up until 20.*Too many requests", 1),
        (Fault("busy", seconds=3600), SourceQuota, "used up until", 1),
        (Fault("busy", seconds=3600, as_date=True), SourceQuota, "used up until", 1),
        (Fault("error", status=404), SourceRefused, "404", 1),
        (Fault("html"), SourceDamaged, "web page", 1),
        (Fault("replace", body=b"<html>", content_type="text/csv"), SourceDamaged, "web page", 1),
        (Fault("error-object"), SourceDamaged, "InternalError Something went wrong", 1),
        (Fault("replace", body=b'{"message": "no"}'), SourceDamaged, "JSON", 1),
        (Fault("empty"), SourceDamaged, "empty body", 1),
        (Fault("replace", body=b"\xef\xbb\xbf\r\n"), SourceDamaged, "empty body", 1),
        (Fault("bomb"), SourceDamaged, "compression bomb|larger than", 1),
    ],
    ids=lambda x: f"{x.kind}-{x.status}-{x.seconds}-{x.as_date}" if isinstance(x, Fault) else None,
)
def test_what_does_not_pass_is_told_and_leaves_nothing(
    client: OpendatasoftPortal,
    sample: SamplePortal,
    tmp_path: Path,
    fault: Fault,
    error: type[CitylineError],
    told: str,
    attempts: int,
) -> None:
    sample.faults.append(fault)
    (tmp_path / "x.csv").write_bytes(b"the last good one")
    with pytest.raises(error, match=told) as caught:
        client.export(CENTRE, tmp_path / "x.csv", CAP)
    assert type(caught.value) is error
    assert caught.value.where.startswith("http://127.0.0.1:")
    assert caught.value.hint
    assert len(sample.requests) == attempts
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_bytes() == b"the last good one"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("slow", seconds=0.05),
        Fault("slow-headers", seconds=0.05),
        Fault("stall", seconds=30),
    ],
    ids=lambda f: f.kind,
)
def test_the_deadline_ends_what_a_read_timeout_would_not(
    sample: SamplePortal, tmp_path: Path, fault: Fault
) -> None:
    sample.faults.append(fault)
    timing = Timing(deadline=0.6, attempts=5, read=30.0)
    client = OpendatasoftPortal(Settings(sample.base_url, timing))
    start = time.monotonic()
    with pytest.raises(SourceUnreachable, match="total deadline"):
        client.export(CENTRE, tmp_path / "x.csv", CAP)
    assert 0.5 < time.monotonic() - start < 10, "each would go on for half a minute at least"
    assert not list(tmp_path.iterdir())


def test_a_stalled_server_is_tried_again_within_the_deadline(
    sample: SamplePortal, tmp_path: Path
) -> None:
    sample.faults.append(Fault("stall", seconds=30))
    client = OpendatasoftPortal(
        Settings(sample.base_url, Timing(deadline=10, attempts=2, read=0.3, pause=0.01))
    )
    assert client.export(CENTRE, tmp_path / "x.csv", CAP).bytes == len(WHOLE)


def test_a_quota_that_ends_soon_is_waited_for(
    client: OpendatasoftPortal, sample: SamplePortal
) -> None:
    sample.faults.append(Fault("quota", seconds=1))
    start = time.monotonic()
    assert client.describe(CENTRE).id == CENTRE
    assert time.monotonic() - start < 5
    assert len(sample.requests) == 2


def test_retry_after_is_obeyed(client: OpendatasoftPortal, sample: SamplePortal) -> None:
    sample.faults.append(Fault("busy", seconds=1))
    start = time.monotonic()
    client.describe(CENTRE)
    assert time.monotonic() - start >= 1.0


def test_a_bomb_costs_little_memory(
    client: OpendatasoftPortal, sample: SamplePortal, tmp_path: Path
) -> None:
    sample.faults.append(Fault("bomb"))
    tracemalloc.start()
    try:
        with pytest.raises(SourceDamaged, match="unpack to more than"):
            client.export(CENTRE, tmp_path / "x.csv", 10**12)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000_000  # bytes; the body would be 300 MB


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/other-port",
        "http://localhost/",
        "http://169.254.169.254/latest/meta-data/",
        "https://elsewhere.example/data.csv",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "//elsewhere.example/x",
        "http://[bad",
        "",
    ],
)
def test_a_redirect_elsewhere_is_refused(
    client: OpendatasoftPortal, sample: SamplePortal, tmp_path: Path, location: str
) -> None:
    sample.faults.append(Fault("redirect", location=location))
    with pytest.raises(SourceRefused, match=r"redirects elsewhere|refused"):
        client.export(CENTRE, tmp_path / "x.csv", CAP)
    assert len(sample.requests) == 1
    assert not list(tmp_path.iterdir())


def test_a_redirect_within_the_portal_is_followed_with_the_key(sample: SamplePortal) -> None:
    path = f"/api/explore/v2.1/catalog/datasets/{CENTRE}"
    sample.faults.append(Fault("redirect", location=path, path=VOLUME))
    client = OpendatasoftPortal(Settings(sample.base_url, key=SecretStr("k-123")))
    assert client.describe(VOLUME).id == CENTRE
    assert [h.get("Authorization") for h in sample.headers] == ["Apikey k-123"] * 2


def test_a_circle_of_redirects_ends(client: OpendatasoftPortal, sample: SamplePortal) -> None:
    sample.faults.append(Fault("redirect", location="?again", times=99))
    with pytest.raises(SourceRefused, match="circle"):
        client.describe(CENTRE)
    assert len(sample.requests) == 6


def test_the_key_is_sent_as_a_header_and_told_to_nobody(
    sample: SamplePortal, tmp_path: Path
) -> None:
    key = SecretStr("very-secret")
    client = OpendatasoftPortal(Settings(sample.base_url, Timing(attempts=1), key))
    got = client.export(CENTRE, tmp_path / "x.csv", CAP)
    assert sample.headers[0]["Authorization"] == "Apikey very-secret"
    sample.faults.append(Fault("error", status=401))
    with pytest.raises(SourceRefused) as caught:
        client.describe(CENTRE)
    told = f"{got} {sample.requests} {caught.value} {client.__dict__['_base']} {key}"
    assert "very-secret" not in told
    assert "very-secret" not in repr(Settings(sample.base_url, key=key))


def test_without_a_key_no_authorisation_is_sent(
    client: OpendatasoftPortal, sample: SamplePortal
) -> None:
    client.describe(CENTRE)
    assert "Authorization" not in sample.headers[0]
    assert sample.headers[0]["User-Agent"].startswith("cityline/")
    assert "gzip" in sample.headers[0]["Accept-Encoding"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"not json", "no JSON but: not json"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "not a description"),
        (b"null", "not a description"),
        (b'{"error_code": "Oops", "message": "Nothing here"}', "Oops Nothing here"),
        (b'{"dataset_id": "x", "fields": [1]}', "not a description of a field"),
        (b'{"dataset_id": 7, "fields": []}', "not a description"),
    ],
)
def test_a_description_that_is_none(
    client: OpendatasoftPortal, sample: SamplePortal, body: bytes, told: str
) -> None:
    sample.faults.append(Fault("replace", body=body, content_type="application/json"))
    with pytest.raises(SourceDamaged, match=told):
        client.describe(CENTRE)


def test_counts_nobody_made_are_none(client: OpendatasoftPortal, sample: SamplePortal) -> None:
    body = b'{"dataset_id": "x", "fields": [], "metas": {"default": {"records_count": null}}}'
    sample.faults.append(Fault("replace", body=body, content_type="application/json"))
    assert client.describe("x").records_count is None


def test_a_list_that_is_none(client: OpendatasoftPortal, sample: SamplePortal) -> None:
    sample.faults.append(Fault("replace", body=b'{"results": 1}'))
    with pytest.raises(SourceDamaged, match="not a list of datasets"):
        client.search("x", 5)


def test_a_search_text_cannot_break_out_of_its_quotes(client: OpendatasoftPortal) -> None:
    assert client.search('inquiry" or dataset_id="x', 5)[0] == 0
    assert client.search("", 5)[0] == 2


def test_names_in_addresses_are_escaped(client: OpendatasoftPortal, sample: SamplePortal) -> None:
    with pytest.raises(SourceRefused):
        client.describe("../../x?y#z")
    assert "..%2F..%2Fx%3Fy%23z" in sample.requests[0]


def test_nobody_there() -> None:
    client = OpendatasoftPortal(
        Settings("http://127.0.0.1:9", Timing(deadline=5, attempts=2, pause=0.01))
    )
    with pytest.raises(SourceUnreachable, match="cannot be reached") as caught:
        client.describe(CENTRE)
    assert caught.value.passing


@pytest.mark.parametrize(
    "address", ["ftp://x/y", "file:///etc/passwd", "nonsense", "http://", "https://u:p@host/api"]
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(SourceRefused):
        OpendatasoftPortal(Settings(address))
