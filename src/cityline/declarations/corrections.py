"""Known errors in a source, each with a reason and an expectation, and rename maps."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from cityline.declarations.reading import Declared


class Correction(Declared):
    """One known error: rows where `column` reads `found` (and `when` holds) get `value`.

    `expect_rows` says how many rows should match, as [least, most]; outside it the step warns.
    """

    reason: str
    column: str
    found: str
    value: str
    when: dict[str, str] = Field(default_factory=dict)
    """Further columns that must have these values."""
    expect_rows: tuple[int, int] = (0, 1_000_000_000)


class Rename(Declared):
    """An old name and the one in use now; `evidence` says who says so (`inferred` when nobody)."""

    found: str
    now: str
    until: date | None = None
    evidence: str


class RenameMap(Declared):
    """Names of one column mapped into another: the published value stays, `into` is added."""

    column: str
    into: str
    unmapped: str = "keep"
    renames: Annotated[tuple[Rename, ...], Field(min_length=1)]


class Corrections(Declared):
    """`corrections/<source>.toml`; applied where the recipe names them."""

    name: str
    corrections: tuple[Correction, ...] = ()
    rename_maps: tuple[RenameMap, ...] = ()
