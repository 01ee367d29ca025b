"""From declarations and an environment to an opened city: the only place that chooses adapters."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from cityline.declarations.folder import Folder, read_folder
from cityline.errors import DeclarationError, Problem, UsageError
from cityline.flow.parts import Parts

if TYPE_CHECKING:
    from cityline.adapters.aws.engine import AthenaEngine
    from cityline.adapters.aws.queries import Workgroup
    from cityline.adapters.portals.sample import SamplePortal
    from cityline.declarations.environment import Environment
    from cityline.declarations.source import Source
    from cityline.deploy.estate import Estate
    from cityline.deploy.naming import Names
    from cityline.flow.console import Console
    from cityline.flow.doctoring import Finding
    from cityline.flow.remote import Way
    from cityline.flow.serving import Service
    from cityline.lake.address import Address
    from cityline.ports.catalog import Catalog
    from cityline.ports.engine import Engine
    from cityline.ports.journal import Journal
    from cityline.ports.ledger import Ledger
    from cityline.ports.portal import Portal
    from cityline.ports.stacks import Leftovers, Stacks
    from cityline.ports.store import Store


def open_city(
    root: Path,
    *,
    environment: str = "local",
    home: Path | None = None,
    portal: str = "",
    files: Path | None = None,
    accept: str = "",
) -> Parts:
    """Open a city's folder where an environment says it runs.

    `home` overrides the environment's; `portal` a base address that replaces every source's;
    `files` a file or folder to take sources from instead of a portal. Raises DeclarationError.
    """
    return assemble(
        read_folder(root, environment), home=home, portal=portal, files=files, accept=accept
    )


def assemble(
    folder: Folder,
    *,
    home: Path | None = None,
    portal: str = "",
    files: Path | None = None,
    accept: str = "",
    stage: str = "",
    copies: bool = False,
) -> Parts:
    """Choose the adapters of a folder that was read. `stage` and `copies` matter on AWS alone."""
    from cityline.adapters.formats.figures import VegaFigures  # noqa: PLC0415 - heavy
    from cityline.adapters.local.engine import DuckEngine  # noqa: PLC0415

    settings, home = folder.environment, own_home(folder, home)
    here = settings.kind == "local"
    kept = _here(settings, home) if here else _there(settings, home, stage, copies=copies)
    duck = DuckEngine(kept.store, settings.memory_limit, settings.threads, home / "incoming")
    asks_in = "" if copies else _asks_in(folder, stage)  # Athena and its tables are at home
    engines: dict[str, Callable[[], Engine]] = {
        "duckdb": lambda: duck,
        "spark": cache(lambda: _spark(settings, kept.store, home, kept.table)),
        "trino": lambda: _trino(settings),
        "athena": lambda: cloud_engine(folder, asks_in) if asks_in else duck,
    }
    return Parts(
        folder=folder,
        home=home,
        store=kept.store,
        catalog=kept.catalog,
        engine=engines[settings.engine](),
        asking=engines[settings.questions](),
        trial=duck,
        ledger=kept.ledger,
        journal=kept.journal,
        figures=VegaFigures(home / "cache" / "pictures"),
        portal=_portals(settings, portal, files),
        code=code_version(),
        accept=accept,
    )


@dataclass(frozen=True)
class _Kept:
    """Where a city's things are kept, and what the catalogue calls a table."""

    store: Store
    catalog: Catalog
    ledger: Ledger
    journal: Journal
    table: Callable[[Address], str]


def own_home(folder: Folder, home: Path | None = None) -> Path:
    """Where this machine keeps what is its own; what it knows of AWS lies apart from its lake."""
    if home is not None:
        return home.absolute()
    settings = folder.environment
    apart = "" if settings.kind == "local" else f"-{settings.name}"
    return (folder.root / f"{settings.home}{apart}").absolute()


