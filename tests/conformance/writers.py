"""A writer in a process of its own, for tables that several write at once.

`python -m tests.conformance.writers '{"home": …, "who": "duckdb", "times": 5}'` writes whole tables
of 100 rows that tell who wrote them and in which attempt, and says of each attempt how it ended.
`append` adds its rows instead, through PyIceberg alone, as a program that knows no Cityline would.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from cityline.adapters.local.catalog import IcebergCatalog
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.errors import CatalogError
from cityline.lake.address import Address, Zone
from cityline.ports.engine import Engine
from tests.conformance.servers import spark_engine

ADDRESS = Address(Zone.CURATED, "shared")
ROWS = 100


def rows(who: str, attempt: int) -> pa.Table:
    """What one attempt writes."""
    return pa.table(
        {
            "who": pa.array([who] * ROWS),
            "attempt": pa.array([attempt] * ROWS, pa.int64()),
            "i": pa.array(range(ROWS), pa.int64()),
        }
    )


def _replaces(home: Path, who: str, times: int) -> None:
    store = FolderStore(home / "lake")
    engine: Engine = spark_engine(home) if who == "spark" else DuckEngine(store)
    catalog = IcebergCatalog(home, store, shared=True)
    for attempt in range(times):
        given = {"given": rows(who, attempt)}
        key = ADDRESS.key("data", f"{who}-{os.getpid()}-{attempt}")
        written = engine.write("SELECT * FROM given", given, key)
        try:
            version = catalog.commit(ADDRESS, written, properties={"cityline.run": who})
            _tell(attempt, "", version.id)
        except CatalogError as error:
            _tell(attempt, error.what, error.hint)


def _appends(home: Path, times: int) -> None:
    from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - 1.3 s to import
    from pyiceberg.exceptions import CommitFailedException, ValidationException  # noqa: PLC0415

    uri = f"sqlite:///{home / 'catalog.db'}?timeout=30"
    catalog = SqlCatalog("cityline", uri=uri, warehouse=str(home / "lake"))
    for attempt in range(times):
        try:
            catalog.load_table(("curated", "shared")).append(rows("append", attempt))
            _tell(attempt, "", "")
        except (CommitFailedException, ValidationException) as error:
            _tell(attempt, str(error), "")


def _tell(attempt: int, failed: str, more: str) -> None:
    sys.stdout.write(json.dumps({"attempt": attempt, "failed": failed, "more": more}) + "\n")
    sys.stdout.flush()


def _main(asked: dict[str, Any]) -> None:
    home = Path(asked["home"])
    if asked["who"] == "append":
        _appends(home, asked["times"])
    else:
        _replaces(home, asked["who"], asked["times"])


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
