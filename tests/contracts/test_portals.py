"""The portal client against a portal that behaves, and one that does not; all over real HTTP."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cityline.adapters.portals.files import FilesPortal
from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.adapters.portals.sample import Fault, SamplePortal
from cityline.adapters.portals.sample.server import VOLUME
from cityline.errors import (
    CitylineError,
    SourceDamaged,
    SourceQuota,
    SourceRefused,
    SourceUnreachable,
)
from cityline.ports.portal import Portal
from tests.conftest import TODAY

CAP = 50_000_000


@pytest.fixture
def live() -> Iterator[SamplePortal]:
    with SamplePortal(today=TODAY) as opened:
        yield opened


def client(portal: SamplePortal, **timing: float) -> OpendatasoftPortal:
    chosen = {"deadline": 20.0, "attempts": 4, **timing}
    return OpendatasoftPortal(Settings(portal.base_url, Timing(**chosen)))  # type: ignore[arg-type]


def test_search_and_describe(live: SamplePortal) -> None:
    total, found = client(live).search("3-1-1", 10)
    assert total == len(found) == 2
    dataset = client(live).describe(VOLUME)
    assert [f.label for f in dataset.fields] == [
        "Department", "Type", "Year Month", "Channel", "Number of Records", "BI_ID",
    ]  # fmt: skip
    assert dataset.records_count == 65_459
    assert dataset.generated
    assert dataset.data_processed == "2026-08-12T13:50:39+00:00"


@pytest.mark.parametrize("kind", ["portal", "file", "folder"])
def test_every_portal_exports_the_same_bytes(live: SamplePortal, tmp_path: Path, kind: str) -> None:
    body = live.csv(VOLUME, labels=True, delimiter=";", bom=True)
    file = tmp_path / f"{VOLUME}.csv"
    file.write_bytes(body)
    portals: dict[str, Portal] = {
        "portal": client(live),
        "file": FilesPortal(file),
        "folder": FilesPortal(tmp_path),
    }
    into = tmp_path / "in.csv"
    got = portals[kind].export(VOLUME, into, CAP)
    assert into.read_bytes() == body
    assert (got.bytes, got.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert portals[kind].describe(VOLUME).id == VOLUME
    with pytest.raises(SourceDamaged, match="larger than"):
        portals[kind].export(VOLUME, into, 1000)


FAULTS: list[tuple[Fault, type[CitylineError], str]] = [
    (Fault("quota", times=9), SourceQuota, "quota is used up until"),
    (Fault("error", times=9, status=500), SourceUnreachable, "failed (500)"),
    (Fault("error", times=9, status=502), SourceUnreachable, "failed (502)"),
    (Fault("cut", times=9), SourceDamaged, "cut short"),
    (Fault("slow", times=9, seconds=0.2), SourceUnreachable, "deadline"),
    (Fault("stall", times=9, seconds=3.0), SourceUnreachable, ""),
    (Fault("bomb", times=9), SourceDamaged, "larger than"),
    (Fault("redirect", times=9, location="http://169.254.169.254/latest"), SourceRefused,
     "redirects elsewhere"),
    (Fault("redirect", times=9, location="file:///etc/passwd"), SourceRefused, "redirects"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    FAULTS,
    ids=[f"{f.kind}-{f.status}-{f.location[:4]}" for f, _, _ in FAULTS],
)
def test_misbehaviour_ends_in_a_typed_error_within_the_deadline_and_leaves_no_file(
    live: SamplePortal, tmp_path: Path, fault: Fault, kind: type[CitylineError], told: str
) -> None:
    fault.times = 9
    live.faults = [fault]
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        client(live, deadline=2.0, attempts=3).export(VOLUME, tmp_path / "in.csv", CAP)
    assert time.monotonic() - began < 8
    assert told in caught.value.what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault("error", times=2, status=503),
        Fault("busy", times=1, seconds=1),
        Fault("cut", times=1),
    ],
    ids=lambda f: f.kind,
)
def test_what_passes_is_tried_again(live: SamplePortal, tmp_path: Path, fault: Fault) -> None:
    live.faults = [fault]
    times = fault.times
    got = client(live).export(VOLUME, tmp_path / "in.csv", CAP)
    assert got.bytes > 5_000_000
    assert len(live.requests) == times + 1


def test_refusals_say_what_the_portal_said(live: SamplePortal) -> None:
    with pytest.raises(SourceRefused, match="NotFoundResource The requested dataset no-such"):
        client(live).describe("no-such")
    live.faults = [Fault("error-object")]
    with pytest.raises(SourceDamaged, match="no description"):
        client(live).describe(VOLUME)
    live.faults = [Fault("html")]
    with pytest.raises(SourceDamaged, match="no JSON"):
        client(live).describe(VOLUME)
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        OpendatasoftPortal(Settings("http://127.0.0.1:9", Timing(1.0, 1))).describe("x")


def test_the_key_goes_into_a_header_and_nowhere_else(live: SamplePortal) -> None:
    settings = Settings(live.base_url, Timing(1.0, 1), SecretStr("s3cret"))
    OpendatasoftPortal(settings).describe(VOLUME)
    assert not any("s3cret" in path for path in live.requests)
    assert "s3cret" not in repr(settings)
    live.faults = [Fault("error", times=5)]
    with pytest.raises(CitylineError) as caught:
        OpendatasoftPortal(settings).describe(VOLUME)
    assert "s3cret" not in str(caught.value)


def test_the_sample_portal_keeps_the_real_ones_caps(live: SamplePortal) -> None:
    import httpx  # noqa: PLC0415 - only here

    base = f"{live.base_url}/catalog/datasets/{VOLUME}"
    assert httpx.get(f"{base}/records?limit=101").status_code == 400
    assert httpx.get(f"{base}/records?offset=10000&limit=1").status_code == 400
    page = httpx.get(f"{base}/records?offset=9900&limit=100").json()
    assert len(page["results"]) == 100
    count = httpx.get(f"{base}/records?select=count(*) as total&limit=1").json()
    assert count == {"total_count": 65_459, "results": [{"total": 65_459}]}
    unknown = httpx.get(f"{base}/records?select=no_such_field")
    assert unknown.json()["error_code"] == "ODSQLError"
    facets = httpx.get(f"{base}/facets?facet=channel").json()["facets"][0]["facets"]
    assert {f["name"] for f in facets} == {"Phone", "Chat", "E-mail", "Social Media", "Mail"}
    headers = httpx.get(f"{base}/exports/csv?limit=1").headers
    assert headers["x-ratelimit-reset"].endswith(" 00:00:00+00:00")


# -- recorded answers of real portals ------------------------------------------------------------


@contextmanager
def replayed(folder: Path) -> Iterator[str]:
    """A server that answers with the recorded bodies, statuses and headers."""
    index = {e["url"]: e for e in json.loads((folder / "index.json").read_text()) if "url" in e}
    by_path: dict[str, dict[str, Any]] = {}
    for url, entry in index.items():
        path = "/" + url.split("/", 3)[3].partition("?")[0]
        by_path.setdefault(path, entry)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Silence."""

        def do_GET(self) -> None:
            entry = by_path.get(self.path.partition("?")[0])
            if entry is None:
                self.send_error(404)
                return
            body = (folder / entry["file"]).read_bytes()
            body = gzip.decompress(body) if entry["file"].endswith(".gz") else body
            self.send_response(int(entry["status"]))
            for name, value in (entry.get("headers") or {}).items():
                if name not in (
                    "content-encoding",
                    "transfer-encoding",
                    "content-length",
                    "connection",
                ):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/explore/v2.1"
    finally:
        server.shutdown()
        server.server_close()


