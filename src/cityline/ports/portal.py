"""An open-data portal: search it, describe a dataset, stream an export to a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PortalField:
    """A column as the portal describes it; `type` is the portal's own word."""

    name: str
    label: str
    type: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as the portal describes it.

    Texts are cleaned of zero-width characters. `records_count` is None when nobody has counted.
    `data_processed` is ISO 8601 with offset, or "".
    `generated` is true when the portal says that its data are generated, not the City's.
    `metadata` is the portal's answer as received, to be sealed beside the data.
    """

    id: str
    title: str
    description: str
    licence: str
    fields: tuple[PortalField, ...]
    records_count: int | None
    data_processed: str
    modified: str
    address: str
    generated: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """An export on disk: where it came from, how long, its SHA-256 and the response's headers."""

    path: Path
    url: str
    bytes: int
    sha256: str
    content_type: str
    headers: Mapping[str, str]


class Portal(Protocol):
    """Where a source's bytes come from.

    Every method raises SourceUnreachable, SourceQuota, SourceRefused or SourceDamaged.
    """

    def search(self, text: str, limit: int) -> tuple[int, list[Dataset]]:
        """Datasets matching a text, best first, and how many match in all."""
        ...

    def describe(self, dataset: str) -> Dataset:
        """One dataset's fields, counts, licence and times."""
        ...

    def export(self, dataset: str, into: Path, max_bytes: int) -> Download:
        """Stream the whole table as CSV into the file `into`.

        Raises SourceDamaged when the body would pass `max_bytes` (decoded) or is cut short.
        """
        ...