def _here(settings: Environment, home: Path) -> _Kept:
    """All in the home, but for the lake when it is in a bucket."""
    from cityline.adapters.local.catalog import IcebergCatalog  # noqa: PLC0415
    from cityline.adapters.local.journal import FileJournal  # noqa: PLC0415
    from cityline.adapters.local.ledger import SqliteLedger  # noqa: PLC0415

    store = _store(settings, home)
    beyond = {settings.engine, settings.questions} != {"duckdb"}
    catalog = IcebergCatalog(home, store, shared=beyond, name=settings.spark.catalog)
    return _Kept(store, catalog, SqliteLedger(home), FileJournal(home), attrgetter("table"))


def _there(settings: Environment, home: Path, stage: str, *, copies: bool) -> _Kept:
    """A bucket for each zone, Glue's catalogue, and the ledger beside the curated tables. `stage`
    is what a job does, and so where it may write, or `serve`; `copies` reads the second region's
    buckets: the ledger there tells the files of every version, without the catalogue."""
    from cityline.adapters.aws.catalog import GlueTables  # noqa: PLC0415 - an extra
    from cityline.adapters.aws.clients import account  # noqa: PLC0415
    from cityline.adapters.aws.journal import JobLog  # noqa: PLC0415
    from cityline.adapters.aws.ledger import S3Ledger  # noqa: PLC0415
    from cityline.adapters.aws.store import S3Store  # noqa: PLC0415
    from cityline.declarations.access import AccessZone, zone_of  # noqa: PLC0415
    from cityline.declarations.environment import Lake  # noqa: PLC0415
    from cityline.deploy.jobs import written_by  # noqa: PLC0415
    from cityline.lake.address import Zone  # noqa: PLC0415

    names = _names(settings)
    region = names.region(replica=copies)
    number = account(region)
    buckets = {z: names.bucket_of(z, number, replica=copies) for z in AccessZone}
    places = {z.value: buckets[zone_of(z)] for z in Zone}
    places["scratch"] = buckets[written_by(stage)]
    lake = Lake(address=f"s3://{buckets[AccessZone.CURATED]}", region=region)
    store = S3Store(lake, home / "cache" / ("copies" if copies else "lake"), places)
    tables = {z: names.database(zone_of(z)) for z in (Zone.LANDING, Zone.QUARANTINE, Zone.CURATED)}
    catalog = GlueTables(store, names.home, tables)
    return _Kept(store, catalog, S3Ledger(store), JobLog(), catalog.table)


def _names(settings: Environment) -> Names:
    """What everything is called on AWS."""
    from cityline.deploy.naming import Names  # noqa: PLC0415 - only for AWS

    aws = settings.aws
    if aws is None:  # the declaration has seen to it
        raise UsageError("the environment has no table [aws]", where=settings.name)
    return Names(aws.prefix, aws.home_region, aws.replica_region)


def open_way(folder: Folder) -> Way:
    """The jobs on AWS that do a city's way, in order."""
    from cityline.adapters.aws.jobs import GlueJobs  # noqa: PLC0415 - an extra
    from cityline.deploy.jobs import WAY as roles  # noqa: N811, PLC0415
    from cityline.deploy.jobs import part_of  # noqa: PLC0415
    from cityline.flow.remote import Way  # noqa: PLC0415

    names = _names(folder.environment)
    return Way(GlueJobs(names.home), {part_of(role): names.job(role) for role in roles})


def declared_city(named: str, environment: str, work: Path) -> Folder:
    """A city's declarations where a job finds them: those that come with the program, by name, or
    a zip of the city's folder in a bucket, by its address."""
    if not named.startswith("s3://"):
        return read_folder(shipped_city(named), environment)
    from cityline.adapters.aws.store import S3Store  # noqa: PLC0415 - an extra
    from cityline.declarations.environment import Lake  # noqa: PLC0415
    from cityline.deploy.code import unpacked  # noqa: PLC0415

    bucket, _, key = named.removeprefix("s3://").partition("/")
    store = S3Store(Lake(address=f"s3://{bucket}"), work / "code")
    return read_folder(unpacked(store.fetch(key), work / "city"), environment)


