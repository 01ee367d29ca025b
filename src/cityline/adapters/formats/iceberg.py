"""Iceberg tables through PyIceberg, whatever catalogue knows them.

The engine has written the data files; a commit only writes metadata, in one transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from cityline.adapters.formats.folders import store_errors
from cityline.errors import CatalogError
from cityline.lake.address import Address
from cityline.lake.version import DataFile, Version
from cityline.ports.catalog import Snapshot
from cityline.ports.engine import Written
from cityline.ports.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

_RUN = "cityline.run"


class IcebergTables(ABC):
    """Implements `ports.catalog.Catalog` over any store; a child says which catalogue it is, and
    what its refusals mean."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._loaded: Catalog | None = None

    @abstractmethod
    def _open(self, settings: Mapping[str, str]) -> Catalog:
        """PyIceberg's catalogue, made with these settings and its own."""

    @abstractmethod
    def _refusals(self, where: str) -> Any:
        """A context that turns the catalogue's own errors into ours."""

    def _identifier(self, address: Address) -> tuple[str, str]:
        """What the catalogue calls an address's table."""
        zone, _, name = address.table.partition(".")
        return zone, name

    def _namespace(self, catalog: Catalog, name: str) -> None:
        """See to it that a namespace is there."""
        catalog.create_namespace_if_not_exists(name)

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
        with self._errors(str(address)):
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
        with self._errors(str(address)):
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
        with self._errors(str(address)):
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
        with self._errors(str(address)):
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
            live = {self._store.key(path) for path in _all_files(table)}
        return [k for k in self._store.keys(address.key("data")) if k not in live]

    @contextmanager
    def _errors(self, where: str) -> Iterator[None]:
        from pyiceberg.exceptions import (  # noqa: PLC0415 - 1.3 s to import
            CommitFailedException,
            NoSuchTableError,
            TableAlreadyExistsError,
            ValidationException,
        )

        try:
            with self._refusals(where), store_errors(where):
                yield
        except (CommitFailedException, TableAlreadyExistsError, ValidationException) as error:
            what = "another writer changed the table; nothing was committed"
            raise CatalogError(what, where=where, hint="run again") from error
        except NoSuchTableError as error:
            hint = "cityline run makes it"
            raise CatalogError("no such table", where=where, hint=hint) from error

    def _catalog(self) -> Catalog:
        if self._loaded is None:
            self._loaded = self._open(
                {
                    "warehouse": self._store.locate("").rstrip("/"),
                    "py-io-impl": "cityline.adapters.formats.tablefiles.StoreFiles",
                    "cityline.store": cast("str", self._store),
                }
            )
        return self._loaded

    def _load(self, address: Address) -> Table:
        return self._catalog().load_table(self._identifier(address))

    def _ensure(self, address: Address, written: Written, partition_by: Sequence[str]) -> Table:
        catalog = self._catalog()
        identifier = self._identifier(address)
        if catalog.table_exists(identifier):
            return catalog.load_table(identifier)
        self._namespace(catalog, identifier[0])
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
        key = self._store.key(entry["file_path"])
        return DataFile(key, entry["record_count"], entry["file_size_in_bytes"])


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
