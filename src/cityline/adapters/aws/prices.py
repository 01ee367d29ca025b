"""AWS's public Price List, read from its bulk files: an index of services, one of regions for each
service, and one file for each region.

A price is taken by service, usage type and operation together. The end of a usage type alone would
take another service's: `TimedStorage-ByteHrs` is S3's and, at ten times the price, DynamoDB's.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cityline.errors import CloudRefused, CloudUnreachable, UsageError

ADDRESS = "https://pricing.us-east-1.amazonaws.com"
_INDEX = "/offers/v1.0/aws/index.json"
_REGIONS = {"ca-central-1": "CAN1", "ca-west-1": "CAN2", "us-east-1": "USE1", "us-west-2": "USW2"}
"""What usage types of a region begin with; those of us-east-1 may begin with nothing."""
_PLAIN = "us-east-1"
_PATH = re.compile(r"(/[A-Za-z0-9_.-]+)+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A price to look for. `per` is how many of the list's units are one of ours."""

    item: str
    region: str
    service: str
    usagetype: str
    operation: str
    per: float = 1.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A price as the list has it: tiers are (up to, USD) in our unit, the last one open. `path` and
    `sha256` are those of the file it was read from."""

    wanted: Wanted
    unit: str
    tiers: tuple[tuple[float, float], ...]
    published: date
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    sha256: str
    body: Mapping[str, Any]


class PriceList:
    """Reads the list. Raises CloudUnreachable when it does not answer, CloudRefused when what it
    answers is not the list."""

    def __init__(self, address: str = ADDRESS, seconds: float = 300.0) -> None:
        self._address = address.rstrip("/")
        self._seconds = seconds
        self._files: dict[str, _File] = {}

    def find(self, wanted: Wanted) -> Listed | None:
        """A price, or None when the list has none like it. Raises UsageError when it has several
        that differ."""
        file = self._region(wanted.service, wanted.region)
        if file is None:
            return None
        found = {
            sku: tiers
            for sku, product in _part(file, "products").items()
            if _fits(product.get("attributes", {}), wanted)
            for tiers in [_tiers(file, sku, wanted.per)]
            if tiers
        }
        if not found:
            return None
        if len(set(found.values())) > 1:
            named = f"{wanted.usagetype}, {wanted.operation or 'no operation'}"
            told = f"{len(found)} products are {named}, at different prices"
            hint = f"name the operation more exactly: {', '.join(sorted(found))}"
            raise UsageError(told, where=file.path, hint=hint)
        unit, tiers = next(iter(found.values()))
        published = _part(file, "publicationDate", str)[:10]
        return Listed(wanted, unit, tiers, date.fromisoformat(published), file.path, file.sha256)

    def _region(self, service: str, region: str) -> _File | None:
        """The file of a service in a region; None where it is not sold."""
        offer = _part(self._get(_INDEX), "offers").get(service)
        if offer is None:
            return None
        regions = self._get(str(offer.get("currentRegionIndexUrl", "")))
        there = _part(regions, "regions").get(region)
        return self._get(str(there["currentVersionUrl"])) if there else None

    def _get(self, path: str) -> _File:
        if path not in self._files:
            self._files[path] = self._fetched(path)
        return self._files[path]

    def _fetched(self, path: str) -> _File:
        import httpx  # noqa: PLC0415 - heavy

        where = f"{self._address}{path}"
        if not _PATH.fullmatch(path):
            raise CloudRefused("the price list names a file elsewhere", where=where)
        try:
            answer = httpx.get(where, timeout=self._seconds, follow_redirects=False)
        except httpx.HTTPError as error:
            told = f"the price list does not answer: {error}"
            raise CloudUnreachable(told, where=where, hint="run again") from error
        if answer.status_code != httpx.codes.OK:
            told = f"the price list answers {answer.status_code}"
            kind = CloudUnreachable if answer.status_code >= 500 else CloudRefused  # noqa: PLR2004
            raise kind(told, where=where)
        try:
            body = json.loads(answer.content)
        except ValueError as error:
            raise CloudRefused("this is no file of the price list", where=where) from error
        if not isinstance(body, dict):
            raise CloudRefused("this is no file of the price list", where=where)
        return _File(path, hashlib.sha256(answer.content).hexdigest(), body)


def _part(file: _File, name: str, kind: type = dict) -> Any:
    found = file.body.get(name)
    if not isinstance(found, kind):
        raise CloudRefused(f"a file of the price list has no {name}", where=file.path)
    return found


def _fits(attributes: Mapping[str, Any], wanted: Wanted) -> bool:
    return (
        attributes.get("usagetype") in set(_spellings(wanted))
        and attributes.get("operation", "") == wanted.operation
        and attributes.get("servicecode", wanted.service) == wanted.service
    )


def _spellings(wanted: Wanted) -> Iterator[str]:
    """A usage type whole: with the region's short code, with its name, or bare where that is so."""
    code = _REGIONS.get(wanted.region)
    if code:
        yield f"{code}-{wanted.usagetype}"
    yield f"{wanted.region}-{wanted.usagetype}"
    if wanted.region == _PLAIN:
        yield wanted.usagetype


def _tiers(file: _File, sku: str, per: float) -> tuple[str, tuple[tuple[float, float], ...]] | None:
    """Unit and tiers of a product on demand, in our unit."""
    terms = _part(file, "terms").get("OnDemand", {}).get(sku, {})
    rates = [r for term in terms.values() for r in term["priceDimensions"].values()]
    if not rates or any("USD" not in r["pricePerUnit"] for r in rates):
        return None
    rates.sort(key=lambda r: float(r["beginRange"]))
    ends = [math.inf if r["endRange"] == "Inf" else float(r["endRange"]) / per for r in rates]
    usd = [round(float(r["pricePerUnit"]["USD"]) * per, 10) for r in rates]
    return str(rates[0]["unit"]), tuple(zip(ends, usd, strict=True))
