"""What a query would cost on Amazon Athena, by its published price."""

from __future__ import annotations

from decimal import Decimal

PRICE_DATE = "2026-11"
"""The month of the price, in US dollars. It is the general one; a region may have its own."""
_PER_TERABYTE = Decimal("5.00")
_MEGABYTE = 1024 * 1024
_LEAST = 10


def athena_cost(scanned: int) -> Decimal:
    """US dollars for a query that scans so many bytes: rounded up to the next megabyte, at least
    ten, at the price of a terabyte (Amazon Athena pricing, queries by bytes scanned)."""
    megabytes = max(_LEAST, -(-scanned // _MEGABYTE))
    return (_PER_TERABYTE * megabytes / (_MEGABYTE)).quantize(Decimal("0.0000001"))