def open_estate(root: Path, environment: str = "aws") -> Estate:
    """What a city's templates are made of. Raises DeclarationError, also for data that may not lie
    where the environment would put it."""
    from cityline.adapters.local.engine import DuckEngine  # noqa: PLC0415 - heavy
    from cityline.adapters.local.store import FolderStore  # noqa: PLC0415
    from cityline.deploy.estate import Estate  # noqa: PLC0415 - only those who deploy need it
    from cityline.flow.checking import compiled, policies  # noqa: PLC0415
    from cityline.flow.shapes import shapes  # noqa: PLC0415

    folder = read_folder(root, environment)
    plans, problems = compiled(folder)
    engine = DuckEngine(FolderStore(folder.root / folder.environment.home / "lake"))
    found = shapes(folder, plans, engine)
    problems += [*policies(folder), *found.problems]
    if problems:
        raise DeclarationError(problems)
    curated = {name: kinds for name, kinds in found.types.items() if name.startswith("curated.")}
    return Estate(folder, curated)


def open_portal(base: str, settings: Environment) -> Portal:
    """A client for an Explore API address. The key is taken from CITYLINE_PORTAL_KEY when set."""
    from pydantic import SecretStr  # noqa: PLC0415 - heavy

    from cityline.adapters.portals.http import Timing  # noqa: PLC0415 - httpx is heavy
    from cityline.adapters.portals.opendatasoft import (  # noqa: PLC0415
        OpendatasoftPortal,
        Settings,
    )

    key = os.environ.get("CITYLINE_PORTAL_KEY")
    timing = Timing(deadline=settings.http.deadline, attempts=settings.http.attempts)
    return OpendatasoftPortal(Settings(base, timing, SecretStr(key) if key else None))


def cloud_stacks() -> Stacks:
    """AWS's stacks, with the credentials every AWS program finds."""
    from cityline.adapters.aws.stacks import CloudFormation  # noqa: PLC0415 - an extra

    return CloudFormation()


def cloud_leftovers() -> Leftovers:
    """What AWS's stacks leave behind, with the same credentials."""
    from cityline.adapters.aws.leftovers import Leftovers  # noqa: PLC0415 - an extra

    return Leftovers()


def sample_portal(today: date | None = None, port: int = 0) -> AbstractContextManager[SamplePortal]:
    """The built-in portal of generated data, served over loopback HTTP while the context lasts."""
    from cityline.adapters.portals.sample import SamplePortal  # noqa: PLC0415 - numpy is heavy

    return SamplePortal(today=today, port=port)


def shipped_city(name: str) -> Path:
    """The folder of a city that comes with the program.

    Raises UsageError for a city that does not.
    """
    packaged = Path(str(resources.files("cityline"))) / "cities"
    checkout = Path(__file__).resolve().parents[2] / "cities"
    base = packaged if packaged.is_dir() else checkout
    path = base / name
    if not (path / "city.toml").is_file():
        known = ", ".join(sorted(p.name for p in base.iterdir() if p.is_dir()))
        raise UsageError(f"no city {name!r} comes with cityline", hint=f"known: {known}")
    return path


def served(parts: Parts) -> tuple[Service, Console, Callable[[], list[Finding]]]:
    """What a server asks: pages and files, the console's facts, and the doctor."""
    from cityline.flow.console import Console  # noqa: PLC0415 - only a server needs it
    from cityline.flow.doctoring import examine  # noqa: PLC0415
    from cityline.flow.serving import Service  # noqa: PLC0415

    return Service(parts), Console(parts), lambda: examine(parts)


def _store(settings: Environment, home: Path) -> Store:
    """The home's own folder, or a bucket with a cache in the home."""
    if settings.lake is None:
        from cityline.adapters.local.store import FolderStore  # noqa: PLC0415

        return FolderStore(home / "lake")
    from cityline.adapters.aws.store import S3Store  # noqa: PLC0415 - an extra

    return S3Store(settings.lake, home / "cache" / "lake")


