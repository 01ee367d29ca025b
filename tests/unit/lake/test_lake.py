"""Addresses, versions, receipts and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityline.errors import UsageError
from cityline.lake import wording
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.lake.version import DataFile, Version

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4}){0,3}", fullmatch=True)


@given(zone=st.sampled_from(list(Zone)), name=NAMES)
def test_an_address_is_read_back_from_its_text_and_its_table(zone: Zone, name: str) -> None:
    address = Address(zone, name)
    assert Address.parse(str(address)) == address
    assert Address.parse(address.table) == address


@pytest.mark.parametrize("text", ["raw/../x", "raw/X", "raw/", "no/where", "raw/a--b", "raw/a b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Address.parse(text)


def test_a_receipt_is_read_back() -> None:
    version = Version(Address(Zone.RAW, "x"), "abc", 3, (DataFile("raw/x/abc/data.csv", 3, 10),))
    receipt = Receipt("r-1", "ingest/x", Outcome.DONE, "f", "2026-01-01T00:00:00+00:00", 0.5,
                      {"raw/x": "abc"}, (version,), 3, 3, True, {"a": [1]})  # fmt: skip
    assert Receipt.from_json(receipt.to_json()) == receipt
    assert (receipt.stage, receipt.subject) == ("ingest", "x")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567, "inquiries", "1,234,567"),
        (-5, "difference", "−5"),
        (5, "difference", "+5"),
        (0, "difference", "±0"),
        (0.1234, "share", "12.3 %"),
        (-0.041, "change", "−4.1 %"),
        (0.0001, "change", "±0.0 %"),
        (1.25, "points", "+1.2 pp"),
        (None, "share", "–"),
        (2024, "year", "2024"),
        ("2024-07-01", "month", "July 2024"),
        (True, "", "yes"),
        (1.005, "index", "1.00"),
        (45.6, "seconds", "46 s"),
        ("<b>", "", "<b>"),
    ],
)
def test_figures_in_words(value: object, unit: str, text: str) -> None:
    assert wording.cell(value, unit) == text


def test_sizes() -> None:
    assert [wording.size(n) for n in (9, 1500, 9_400_000, 2_000_000_000_000)] == [
        "9 B", "1.5 kB", "9.4 MB", "2,000.0 GB",
    ]  # fmt: skip
