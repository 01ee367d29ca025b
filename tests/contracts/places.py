"""Both sides of every port that keeps something: on this machine, and on AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.ledger import SqliteLedger
from cityline.adapters.local.store import FolderStore
from cityline.lake.address import Zone
from cityline.ports.catalog import Catalog
from cityline.ports.ledger import Ledger
from cityline.ports.store import Store

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator

SIDES = ("local", pytest.param("aws", marks=pytest.mark.aws))
REGION = "ca-central-1"


@dataclass(frozen=True)
class Place:
    """Where a city's things are kept. Each call opens them anew, as another machine would."""

    side: str
    open_store: Callable[[], Store]
    open_catalog: Callable[[], Catalog]
    open_ledger: Callable[[], Ledger]


def local_place(folder: Path) -> Place:
    """One home on this machine."""
    store = FolderStore(folder / "lake")
    return Place(
        "local",
        lambda: store,
        lambda: IcebergCatalog(folder, store),
        lambda: SqliteLedger(folder),
    )


def aws_place(emulator: Emulator, folder: Path, patch: pytest.MonkeyPatch) -> Place:
    """Buckets, databases and a ledger of their own in the emulator, under its own root's keys: who
    may do what is asked elsewhere, of the roles."""
    from cityline.adapters.aws.catalog import GlueTables  # noqa: PLC0415 - an extra
    from cityline.adapters.aws.ledger import S3Ledger  # noqa: PLC0415
    from cityline.adapters.aws.store import S3Store  # noqa: PLC0415
    from cityline.declarations.environment import Lake  # noqa: PLC0415

    as_owner(emulator, patch)
    mark = uuid4().hex[:8]
    buckets = {z: f"{z}-{mark}" for z in ("raw", "landing", "curated", "site")}
    for name in buckets.values():
        emulator.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
    bases = {z: f"city_{mark}_{z}" for z in ("landing", "curated")}
    for name in bases.values():
        emulator.client("glue").create_database(DatabaseInput={"Name": name})
    lake = Lake(address=f"s3://{buckets['curated']}", region=REGION, deadline=20)
    places = {**buckets, "quarantine": buckets["landing"], "answers": buckets["site"]}
    tables = {
        Zone.LANDING: bases["landing"],
        Zone.QUARANTINE: bases["landing"],
        Zone.CURATED: bases["curated"],
    }

    def store() -> S3Store:
        return S3Store(lake, folder / f"cache-{uuid4().hex[:6]}", places)

    return Place(
        "aws", store, lambda: GlueTables(store(), REGION, tables), lambda: S3Ledger(store())
    )


def as_owner(emulator: Emulator, patch: pytest.MonkeyPatch) -> None:
    """From now on this process asks the emulator, as the account's own root."""
    told = {
        "AWS_ENDPOINT_URL": emulator.tls,
        "AWS_CA_BUNDLE": str(emulator.certificate),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        patch.delenv(name, raising=False)
    for name, text in told.items():
        patch.setenv(name, text)


@pytest.fixture(params=SIDES)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Each side, empty."""
    if request.param == "local":
        yield local_place(tmp_path)
    else:
        yield aws_place(request.getfixturevalue("aws"), tmp_path, monkeypatch)