def test_recorded_answers_of_the_real_portal(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "vancouver-portal-api-responses"
    with replayed(folder) as base:
        real = OpendatasoftPortal(Settings(base, Timing(5.0, 2)))
        trees = real.describe("public-trees")
        assert (trees.title, trees.records_count) == ("Public trees", 185_845)
        assert trees.licence == "Open Government Licence - Vancouver"
        assert not trees.generated
        assert "date_planted" in {f.name for f in trees.fields}
        tax = real.describe("property-tax-report")
        assert tax.data_processed
        with pytest.raises(SourceRefused, match="NotFoundResource"):
            real.describe("does-not-exist")
        got = real.export("public-trees", tmp_path / "trees.csv", CAP)
        recorded = (folder / "data-public-trees-csv.csv").read_bytes()
        assert (tmp_path / "trees.csv").read_bytes() == recorded
        assert got.content_type.startswith("text/csv")


def test_a_draft_source_is_valid_and_unsigned(live: SamplePortal) -> None:
    import tomllib  # noqa: PLC0415 - only here

    from cityline.declarations.reading import parse  # noqa: PLC0415
    from cityline.declarations.source import Source  # noqa: PLC0415
    from cityline.stages.discover import draft_source  # noqa: PLC0415

    text = draft_source(client(live).describe(VOLUME))
    source = parse(Source, tomllib.loads(text) | {"name": "draft"}, "draft.toml")
    assert source.status == "draft"
    assert source.columns == (
        "department",
        "type",
        "year_month",
        "channel",
        "number_of_records",
        "bi_id",
    )


def test_the_generator_keeps_to_the_known_facts(shared_data: Path) -> None:
    """Tolerances: rows 1 %, rows a month ±8, mean of a row 6 %, shares ±0.6 points."""
    import csv as reader  # noqa: PLC0415
    import statistics  # noqa: PLC0415

    from cityline.adapters.portals.sample import volume  # noqa: PLC0415

    evidence = shared_data / "vancouver-inquiry-volume-evidence"
    facts = json.loads((evidence / "aggregate-facts.json").read_text())
    rows = volume.rows(TODAY)
    assert len(rows) == pytest.approx(65_227, rel=0.01)
    assert len(volume.rows(date(2024, 8, 27))) == pytest.approx(57_172, rel=0.02)
    keys = {(r.department, r.type, r.month, r.channel) for r in rows}
    assert len(keys) == len(rows)
    july = [r for r in rows if r.month == date(2024, 7, 1)]
    assert abs(len(july) - 341) <= 8
    phone = sum(r.count for r in july if r.channel == "Phone")
    assert phone / sum(r.count for r in july) == pytest.approx(29_101 / 32_630, abs=0.03)
    for year, mean in facts["yearly_from_portal_chart_approximate"]["average"].items():
        counts = [r.count for r in rows if r.month.year == int(year)]
        assert statistics.mean(counts) == pytest.approx(mean, rel=0.06), year
    year_2023 = [r for r in rows if r.month.year == 2023]
    total = sum(r.count for r in year_2023)
    text = (evidence / "department-shares.csv").read_text(encoding="utf-8")
    shares = reader.DictReader(text.splitlines())
    for row in shares:
        mine = sum(r.count for r in year_2023 if r.department == row["department"])
        known = float(row["share_of_inquiries_2023_pct"])
        assert mine / total * 100 == pytest.approx(known, abs=0.6), row["department"]
    assert {"Public Safety - Fire", "City Administration", "City Manager's Office"} <= {
        r.department for r in rows
    }
