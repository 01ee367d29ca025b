"""The table catalogue: commits data files as a table's next version and lists older ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cityline.lake.address import Address
from cityline.lake.version import Version
from cityline.ports.engine import Written


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One past version of a table: its id, when it was committed (ISO 8601 UTC) and its rows."""

    id: str
    committed_at: str
    rows: int
    run: str


class Catalog(Protocol):
    """Iceberg tables by address. Raises CatalogError."""

    def commit(
        self,
        address: Address,
        written: Written,
        *,
        partition_by: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
    ) -> Version:
        """Replace the table's rows by the candidate's files, in one transaction."""
        ...

    def version(self, address: Address, snapshot: str | None = None) -> Version:
        """The files of a snapshot (the newest when none is named)."""
        ...

    def snapshots(self, address: Address) -> list[Snapshot]:
        """Past versions, newest first; a table that does not exist has none."""
        ...

    def expire(self, address: Address, keep: int, protected: frozenset[str]) -> list[str]:
        """Drop all but the newest `keep` snapshots and those protected; returns files no longer
        needed by any snapshot, as store keys."""
        ...
