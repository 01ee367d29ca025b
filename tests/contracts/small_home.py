"""A home with a ledger of two runs, a release and a few files in its lake, made at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cityline.adapters.local.ledger import SqliteLedger
from cityline.lake.address import Address
from cityline.lake.receipt import Outcome, Receipt
from cityline.lake.version import DataFile, Version
from cityline.ports.ledger import Release

NOW = datetime.now(UTC)


def version(address: str, identity: str, size: int, rows: int = 10) -> Version:
    where = Address.parse(address)
    return Version(where, identity, rows, (DataFile(where.key(f"{identity}.parquet"), rows, size),))


def receipt(
    run: str,
    step: str,
    outcome: Outcome = Outcome.DONE,
    *,
    age: timedelta = timedelta(0),
    seconds: float = 1.0,
    reads: dict[str, str] | None = None,
    wrote: Version | None = None,
    error: str = "",
) -> Receipt:
    return Receipt(
        run=run,
        step=step,
        outcome=outcome,
        fingerprint="f",
        started=(NOW - age).isoformat(),
        seconds=seconds,
        reads=reads or {},
        versions=(wrote,) if wrote else (),
        rows_in=100,
        rows_out=90,
        details={"error": error} if error else {},
    )


def small_home(home: Path) -> SqliteLedger:
    """An old run of forty days ago, and one of today in which a step was blocked and one failed."""
    ledger = SqliteLedger(home)
    old = timedelta(days=40)
    raw = version("raw/inquiry-volume", "a1", 5_000)
    landing = version("landing/inquiry-volume", "11", 400)
    curated = version("curated/volume", "22", 300)
    for made in (
        receipt("r-old", "ingest/inquiry-volume", age=old, wrote=raw),
        receipt("r-new", "ingest/inquiry-volume", wrote=raw, seconds=2.0),
        receipt("r-new", "prepare/inquiry-volume", seconds=4.0, wrote=landing,
                reads={"raw/inquiry-volume": "a1", "declarations": "x"}),
        receipt("r-new", "prepare/other", Outcome.BLOCKED, error="a rule failed"),
        receipt("r-new", "structure/volume", wrote=curated,
                reads={"landing.inquiry_volume": "11"}),
        receipt("r-new", "structure/other", Outcome.FAILED, error="no space"),
        receipt("r-new", "structure/same", Outcome.UNCHANGED),
        receipt("r-new", "analyse/by-year", seconds=0.1, reads={"curated.volume": "22"}),
        receipt("r-new", "analyse/channels", seconds=0.3, reads={"curated.volume": "22"}),
    ):  # fmt: skip
        ledger.record(made)
    released = Release("b7", "r-new", NOW.isoformat(), {"structure/volume": made})
    ledger.promote(released, {})
    for key, size in (("raw/a", 5_000), ("raw/b", 70), ("curated/volume/22.parquet", 300)):
        path = home / "lake" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return ledger
