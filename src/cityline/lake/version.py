"""A version: what an address held at one moment, never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cityline.lake.address import Address


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a version: its store key, its rows and its size in bytes."""

    key: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Version:
    """An address at a moment.

    `id` is the content hash for bytes (raw, answers, site) and the Iceberg snapshot id, as text,
    for tables. `files` are the data files a reader needs, so reading asks no catalogue.
    """

    address: Address
    id: str
    rows: int
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Size of all files, in bytes."""
        return sum(f.bytes for f in self.files)

    @property
    def short(self) -> str:
        """The first seven characters of the id, as people quote it."""
        return self.id[:7]

    def to_json(self) -> dict[str, Any]:
        """A plain object for receipts."""
        return {
            "address": str(self.address),
            "id": self.id,
            "rows": self.rows,
            "files": [[f.key, f.rows, f.bytes] for f in self.files],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        files = tuple(DataFile(key, rows, size) for key, rows, size in data["files"])
        return cls(Address.parse(data["address"]), data["id"], data["rows"], files)
