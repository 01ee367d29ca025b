"""What a step made, and what the steps before it made in this run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cityline.errors import StepError
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Receipt
from cityline.lake.version import Version

_DATA = (Zone.RAW, Zone.LANDING, Zone.CURATED, Zone.ANSWERS)


@dataclass(frozen=True, slots=True)
class Made:
    """A step's outcome. `unchanged` says why nothing new was made, or is empty."""

    versions: tuple[Version, ...]
    rows_in: int
    rows_out: int
    generated: bool
    details: Mapping[str, Any] = field(default_factory=dict)
    unchanged: str = ""


class Done:
    """Receipts of the steps that stand: their versions by address, their details by step."""

    def __init__(self, receipts: Iterable[Receipt] = ()) -> None:
        self.receipts: dict[str, Receipt] = {}
        self._versions: dict[str, Version] = {}
        for receipt in receipts:
            self.add(receipt)

    def add(self, receipt: Receipt) -> None:
        """Let later steps see what this one wrote."""
        self.receipts[receipt.step] = receipt
        self._versions |= {str(v.address): v for v in receipt.versions}

    def version(self, address: Address | str) -> Version:
        """What an address holds now. Raises StepError when no step wrote it."""
        found = self._versions.get(str(address))
        if found is None:
            hint = "cityline run makes it; cityline check says whether it is declared"
            raise StepError("nothing has been written there yet", where=str(address), hint=hint)
        return found

    def details(self, step: str) -> Mapping[str, Any]:
        """What a step wrote down beside its versions."""
        receipt = self.receipts.get(step)
        if receipt is None:
            raise StepError("the step has not been done yet", where=step, hint="cityline run")
        return receipt.details

    def tables(self) -> dict[str, Version]:
        """Every table by the name SQL uses."""
        zones = ("landing", "quarantine", "curated")
        return {v.address.table: v for a, v in self._versions.items() if a.startswith(zones)}

    @property
    def snapshot(self) -> str:
        """The id of this state's data: the hash of every version but the site's own pages."""
        versions = sorted(
            f"{a}@{v.id}" for a, v in self._versions.items() if v.address.zone in _DATA
        )
        return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]

    @property
    def generated(self) -> bool:
        """Whether any input was generated."""
        return any(r.generated for r in self.receipts.values())