def _spark(
    settings: Environment, store: Store, home: Path, table: Callable[[Address], str]
) -> Engine:
    """Spark at its address; on AWS the session that the job has."""
    from cityline.adapters.spark.bucket import bucket_settings  # noqa: PLC0415 - an extra
    from cityline.adapters.spark.engine import SparkEngine  # noqa: PLC0415
    from cityline.adapters.spark.session import Cluster  # noqa: PLC0415

    return SparkEngine(
        store,
        home / "incoming",
        Cluster(
            address=settings.spark.address if settings.kind == "local" else "",
            jars=Path(settings.spark.jars).absolute(),
            catalogue=home / "catalog.db",
            warehouse=store.locate("").rstrip("/"),
            memory=settings.memory_limit.lower().replace("gb", "g").replace("mb", "m"),
            partitions=settings.spark.partitions,
            extra=bucket_settings(settings.lake) if settings.lake else {},
            catalog=settings.spark.catalog,
            table=table,
        ),
    )


def _trino(settings: Environment) -> Engine:
    from cityline.adapters.trino.engine import Coordinator, TrinoEngine  # noqa: PLC0415 - an extra

    return TrinoEngine(Coordinator(**settings.trino.model_dump()))


def cloud_engine(folder: Folder, asks_in: str = "") -> AthenaEngine:
    """Athena, in a workgroup of the access policy. Raises DeclarationError for one nobody has."""
    from cityline.adapters.aws.engine import AthenaEngine  # noqa: PLC0415 - an extra

    return AthenaEngine(workgroup(folder, asks_in))


def _asks_in(folder: Folder, stage: str) -> str:
    """The workgroup of a machine's role, nothing for one without: it answers from the tables that
    it may read. Whoever asks from here asks where the environment says."""
    aws = folder.environment.aws
    if not stage or aws is None:
        return aws.asks_in if aws else ""
    from cityline.deploy.jobs import role_of  # noqa: PLC0415 - only for AWS

    declared = folder.access.roles.get(role_of(stage)) if folder.access else None
    return declared.asks_in if declared else ""


def workgroup(folder: Folder, asks_in: str = "") -> Workgroup:
    """Where queries are asked: of what is asked from here, or a named workgroup."""
    from cityline.adapters.aws.queries import Workgroup  # noqa: PLC0415 - an extra
    from cityline.declarations.access import AccessZone  # noqa: PLC0415
    from cityline.declarations.reading import nearest  # noqa: PLC0415
    from cityline.deploy.estate import Estate  # noqa: PLC0415 - only those who deploy need it
    from cityline.deploy.prices import price  # noqa: PLC0415
    from cityline.lake.cost import Rate  # noqa: PLC0415

    estate = Estate(folder, {})
    settings, names = estate.settings, estate.names
    wanted = asks_in or settings.asks_in
    known = sorted({r.asks_in for r in estate.access.roles.values() if r.asks_in})
    if wanted not in known:
        file = f"environments/{folder.environment.name}.toml"
        told = f"no role of the access policy asks in {wanted!r}"
        raise DeclarationError([Problem(file, "aws.asks_in", told, nearest(wanted, known))])
    row = price("athena-scan", settings.home_region)
    zones = (AccessZone.LANDING, AccessZone.CURATED, AccessZone.TRAIL)
    return Workgroup(
        name=names.workgroup(wanted),
        region=settings.home_region,
        databases={z.value: names.database(z) for z in zones},
        rate=Rate(Decimal(str(row.tiers[0][1])), row.date, row.basis),
        seconds=settings.query_seconds,
        reuse_minutes=settings.reuse_minutes,
    )


@cache
def code_version() -> str:
    """A hash of the program's own files: a changed program runs its steps again."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        relative = path.relative_to(package)
        if path.is_file() and "__pycache__" not in relative.parts and relative.parts[0] != "cities":
            digest.update(relative.as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _portals(
    settings: Environment, override: str, files: Path | None
) -> Callable[[Source], Portal]:
    @cache
    def client(base: str) -> Portal:
        return open_portal(base, settings)

    def choose(source: Source) -> Portal:
        named = files is not None and (files.is_dir() or source.dataset in files.stem)
        if files is not None and named:
            from cityline.adapters.portals.files import FilesPortal  # noqa: PLC0415

            return FilesPortal(files)
        return client(override or source.portal)

    return choose
