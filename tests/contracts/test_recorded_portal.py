"""The client against answers a live portal really gave, replayed with their status and headers."""

from __future__ import annotations

import csv
import gzip
import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cityline.adapters.portals.http import Timing
from cityline.adapters.portals.opendatasoft import OpendatasoftPortal, Settings
from cityline.declarations.reading import parse
from cityline.declarations.source import Source
from cityline.errors import SourceQuota, SourceRefused
from cityline.stages.discover import draft_source

_BASE = "/api/explore/v2.1/catalog/datasets"
_NOT_REPLAYED = {"content-length", "transfer-encoding", "connection", "date", "server"}


@dataclass
class Recorded:
    """Answers by path; bodies are sent as recorded, compressed when the portal compressed them."""

    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    base: str = ""

    def add(self, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
        self.answers[path] = (status, headers, body)


class _Replay(BaseHTTPRequestHandler):
    recorded: Recorded
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def do_GET(self) -> None:
        self.recorded.asked.append(self.path)
        status, headers, body = self.recorded.answers[urlsplit(self.path).path]
        if headers.get("content-encoding") == "gzip":
            body = gzip.compress(body, mtime=0)
        self.send_response(status)
        for name, value in headers.items():
            if name not in _NOT_REPLAYED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> Path:
    folder = shared_data / "vancouver-portal-api-responses"
    if not folder.is_dir():
        pytest.skip("the recorded answers are not here")
    return folder


@pytest.fixture
def recorded(answers: Path) -> Iterator[Recorded]:
    made = Recorded()
    for entry in json.loads((answers / "index.json").read_text(encoding="utf-8")):
        body = (answers / entry["file"]).read_bytes()
        if entry["file"].endswith(".gz"):
            body = gzip.decompress(body)
        path = urlsplit(entry["url"]).path
        if path not in made.answers:  # the refusal of a query has its table's path
            made.add(path, entry["status"], entry["headers"], body)
    handler = type("Replay", (_Replay,), {"recorded": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.base = f"http://127.0.0.1:{server.server_address[1]}/api/explore/v2.1"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def portal(recorded: Recorded) -> OpendatasoftPortal:
    return OpendatasoftPortal(Settings(recorded.base, Timing(deadline=20, attempts=2, pause=0.01)))


def test_a_real_description(portal: OpendatasoftPortal, recorded: Recorded) -> None:
    trees = portal.describe("public-trees")
    assert trees.title == "Public trees"
    assert trees.licence == "Open Government Licence - Vancouver"
    assert trees.records_count == 185_845
    assert trees.data_processed == "2026-06-22T13:50:25+00:00"
    assert (trees.fields[0].name, trees.fields[0].label, trees.fields[0].type) == (
        "asset_id",
        "Asset ID",
        "int",
    )
    assert len(trees.fields) == 11
    assert not trees.generated
    assert trees.metadata["dataset_uid"] == "da_6wnys1"
    assert "lang=en" in recorded.asked[-1]


def test_a_real_description_without_most_texts(portal: OpendatasoftPortal) -> None:
    taxes = portal.describe("property-tax-report")
    assert len(taxes.fields) == 30
    assert "\u200b" not in taxes.description


@pytest.mark.parametrize(
    ("dataset", "file"),
    [
        ("public-trees", "data-public-trees-csv.csv"),
        ("property-tax-report", "data-property-tax-report.csv"),
    ],
)
def test_a_real_export_arrives_byte_for_byte(
    portal: OpendatasoftPortal,
    recorded: Recorded,
    answers: Path,
    tmp_path: Path,
    dataset: str,
    file: str,
) -> None:
    got = portal.export(dataset, tmp_path / "x.csv", 1_000_000)
    assert (tmp_path / "x.csv").read_bytes() == (answers / file).read_bytes()
    assert got.headers["x-ratelimit-reset"] == "2026-08-18 00:00:00+00:00"
    assert got.content_type == "text/csv; charset=utf-8"
    assert "use_labels=true" in recorded.asked[-1]


def test_a_real_refusal_tells_the_portals_message(portal: OpendatasoftPortal) -> None:
    with pytest.raises(SourceRefused, match="does-not-exist does not exist") as caught:
        portal.describe("does-not-exist")
    assert "NotFoundResource" in caught.value.what
    assert not caught.value.passing


def test_a_real_malformed_query_is_refused_with_status_400(
    portal: OpendatasoftPortal, recorded: Recorded, answers: Path, tmp_path: Path
) -> None:
    body = (answers / "error-odsql.json").read_bytes()
    recorded.add(f"{_BASE}/x/exports/csv", 400, {"content-type": "application/json"}, body)
    with pytest.raises(SourceRefused, match="Unknown field: no_such_field"):
        portal.export("x", tmp_path / "x.csv", 1_000_000)
    assert len(recorded.asked) == 1


def test_restricted_records_are_refused(
    portal: OpendatasoftPortal, recorded: Recorded, answers: Path, tmp_path: Path
) -> None:
    body = (answers / "other-ods-domain.forbidden-records.json").read_bytes()
    recorded.add(f"{_BASE}/x/exports/csv", 403, {"content-type": "application/json"}, body)
    with pytest.raises(SourceRefused, match="permission"):
        portal.export("x", tmp_path / "x.csv", 1_000_000)


def test_the_documented_quota_names_its_end_and_is_not_tried_again(
    portal: OpendatasoftPortal, recorded: Recorded, answers: Path
) -> None:
    text = (answers / "documented-examples.json").read_text(encoding="utf-8")
    quota = json.loads(text)["quota_429"] | {"reset_time": "2099-01-26T00:00:00Z"}
    body = json.dumps(quota).encode()
    recorded.add(f"{_BASE}/public-trees", 429, {"content-type": "application/json"}, body)
    with pytest.raises(SourceQuota, match=r"2099-01-26 00:00 UTC.*Too many requests"):
        portal.describe("public-trees")
    assert len(recorded.asked) == 1


def test_another_domains_list_has_clean_labels(
    portal: OpendatasoftPortal, recorded: Recorded, answers: Path
) -> None:
    body = (answers / "other-ods-domain.list-datasets.json").read_bytes()
    recorded.add(_BASE, 200, {"content-type": "application/json; charset=utf-8"}, body)
    total, found = portal.search("", 2)
    assert total == json.loads(body)["total_count"]
    assert len(found) == 2
    labels = [f.label for d in found for f in d.fields]
    assert labels
    assert b"\\ufeff" in body.lower()
    assert not [x for x in labels if "\ufeff" in x or x != x.strip()]


def test_drafts_of_real_datasets_are_sound_declarations(
    portal: OpendatasoftPortal, recorded: Recorded, answers: Path
) -> None:
    import tomllib  # noqa: PLC0415 - only here

    body = (answers / "other-ods-domain.get-dataset.json").read_bytes()
    recorded.add(f"{_BASE}/other", 200, {"content-type": "application/json"}, body)
    for dataset in ("public-trees", "property-tax-report", "other"):
        text = draft_source(portal.describe(dataset))
        source = parse(Source, tomllib.loads(text) | {"name": "draft"}, "draft.toml")
        assert source.status == "draft"
        assert source.portal == recorded.base


def test_the_real_catalogue_holds_what_the_sample_portal_resembles(answers: Path) -> None:
    """The two datasets that are generated exist, under those names, with those titles."""
    from cityline.adapters.portals.sample.tables import CENTRE, VOLUME  # noqa: PLC0415

    csv.field_size_limit(10_000_000)
    text = gzip.decompress((answers / "catalog-export.csv.gz").read_bytes()).decode("utf-8-sig")
    entries = {r["datasetid"]: r for r in csv.DictReader(io.StringIO(text), delimiter=";")}
    assert entries[VOLUME]["default.title"] == "3-1-1 inquiry volume"
    assert entries[CENTRE]["default.title"] == "3-1-1 contact centre metrics"
    assert int(entries[VOLUME]["default.records_count"]) == 65_227
