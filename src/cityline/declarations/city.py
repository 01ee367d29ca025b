"""A city: its names, language, time zone, fiscal year, and the events every reader should know."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from cityline.declarations.reading import Declared


class Event(Declared):
    """Something that changed what the figures mean, shown as a note where a period spans it."""

    date: date
    title: str
    note: str = ""


class City(Declared):
    """`city.toml`. `fiscal_year_first_month` is 1 for January."""

    name: str
    title: str
    languages: Annotated[tuple[Literal["en", "fr"], ...], Field(min_length=1)] = ("en",)
    """The first is the one the declarations are written in; others have a file in `languages/`."""
    time_zone: str
    fiscal_year_first_month: Annotated[int, Field(ge=1, le=12)] = 1
    contact: str = ""
    address: str = ""
    """Where the public site stands, for feeds, exports and pictures; empty while it has none."""
    publish: Literal["public", "internal"] = "public"
    """Whether there is a bundle for everybody at all, or only the one for people signed in."""
    events: tuple[Event, ...] = ()

    @property
    def language(self) -> str:
        """The language the declarations are written in."""
        return self.languages[0]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name
