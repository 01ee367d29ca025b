"""An environment: where the city runs. The local one needs no account."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cityline.declarations.reading import Declared


class Http(Declared):
    """How long and how often a portal is asked, in seconds and attempts."""

    deadline: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5


class Environment(Declared):
    """`environments/<name>.toml`. `home` is relative to the city's folder."""

    name: str
    kind: Literal["local"]
    engine: Literal["duckdb"] = "duckdb"
    home: str = ".cityline"
    memory_limit: str = "4GB"
    threads: Annotated[int, Field(ge=0)] = 0
    """0 uses all cores."""
    keep_snapshots: Annotated[int, Field(ge=2)] = 24
    keep_releases: Annotated[int, Field(ge=2)] = 6
    http: Http = Http()
