"""An environment: where the city runs. The local one needs no account."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from cityline.declarations.reading import Declared
from cityline.declarations.schedules import cron_fault


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


class Lake(Declared):
    """A bucket for the zones and tables; without it they lie in the folder `lake` of the home.

    `address` is `s3://bucket` or `s3://bucket/prefix`. `endpoint` is for servers other than
    Amazon's that speak S3, and must be https unless it is this machine. `kms_key` encrypts what is
    written; without it the bucket's own rule holds. `deadline` is how long one request is tried, in
    seconds. Credentials are never written here: they come from the environment, a profile or the
    machine's role, as every AWS program finds them.
    """

    address: Annotated[
        str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._=-]+)*$")
    ]
    endpoint: str = ""
    region: str = ""
    path_style: bool = False
    kms_key: str = ""
    deadline: Annotated[float, Field(gt=0, le=3600)] = 60.0

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self.address.split("/")[2]

    @property
    def prefix(self) -> str:
        """What every key begins with, without a slash at its end; nothing for a whole bucket."""
        return "/".join(self.address.split("/")[3:])

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if ".." in self.prefix.split("/"):
            raise ValueError("address may not step up with ..")
        if self.endpoint:
            _check_endpoint(self.endpoint)
        return self


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("endpoint must be https://host, or http:// on this machine")
    if parts.username or parts.password:
        raise ValueError("credentials never stand in endpoint: see the environment's variables")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError("endpoint must be https unless it is this machine")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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


class Usage(Declared):
    """A month's use of AWS, to estimate its charge. Sizes in gigabytes; `query_mb` is what one
    question scans, `rewritten_share` the part of what is stored that is written anew each month."""

    stored_gb: Annotated[float, Field(ge=0)] = 5.0
    rewritten_share: Annotated[float, Field(ge=0)] = 1.0
    runs: Annotated[int, Field(ge=0)] = 30
    job_minutes: Annotated[float, Field(ge=0)] = 5.0
    databrew_runs: Annotated[int, Field(ge=0)] = 1
    databrew_minutes: Annotated[float, Field(ge=0)] = 10.0
    queries: Annotated[int, Field(ge=0)] = 2000
    query_mb: Annotated[float, Field(ge=0)] = 10.0
    writes: Annotated[int, Field(ge=0)] = 50_000
    reads: Annotated[int, Field(ge=0)] = 500_000
    logs_gb: Annotated[float, Field(ge=0)] = 1.0
    readers_gb: Annotated[float, Field(ge=0)] = 20.0


class Usages(Declared):
    """What a month may look like: estimates are shown for all three."""

    low: Usage = Usage(runs=4, queries=200, stored_gb=1, writes=5_000, reads=50_000, readers_gb=2)
    expected: Usage = Usage()
    high: Usage = Usage(
        runs=90, queries=50_000, stored_gb=100, writes=500_000, reads=10_000_000, readers_gb=500,
        logs_gb=10, databrew_runs=4,
    )  # fmt: skip


PermissionSet = Annotated[str, Field(pattern=r"^[\w+=,.@-]{1,32}$")]
"""A permission set's name, as IAM Identity Center allows it."""


class Aws(Declared):
    """Where and how large the city is on AWS: regions, sizes and sums.

    Who may do what, and how long things are kept, is in `policies/`. Every resource's name begins
    with `prefix`.
    """

    prefix: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,23}[a-z0-9]$")]
    home_region: str = "ca-central-1"
    replica_region: str = "ca-west-1"
    alarm_email: str = ""
    """Who is told; confirmed by a link AWS sends. A parameter of the templates, not in them."""
    monthly_budget_usd: Annotated[float, Field(gt=0)] = 100.0
    domain: str = ""
    """The name readers type; a parameter of the templates, with its certificate."""
    certificate_arn: str = ""
    schedule: str = "cron(30 11 * * ? *)"
    """When the jobs start, in UTC, as Glue writes it."""
    glue_workers: Annotated[int, Field(ge=2, le=100)] = 2
    glue_worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    glue_minutes: Annotated[int, Field(ge=5, le=480)] = 60
    """After so many minutes a job is stopped."""
    query_cutoff_mb: Annotated[int, Field(ge=10)] = 1024
    """A query that would scan more is stopped by Athena."""
    asks_in: str = "analysis"
    """The workgroup of what is asked from here, an `asks_in` of the access policy."""
    query_seconds: Annotated[int, Field(ge=1, le=14_400)] = 300
    """After so long a query is cancelled."""
    reuse_minutes: Annotated[int, Field(ge=0, le=10_080)] = 60
    """A result younger than this may be given again instead of asking anew; 0 asks always."""
    sign_in: dict[str, tuple[PermissionSet, ...]] = Field(default_factory=dict)
    """For a role that people take on, the permission sets of IAM Identity Center whose sessions
    may; their identity provider asks for the second factor. Others show one to IAM."""
    instance_type: str = "t4g.small"
    vpc_cidr: str = "10.31.0.0/20"
    site: Literal["server", "static"] = "server"
    """How readers get the site: `cityline serve` behind a load balancer, or files from the edge."""
    usage: Usages = Usages()

    @field_validator("schedule")
    @classmethod
    def _is_a_schedule(cls, found: str) -> str:
        fault = cron_fault(found)
        if fault:
            raise ValueError(fault)
        return found

    @field_validator("vpc_cidr")
    @classmethod
    def _is_a_network(cls, found: str) -> str:
        if ip_network(found).prefixlen > 24:  # noqa: PLR2004 - four subnets of 64 addresses
            raise ValueError("a /24 or larger network is needed")
        return found

    @model_validator(mode="after")
    def _replica_is_elsewhere(self) -> Self:
        if self.home_region == self.replica_region:
            raise ValueError("the replica must be in another region than home")
        return self


class Environment(Declared):
    """`environments/<name>.toml`. `home` is relative to the city's folder; `kind = "aws"` needs a
    table `[aws]`."""

    name: str
    kind: Literal["local", "aws"]
    engine: Literal["duckdb", "spark"] = "duckdb"
    """What prepares and structures."""
    questions: Literal["duckdb", "trino", "spark", "athena"] = "duckdb"
    """What answers questions, over the same tables; `athena` is there in the kind aws alone."""
    lake: Lake | None = None
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
    aws: Aws | None = None

    @model_validator(mode="after")
    def _aws_is_described(self) -> Self:
        if self.kind == "aws" and self.aws is None:
            raise ValueError("an environment of kind aws needs a table [aws] with its prefix")
        if self.questions == "athena" and self.kind != "aws":
            raise ValueError("questions = athena needs an environment of kind aws")
        if self.aws is not None and self.aws.domain not in ("", *self.serve.hosts):
            raise ValueError(f"serve.hosts does not name the domain {self.aws.domain}")
        return self
