"""What AWS charges: rows with region, unit, tiers, date and where each figure comes from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from cityline.errors import UsageError

STALE_DAYS = 180
"""After so many days a price is called old wherever it is shown."""


@dataclass(frozen=True, slots=True)
class Price:
    """One item's price in one region, in USD per unit. `tiers` are (up to this quantity a month,
    USD), the last one open. `basis` is "price list", "bill", "documentation" or "unverified"."""

    item: str
    region: str
    service: str
    unit: str
    tiers: tuple[tuple[float, float], ...]
    date: date
    basis: str
    source: str
    sha256: str = ""
    """Of the file of the Price List it was read from, where it was."""

    def charge(self, quantity: float) -> float:
        """USD for a month's quantity: each part of it at its own tier's rate."""
        charged, below = 0.0, 0.0
        for up_to, usd in self.tiers:
            charged += max(0.0, min(quantity, up_to) - below) * usd
            below = up_to
        return charged


@cache
def prices() -> dict[tuple[str, str], Price]:
    """Every price by (item, region); of two rows the later one, which was read from the list."""
    text = (resources.files("cityline.deploy") / "prices.toml").read_text("utf-8")
    return {(p.item, p.region): p for row in tomllib.loads(text)["price"] for p in _by_region(row)}


def price(item: str, region: str) -> Price:
    """The price of an item in a region. Raises UsageError where none is known: never a guess."""
    found = prices().get((item, region))
    if found is None:
        known = sorted(r for i, r in prices() if i == item)
        told = f"no price is known of {item} in {region}"
        hint = f"known in {', '.join(known)}" if known else "add a row to deploy/prices.toml"
        raise UsageError(told, where="deploy/prices.toml", hint=hint)
    return found


def _by_region(row: dict[str, Any]) -> list[Price]:
    unverified = row.get("unverified_in", ())
    return [
        Price(
            item=row["item"],
            region=region,
            service=row["service"],
            unit=row["unit"],
            tiers=tuple((float(up_to), float(usd)) for up_to, usd in tiers),
            date=row["date"],
            basis="unverified" if region in unverified else row["basis"],
            source=row["source"],
            sha256=row.get("sha256", ""),
        )
        for region, tiers in row["tiers"].items()
    ]
