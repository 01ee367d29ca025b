"""What a query costs on Amazon Athena, by its published price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_MEGABYTE = 1024 * 1024
_LEAST = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """Athena's price in one region: US dollars for a terabyte scanned, the date of the figure, and
    what it rests on ("price list", "documentation", "unverified" ...)."""

    per_terabyte: Decimal
    date: date
    basis: str

    def charge(self, scanned: int) -> Decimal:
        """US dollars for a query that scans so many bytes: rounded up to the next megabyte, at
        least ten (Amazon Athena pricing, queries by bytes scanned)."""
        megabytes = max(_LEAST, -(-scanned // _MEGABYTE))
        return (self.per_terabyte * megabytes / _MEGABYTE).quantize(Decimal("0.0000001"))


GENERAL = Rate(Decimal("5.00"), date(2020, 10, 15), "unverified")
"""Where no region is known. A test holds it to the row of `deploy/prices.toml`."""
PRICE_DATE = f"{GENERAL.date:%Y-%m}"
"""The month of that price."""


def athena_cost(scanned: int) -> Decimal:
    """US dollars for a query, at the general price."""
    return GENERAL.charge(scanned)
