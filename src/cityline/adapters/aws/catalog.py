"""Iceberg tables in AWS's Glue catalogue, which Spark, Athena and PyIceberg read alike.

Glue refuses an update of a table whose version is no longer the newest, so that of two writers one
is told and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cityline.adapters.aws.answers import cloud_errors
from cityline.adapters.aws.clients import client
from cityline.adapters.formats.iceberg import IcebergTables
from cityline.errors import CatalogError
from cityline.lake.address import Address, Zone
from cityline.ports.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog


class GlueTables(IcebergTables):
    """Implements `ports.catalog.Catalog` in the account's Glue catalogue. `databases` names the
    database of each zone with tables; the stacks make them."""

    def __init__(self, store: Store, region: str, databases: Mapping[Zone, str]) -> None:
        super().__init__(store)
        self._region = region
        self._databases = dict(databases)

    def table(self, address: Address) -> str:
        """What SQL on Glue calls an address's table: `database.name`."""
        return ".".join(self._identifier(address))

    def _identifier(self, address: Address) -> tuple[str, str]:
        zone, _, name = address.table.partition(".")
        database = self._databases.get(address.zone)
        if database is None:
            known = ", ".join(self._databases)
            told = f"the zone {zone} has no database"
            raise CatalogError(told, where=str(address), hint=f"zones with one: {known}")
        shared = list(self._databases.values()).count(database) > 1
        first = next(z for z, d in self._databases.items() if d == database)
        return database, name if not shared or address.zone is first else f"{zone}_{name}"

    def _namespace(self, catalog: Catalog, name: str) -> None:
        """The stacks make databases; one that is not there is not made in a wrong region."""
        catalog.load_namespace_properties(name)

    def _open(self, settings: Mapping[str, str]) -> Catalog:
        from pyiceberg.catalog.glue import GlueCatalog  # noqa: PLC0415 - 1.3 s to import

        return GlueCatalog("cityline", client=client("glue", self._region), **settings)

    @contextmanager
    def _refusals(self, where: str) -> Iterator[None]:
        from pyiceberg.exceptions import (  # noqa: PLC0415 - 1.3 s to import
            NoSuchIcebergTableError,
            NoSuchNamespaceError,
            NoSuchPropertyException,
        )

        at = f"{where} in the Glue catalogue of {self._region}"
        try:
            with cloud_errors(at):
                yield
        except NoSuchNamespaceError as error:
            hint = "is home_region right? cityline deploy aws apply makes the databases"
            raise CatalogError("no such database", where=at, hint=hint) from error
        except (NoSuchIcebergTableError, NoSuchPropertyException) as error:
            hint = "remove it in Glue, or choose another prefix"
            told = "a table of that name is there, which is not Iceberg's"
            raise CatalogError(told, where=at, hint=hint) from error
