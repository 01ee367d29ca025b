"""The Price List, read over loopback from small files of its form; every figure is invented."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import threading
import tomllib
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cityline.adapters.aws.prices import PriceList, Wanted
from cityline.errors import CloudRefused, CloudUnreachable, UsageError
from tests.conftest import ROOT

REGION = "ca-central-1"
S3 = Wanted("s3-standard", REGION, "AmazonS3", "TimedStorage-ByteHrs", "")
PUT = Wanted("s3-put", REGION, "AmazonS3", "Requests-Tier1", "", 1000)
KMS = Wanted("kms-key", REGION, "awskms", "KMS-Keys", "")


def product(service: str, usagetype: str, operation: str = "") -> dict[str, Any]:
    return {
        "productFamily": "generated",
        "attributes": {"servicecode": service, "location": "generated", "regionCode": REGION,
                       "usagetype": usagetype, "operation": operation},
    }  # fmt: skip


def terms(sku: str, unit: str, *tiers: tuple[str, str, str]) -> dict[str, Any]:
    rates = {
        f"{sku}.JRTCKXETXF.{n}": {
            "rateCode": f"{sku}.JRTCKXETXF.{n}", "description": "generated", "beginRange": begin,
            "endRange": end, "unit": unit, "pricePerUnit": {"USD": usd}, "appliesTo": [],
        }
        for n, (begin, end, usd) in enumerate(tiers)
    }  # fmt: skip
    return {f"{sku}.JRTCKXETXF": {"offerTermCode": "JRTCKXETXF", "sku": sku,
                                  "effectiveDate": "2026-10-01T00:00:00Z",
                                  "priceDimensions": rates, "termAttributes": {}}}  # fmt: skip


def region_file(
    service: str, products: dict[str, Any], on_demand: dict[str, Any]
) -> dict[str, Any]:
    return {
        "formatVersion": "v1.0", "disclaimer": "generated, not AWS's prices",
        "offerCode": service, "version": "20261001000000",
        "publicationDate": "2026-10-01T12:00:00Z",
        "products": {k: {"sku": k, **v} for k, v in products.items()},
        "terms": {"OnDemand": on_demand},
    }  # fmt: skip


def files() -> dict[str, Any]:
    base = "/offers/v1.0/aws"
    s3 = region_file(
        "AmazonS3",
        {
            "STORE": product("AmazonS3", "CAN1-TimedStorage-ByteHrs"),
            "OTHER": product("AmazonDynamoDB", "CAN1-TimedStorage-ByteHrs"),
            "INDEX": product("AmazonS3", "CAN1-Metadata-TimedStorage-ByteHrs"),
            "PUTS": product("AmazonS3", "CAN1-Requests-Tier1"),
            "LISTED": product("AmazonS3", "CAN1-Requests-Tier1", "ListBucket"),
        },
        {
            "STORE": terms("STORE", "GB-Mo", ("51200", "Inf", "0.0120"), ("0", "51200", "0.0130")),
            "OTHER": terms("OTHER", "GB-Mo", ("0", "Inf", "0.2500")),
            "INDEX": terms("INDEX", "GB-Mo", ("0", "Inf", "0.5000")),
            "PUTS": terms("PUTS", "Requests", ("0", "Inf", "0.0000077")),
            "LISTED": terms("LISTED", "Requests", ("0", "Inf", "0.9")),
        },
    )
    kms = region_file(
        "awskms",
        {"A": product("awskms", f"{REGION}-KMS-Keys"), "B": product("awskms", "CAN1-KMS-Keys")},
        {"A": terms("A", "Keys", ("0", "Inf", "2")), "B": terms("B", "Keys", ("0", "Inf", "3"))},
    )
    offers = {s: {"offerCode": s, "currentRegionIndexUrl": f"{base}/{s}/current/region_index.json"}
              for s in ("AmazonS3", "awskms")}  # fmt: skip
    found: dict[str, Any] = {f"{base}/index.json": {"formatVersion": "v1.0", "offers": offers}}
    for service, body in (("AmazonS3", s3), ("awskms", kms)):
        path = f"{base}/{service}/20261001000000/{REGION}/index.json"
        regions = {REGION: {"regionCode": REGION, "currentVersionUrl": path}}
        found[f"{base}/{service}/current/region_index.json"] = {"regions": regions}
        found[path] = body
    return found


class Listing:
    """A server with the files; a test may change them."""

    def __init__(self) -> None:
        self.files = {path: json.dumps(body).encode() for path, body in files().items()}
        self.status, self.address = 200, ""
        self.asked: list[str] = []


@pytest.fixture
def listing() -> Iterator[Listing]:
    served = Listing()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = served.files.get(self.path)
            self.send_response(404 if body is None else served.status)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_price_is_that_of_its_service_and_not_of_one_whose_type_ends_alike(
    listing: Listing,
) -> None:
    found = PriceList(listing.address).find(S3)
    assert found is not None
    assert found.tiers == ((51_200.0, 0.013), (math.inf, 0.012))
    assert found.published == date(2026, 10, 1)
    assert found.path == f"/offers/v1.0/aws/AmazonS3/20261001000000/{REGION}/index.json"
    assert found.sha256 == hashlib.sha256(listing.files[found.path]).hexdigest()


def test_a_price_per_request_becomes_one_per_thousand(listing: Listing) -> None:
    found = PriceList(listing.address).find(PUT)
    assert found is not None
    assert found.tiers == ((math.inf, 0.0077),)


def test_a_file_is_fetched_once(listing: Listing) -> None:
    prices = PriceList(listing.address)
    prices.find(S3)
    prices.find(PUT)
    assert len(listing.asked) == len(set(listing.asked)) == 3


def test_what_the_list_does_not_have_is_none_and_never_the_nearest(listing: Listing) -> None:
    prices = PriceList(listing.address)
    for service, region, usagetype, operation in (
        ("AmazonS3", REGION, "Storage-ByteHrs", ""),
        ("AmazonS3", REGION, "TimedStorage-ByteHrs", "PutObject"),
        ("AmazonS3", "ca-west-1", "TimedStorage-ByteHrs", ""),
        ("AmazonRDS", REGION, "TimedStorage-ByteHrs", ""),
    ):
        assert prices.find(Wanted("x", region, service, usagetype, operation)) is None


def test_two_products_at_two_prices_are_an_error(listing: Listing) -> None:
    with pytest.raises(UsageError, match="2 products") as refused:
        PriceList(listing.address).find(KMS)
    assert "A, B" in refused.value.hint


def test_a_list_that_does_not_answer_or_is_none(listing: Listing) -> None:
    index = "/offers/v1.0/aws/index.json"
    listing.files[index] = b"<html>"
    with pytest.raises(CloudRefused, match="no file of the price list"):
        PriceList(listing.address).find(S3)
    listing.files[index] = b"{}"
    with pytest.raises(CloudRefused, match="has no offers"):
        PriceList(listing.address).find(S3)
    listing.status = 503
    with pytest.raises(CloudUnreachable, match="answers 503"):
        PriceList(listing.address).find(S3)
    with pytest.raises(CloudUnreachable, match="does not answer"):
        PriceList("http://127.0.0.1:1", seconds=2).find(S3)


def test_a_list_may_not_send_us_elsewhere(listing: Listing) -> None:
    offers = {"AmazonS3": {"currentRegionIndexUrl": "//elsewhere.example/x.json"}}
    listing.files["/offers/v1.0/aws/index.json"] = json.dumps({"offers": offers}).encode()
    with pytest.raises(CloudRefused, match="elsewhere"):
        PriceList(listing.address).find(S3)


# -- the tool -------------------------------------------------------------------------------------


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("prices_tool", ROOT / "tools" / "prices.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows_are_written_only_when_accepted(
    listing: Listing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tool()
    file = tmp_path / "prices.toml"
    before = prices.FILE.read_text("utf-8")
    file.write_text(before, "utf-8")
    asked = ["--address", listing.address, "--service", "AmazonS3", "--file", str(file)]
    assert prices.main(asked) == 1  # ca-west-1 and other rows are not in this list
    assert "→ [[51200, 0.013], [inf, 0.012]] per GB-month" in capsys.readouterr().out
    assert file.read_text("utf-8") == before
    prices.main([*asked, "--accept"])
    written = file.read_text("utf-8")
    assert written.startswith(before.rstrip("\n"))
    rows = tomllib.loads(written)["price"][len(tomllib.loads(before)["price"]) :]
    stored = next(r for r in rows if r["item"] == "s3-standard")
    assert stored["tiers"] == {REGION: [[51_200, 0.013], [math.inf, 0.012]]}
    assert stored["date"] == date(2026, 10, 1)
    assert stored["basis"] == "price list"
    assert stored["source"].endswith(f"/{REGION}/index.json")
    assert len(stored["sha256"]) == 64
    prices.main([*asked, "--accept"])
    assert file.read_text("utf-8") == written, "writing again changes nothing"
