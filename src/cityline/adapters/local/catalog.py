"""Iceberg tables with a SQLite catalogue, through PyIceberg.

The engine has written the data files; a commit only writes metadata, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cityline.adapters.formats.folders import store_errors
from cityline.errors import CatalogError, StoreFull
from cityline.lake.address import Address
from cityline.lake.version import DataFile, Version
from cityline.ports.catalog import Snapshot
from cityline.ports.engine import Written
from cityline.ports.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

_RUN = "cityline.run"


@contextmanager
def _catalog_errors(where: str) -> Iterator[None]:
    from pyiceberg.exceptions import (  # noqa: PLC0415 - 1.3 s to import
        CommitFailedException,
        NoSuchTableError,
        ValidationException,
    )
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - comes with pyiceberg

    try:
        with store_errors(where):
            yield
    except (CommitFailedException, ValidationException) as error:  # the second by its retry
        what = "another writer changed the table; nothing was committed"
        raise CatalogError(what, where=where, hint="run again") from error
    except NoSuchTableError as error:
        raise CatalogError("no such table", where=where, hint="cityline run makes it") from error
    except SQLAlchemyError as error:
        kind = StoreFull if "full" in str(error) else CatalogError
        raise kind(f"the catalogue cannot be used: {error}", where=where) from error


class IcebergCatalog:
    """Implements `ports.catalog.Catalog` in `<home>/catalog.db` over any store. `shared` says that
    other engines read the catalogue at the same time, under the same `name`."""

    def __init__(
        self, home: Path, store: Store, *, shared: bool = False, name: str = "cityline"
    ) -> None:
        self._home = home
        self._store = store
        self._shared = shared
        self._name = name
        self._loaded: SqlCatalog | None = None

    def commit(
        self,
        address: Address,
        written: Written,
        *,
        partition_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
    ) -> Version:
        """Replace the table's rows by the candidate's files, in one transaction."""
        from pyiceberg.expressions import AlwaysTrue  # noqa: PLC0415 - heavy

        marks = dict(properties or {})
        with _catalog_errors(str(address)):
            table = self._ensure(address, written, partition_by)
            with table.transaction() as transaction:
                _evolve(transaction, table, written)
                if table.current_snapshot() is not None:
                    transaction.delete(AlwaysTrue(), snapshot_properties=marks)
                transaction.add_files(
                    [self._store.locate(f.key) for f in written.files],
                    snapshot_properties=marks,
                    check_duplicate_files=False,
                )
            snapshot = table.current_snapshot()
        if snapshot is None:
            raise CatalogError("the commit left no snapshot", where=str(address))
        return Version(address, str(snapshot.snapshot_id), written.rows, written.files)

    def version(self, address: Address, snapshot: str | None = None) -> Version:
        """The files of a snapshot, as the table's manifests list them."""
        with _catalog_errors(str(address)):
            table = self._load(address)
            found = table.snapshot_by_id(int(snapshot)) if snapshot else table.current_snapshot()
            if found is None:
                raise CatalogError("no such snapshot", where=f"{address}@{snapshot or 'newest'}")
            # the manifests, not a planned scan: planning leaves out files without rows
            listed = table.inspect.data_files(found.snapshot_id).to_pylist()
        files = tuple(sorted((self._file(entry) for entry in listed), key=lambda f: f.key))
        return Version(address, str(found.snapshot_id), sum(f.rows for f in files), files)

    def snapshots(self, address: Address) -> list[Snapshot]:
        """Past versions that hold rows, newest first."""
        with _catalog_errors(str(address)):
            if not self._catalog().table_exists(self._identifier(address)):
                return []
            snapshots = self._load(address).metadata.snapshots
        # replacing rows takes a delete and an append; only the append is a version people know
        return [
            Snapshot(
                id=str(s.snapshot_id),
                committed_at=datetime.fromtimestamp(s.timestamp_ms / 1000, UTC).isoformat(),
                rows=int(summary.get("total-records", 0)),
                run=summary.get(_RUN, ""),
            )
            for s in sorted(snapshots, key=lambda s: s.sequence_number or 0, reverse=True)
            if (summary := _summary(s)).get("operation") == "append"
        ]

    def expire(self, address: Address, keep: int, protected: frozenset[str]) -> list[str]:
        """Drop old snapshots; return data files that no remaining snapshot needs."""
        with _catalog_errors(str(address)):
            kept = {s.id for s in self.snapshots(address)[:keep]} | protected
            table = self._load(address)
            old = [
                s.snapshot_id for s in table.metadata.snapshots if str(s.snapshot_id) not in kept
            ]
            current = table.current_snapshot()
            old = [i for i in old if current is None or i != current.snapshot_id]
            if old:
                table.maintenance.expire_snapshots().by_ids(old).commit()
                table = self._load(address)
            live = {self._key(path) for path in _all_files(table)}
        return [k for k in self._store.keys(address.key("data")) if k not in live]

    def _catalog(self) -> SqlCatalog:
        if self._loaded is None:
            from pyiceberg.catalog.sql import SqlCatalog  # noqa: PLC0415 - 1.3 s to import

            with store_errors(str(self._home)):
                self._home.mkdir(parents=True, exist_ok=True)
            path = self._home.absolute() / "catalog.db"
            if self._shared:
                _let_read(path)
            settings = {
                "uri": f"sqlite:///{path}?timeout=30",
                "warehouse": self._store.locate("").rstrip("/"),
                "py-io-impl": "cityline.adapters.formats.tablefiles.StoreFiles",
                "cityline.store": cast("str", self._store),
            }
            self._loaded = SqlCatalog(self._name, **settings)
        return self._loaded

    def _load(self, address: Address) -> Table:
        return self._catalog().load_table(self._identifier(address))

    def _identifier(self, address: Address) -> tuple[str, str]:
        zone, _, name = address.table.partition(".")
        return zone, name

    def _ensure(self, address: Address, written: Written, partition_by: Sequence[str]) -> Table:
        catalog = self._catalog()
        identifier = self._identifier(address)
        if catalog.table_exists(identifier):
            return catalog.load_table(identifier)
        catalog.create_namespace_if_not_exists(identifier[0])
        table = catalog.create_table(
            identifier,
            schema=written.schema,
            location=self._store.locate(address.key()).rstrip("/"),
            properties={
                "format-version": "2",
                "commit.manifest-merge.enabled": "true",
                "write.metadata.delete-after-commit.enabled": "true",
                "write.metadata.previous-versions-max": "20",
            },
        )
        if partition_by:
            with table.update_spec() as spec:
                for column in partition_by:
                    spec.add_identity(column)
        return table

    def _file(self, entry: Mapping[str, Any]) -> DataFile:
        key = self._key(entry["file_path"])
        return DataFile(key, entry["record_count"], entry["file_size_in_bytes"])

    def _key(self, path: str) -> str:
        from cityline.adapters.formats.tablefiles import key_of  # noqa: PLC0415 - heavy

        return key_of(path, self._store)


def _let_read(path: Path) -> None:
    """Write ahead: a reader in another process, such as Spark, then never blocks a commit."""
    import sqlite3  # noqa: PLC0415 - only for shared catalogues

    with closing(sqlite3.connect(path, timeout=30)) as database:
        database.execute("PRAGMA journal_mode = WAL")


def _all_files(table: Table) -> list[str]:
    """Paths of the data files any snapshot needs."""
    paths: list[str] = table.inspect.all_data_files()["file_path"].to_pylist()
    return paths


def _summary(snapshot: Any) -> dict[str, str]:
    summary = snapshot.summary
    if summary is None:
        return {}
    return {"operation": summary.operation.value, **summary.additional_properties}


def _evolve(transaction: Any, table: Table, written: Written) -> None:
    """Let the table's columns follow the declaration: added ones come, dropped ones go."""
    names = set(written.schema.names)
    known = {f.name for f in table.schema().fields}
    if names == known:
        return
    with transaction.update_schema(allow_incompatible_changes=True) as update:
        for gone in sorted(known - names):
            update.delete_column(gone)
        update.union_by_name(written.schema)
