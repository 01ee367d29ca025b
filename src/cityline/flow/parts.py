"""What a run works with: a city's declarations and the adapters somebody chose for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cityline.declarations.folder import Folder
from cityline.declarations.source import Source
from cityline.ports.catalog import Catalog
from cityline.ports.engine import Engine
from cityline.ports.figures import Figures
from cityline.ports.journal import Journal
from cityline.ports.ledger import Ledger
from cityline.ports.portal import Portal
from cityline.ports.store import Store


@dataclass(frozen=True, slots=True)
class Parts:
    """An opened city. `engine` prepares and structures, `asking` answers questions, `trial` is
    DuckDB on this machine, where SQL is tried before there are any data.

    `home` holds the ledger, the site and, unless it is in a bucket, the lake; `code` is the hash of
    the program, so that a changed program runs its steps again. `accept` is a person's reason to
    take a dataset that shrank.
    """

    folder: Folder
    home: Path
    store: Store
    catalog: Catalog
    engine: Engine
    asking: Engine
    trial: Engine
    ledger: Ledger
    journal: Journal
    figures: Figures
    portal: Callable[[Source], Portal]
    code: str
    accept: str = ""

    @property
    def site(self) -> Path:
        """Where releases of the site lie; `site/current` is the one readers see."""
        return self.home / "site"
