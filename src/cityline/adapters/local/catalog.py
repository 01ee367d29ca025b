"""Iceberg tables with a SQLite catalogue, in one file of the home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cityline.adapters.formats.folders import store_errors
from cityline.adapters.formats.iceberg import IcebergTables
from cityline.errors import CatalogError, StoreFull
from cityline.ports.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


class IcebergCatalog(IcebergTables):
    """Implements `ports.catalog.Catalog` in `<home>/catalog.db` over any store. `shared` says that
    other engines read the catalogue at the same time, under the same `name`."""

    def __init__(
        self, home: Path, store: Store, *, shared: bool = False, name: str = "cityline"
    ) -> None:
        super().__init__(store)
        self._home = home
        self._shared = shared
        self._name = name

    def _open(self, settings: Mapping[str, str]) -> Catalog:
        from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - 1.3 s to import

        with store_errors(str(self._home)):
            self._home.mkdir(parents=True, exist_ok=True)
        path = self._home.absolute() / "catalog.db"
        if self._shared:
            _let_read(path)
        return SqlCatalog(self._name, uri=f"sqlite:///{path}?timeout=30", **settings)

    @contextmanager
    def _refusals(self, where: str) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - comes with pyiceberg

        try:
            yield
        except SQLAlchemyError as error:
            kind = StoreFull if "full" in str(error) else CatalogError
            raise kind(f"the catalogue cannot be used: {error}", where=where) from error


def _let_read(path: Path) -> None:
    """Write ahead: a reader in another process, such as Spark, then never blocks a commit."""
    import sqlite3  # noqa: PLC0415 - only for shared catalogues

    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("PRAGMA journal_mode = WAL")
