"""An environment: where the city runs. The local one needs no account."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import Field, field_validator

from cityline.declarations.reading import Declared


class Http(Declared):
    """How long and how often a portal is asked, in seconds and attempts."""

    deadline: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5


class Oidc(Declared):
    """Sign-in by another service. `roles` maps what its `role_claim` says to a role, the first
    that fits wins; the client's secret is taken from CITYLINE_OIDC_SECRET. `issuer` is its address
    exactly as it names itself."""

    issuer: str
    client_id: str
    scope: str = "openid profile email"
    name_claim: str = "email"
    role_claim: str = "groups"
    roles: dict[str, Literal["viewer", "analyst", "steward", "admin", "auditor"]]


class Serve(Declared):
    """How `cityline serve` lets people in. `hosts` are the names it answers to; `networks` the only
    ones that may ask, in CIDR form, all when empty."""

    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    networks: tuple[str, ...] = ()
    session_idle_minutes: Annotated[float, Field(gt=0)] = 30.0
    session_hours: Annotated[float, Field(gt=0)] = 12.0
    query_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    query_memory_mb: Annotated[int, Field(ge=64)] = 1024
    oidc: Oidc | None = None

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, found: tuple[str, ...]) -> tuple[str, ...]:
        for network in found:
            ip_network(network)
        return found


class SparkAt(Declared):
    """Where Spark is. `address` is `local[*]`, a cluster's master, `sc://host:port` for Spark
    Connect, or empty for the session that this process has, as in a Glue job. `jars` is the folder
    of the Iceberg runtime, relative to where the command runs. `catalog` is the catalogue's name,
    in Spark and in the lake's own file: tables made under another name are not seen."""

    address: str = "local[*]"
    catalog: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "cityline"
    jars: str = "build/engines/spark-3.5"
    partitions: Annotated[int, Field(ge=1)] = 8


class TrinoAt(Declared):
    """Where Trino answers, and what its catalogue over the lake is called."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    user: str = "cityline"
    catalog: str = "cityline"
    tls: bool = False


class Environment(Declared):
    """`environments/<name>.toml`. `home` is relative to the city's folder."""

    name: str
    kind: Literal["local"]
    engine: Literal["duckdb", "spark"] = "duckdb"
    """What prepares and structures."""
    questions: Literal["duckdb", "trino", "spark"] = "duckdb"
    """What answers questions, over the same tables."""
    spark: SparkAt = SparkAt()
    trino: TrinoAt = TrinoAt()
    home: str = ".cityline"
    memory_limit: str = "4GB"
    threads: Annotated[int, Field(ge=0)] = 0
    """0 uses all cores."""
    keep_snapshots: Annotated[int, Field(ge=2)] = 24
    keep_releases: Annotated[int, Field(ge=2)] = 6
    http: Http = Http()
    serve: Serve = Serve()
