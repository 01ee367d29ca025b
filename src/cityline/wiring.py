"""From declarations and an environment to an opened city: the only place that chooses adapters."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from cityline.declarations.folder import Folder, read_folder
from cityline.errors import UsageError
from cityline.flow.parts import Parts

if TYPE_CHECKING:
    from cityline.adapters.portals.sample import SamplePortal
    from cityline.declarations.environment import Environment
    from cityline.declarations.source import Source
    from cityline.flow.console import Console
    from cityline.flow.doctoring import Finding
    from cityline.flow.serving import Service
    from cityline.ports.engine import Engine
    from cityline.ports.portal import Portal
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
) -> Parts:
    """Choose the adapters for a folder that has been read."""
    from cityline.adapters.formats.figures import VegaFigures  # noqa: PLC0415 - heavy
    from cityline.adapters.local.catalog import IcebergCatalog  # noqa: PLC0415
    from cityline.adapters.local.engine import DuckEngine  # noqa: PLC0415
    from cityline.adapters.local.journal import FileJournal  # noqa: PLC0415
    from cityline.adapters.local.ledger import SqliteLedger  # noqa: PLC0415

    settings = folder.environment
    home = (home or folder.root / settings.home).absolute()
    store = _store(settings, home)
    work = home / "incoming"
    beyond = {settings.engine, settings.questions} != {"duckdb"}
    engines: dict[str, Callable[[], Engine]] = {
        "duckdb": cache(lambda: DuckEngine(store, settings.memory_limit, settings.threads, work)),
        "spark": cache(lambda: _spark(settings, store, home)),
        "trino": lambda: _trino(settings),
    }
    return Parts(
        folder=folder,
        home=home,
        store=store,
        catalog=IcebergCatalog(home, store, shared=beyond, name=settings.spark.catalog),
        engine=engines[settings.engine](),
        asking=engines[settings.questions](),
        ledger=SqliteLedger(home),
        journal=FileJournal(home),
        figures=VegaFigures(home / "cache" / "pictures"),
        portal=_portals(settings, portal, files),
        code=code_version(),
        accept=accept,
    )


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


def _spark(settings: Environment, store: Store, home: Path) -> Engine:
    from cityline.adapters.spark.bucket import bucket_settings  # noqa: PLC0415 - an extra
    from cityline.adapters.spark.engine import SparkEngine  # noqa: PLC0415
    from cityline.adapters.spark.session import Cluster  # noqa: PLC0415

    return SparkEngine(
        store,
        home / "incoming",
        Cluster(
            address=settings.spark.address,
            jars=Path(settings.spark.jars).absolute(),
            catalogue=home / "catalog.db",
            warehouse=store.locate("").rstrip("/"),
            memory=settings.memory_limit.lower().replace("gb", "g").replace("mb", "m"),
            partitions=settings.spark.partitions,
            extra=bucket_settings(settings.lake) if settings.lake else {},
            catalog=settings.spark.catalog,
        ),
    )


def _trino(settings: Environment) -> Engine:
    from cityline.adapters.trino.engine import Coordinator, TrinoEngine  # noqa: PLC0415 - an extra

    return TrinoEngine(Coordinator(**settings.trino.model_dump()))


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
