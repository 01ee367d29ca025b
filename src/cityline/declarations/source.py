"""A source: where a dataset comes from and the contract of what it should look like."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cityline.declarations.reading import Declared, nearest

FieldType = Literal["text", "integer", "decimal", "month", "date", "timestamp"]


class Format(Declared):
    """How the bytes are laid out. `max_bytes` caps a pull, `max_field_bytes` a single cell."""

    delimiter: Literal[";", ",", "\t", "|"] = ";"
    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    max_bytes: Annotated[int, Field(gt=0)] = 500_000_000
    max_field_bytes: Annotated[int, Field(gt=0)] = 1_000_000


class SourceField(Declared):
    """One column: its name here, the label in the file's header, and its type."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    label: str
    type: FieldType
    required: bool = False
    description: str = ""
    row_number: bool = False
    """True for a column that only numbers the rows of an extract; never a key."""


class Volume(Declared):
    """How many rows to expect. Shares compare a pull with the one before."""

    min_rows: Annotated[int, Field(ge=0)] = 1
    max_shrink: Annotated[float, Field(ge=0, le=1)] = 0.02
    """A pull that lost more than this share of the rows of the last one is refused."""
    count_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How far the rows may be from the portal's own count, as a share of it."""


class Source(Declared):
    """`sources/<name>.toml`. Only a signed source is pulled."""

    name: str
    status: Literal["draft", "signed"]
    signed_by: str = ""
    title: str
    description: str = ""
    portal: str
    dataset: str
    licence: str
    licence_url: str = ""
    attribution: str
    cadence: Literal["daily", "weekly", "monthly", "yearly", "irregular"]
    grain: tuple[str, ...]
    measure: str | None = None
    collection_began: date | None = None
    """First day with data; a first period that began before it is incomplete."""
    format: Format = Format()
    volume: Volume = Volume()
    fields: Annotated[tuple[SourceField, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _columns_exist(self) -> Self:
        names = [f.name for f in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        wanted = (*self.grain, self.measure) if self.measure else self.grain
        for column in wanted:
            if column not in names:
                raise ValueError(f"{column!r} is not a field; {nearest(column, names)}")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all fields, in the file's order."""
        return tuple(f.name for f in self.fields)
