"""How a chart looks and speaks: its colours, its numbers and its names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cityline.lake.wording import Wording, wording
from cityline.stages.visualise.palette import Palette, page_palette


@dataclass(frozen=True, slots=True)
class Look(Palette):
    """A palette with a language. `names` translates a column's values."""

    words: Wording
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def named(self, column: str, value: Any) -> Any:
        """A value in the language, where it has a translation."""
        known = self.names.get(column)
        return known.get(value, value) if known and isinstance(value, str) else value


def look(language: str = "en", names: Mapping[str, Mapping[str, str]] | None = None) -> Look:
    """The look of pages; files get its colours written out by `literal`."""
    colours = page_palette()
    plain = {name: getattr(colours, name) for name in Palette.__slots__}
    return Look(**plain, words=wording(language), names=names or {})
