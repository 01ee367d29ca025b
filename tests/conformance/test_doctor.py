"""The doctor, with Spark set up wrongly: each time exactly what is missing, and what to do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.spark.engine import SparkEngine
from cityline.adapters.spark.session import Cluster
from cityline.flow.doctoring import Finding, examine
from cityline.ports.engine import Engine
from cityline.wiring import open_city
from tests.conformance.conftest import engines_are_there
from tests.conftest import ROOT
from tests.ports import free_port

pytestmark = [pytest.mark.filterwarnings("ignore")]


class Doctor:
    """Looks at a city whose engine is Spark."""

    def __init__(self, home: Path, portal: SamplePortal) -> None:
        self.home = home
        self.parts = open_city(ROOT / "cities" / "vancouver", home=home, portal=portal.base_url)

    def says(self, engine: Engine) -> Finding:
        found = examine(replace(self.parts, engine=engine))
        assert [f.check for f in found if f.check != "engine" and not f.fine] == []
        return next(f for f in found if f.check == "engine")

    def at(self, address: str, jars: Path | None = None) -> Finding:
        store, jars = FolderStore(self.home / "lake"), jars or self.home
        cluster = Cluster(address, jars, self.home / "catalog.db", str(self.home / "lake"))
        return self.says(SparkEngine(store, self.home / "incoming", cluster))


@pytest.fixture
def doctor(tmp_path: Path, portal: SamplePortal) -> Doctor:
    return Doctor(tmp_path, portal)


@pytest.fixture
def jars() -> Path:
    engines_are_there()
    from tests.conformance.servers import spark_jars  # noqa: PLC0415 - an extra

    return spark_jars()


def test_without_pyspark(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pyspark", "pyspark.sql.types"):
        monkeypatch.setitem(sys.modules, name, None)
    found = doctor.at("local[1]")
    assert (found.fine, found.hint) == (False, "pip install 'cityline[spark]'")
    assert "not installed" in found.told


@pytest.mark.engines
def test_without_a_connect_client(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, jars: Path
) -> None:
    import socket  # noqa: PLC0415 - beside its only use

    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        found = doctor.at(f"sc://127.0.0.1:{other.getsockname()[1]}")
    assert (found.fine, found.hint) == (False, "pip install 'cityline[spark-connect]'")


@pytest.mark.engines
def test_without_java(doctor: Doctor, monkeypatch: pytest.MonkeyPatch, jars: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(doctor.home))
    found = doctor.at("local[1]", jars)
    assert not found.fine
    assert "Java is not there" in found.told
    assert "openjdk-17" in found.hint


@pytest.mark.engines
@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("11.0.2", "Java 11 is too old"),
        ("1.8.0_402", "Java 8 is too old"),
        ("what", "does not say its version"),
    ],
)
def test_with_another_java(
    version: str, says: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch, jars: Path
) -> None:
    java = doctor.home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n", "utf-8")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(doctor.home))
    found = doctor.at("local[1]", jars)
    assert not found.fine
    assert says in found.told
    assert "openjdk-17" in found.hint


@pytest.mark.engines
def test_without_jars_or_with_those_of_another_spark(doctor: Doctor, jars: Path) -> None:
    found = doctor.at("local[1]", doctor.home)
    assert not found.fine
    assert "Iceberg runtime for Spark" in found.told
    assert "python tools/engines/fetch.py" in found.hint
    (doctor.home / "iceberg-spark-runtime-2.4_2.12-1.0.0.jar").touch()
    assert "but iceberg-spark-runtime-2.4_2.12" in doctor.at("local[1]", doctor.home).told


@pytest.mark.engines
def test_with_a_closed_port(doctor: Doctor, jars: Path) -> None:
    found = doctor.at(f"sc://127.0.0.1:{free_port()}")
    assert not found.fine
    assert "no Spark Connect server answers" in found.told
    assert "is it running" in found.hint


@pytest.mark.engines
def test_with_a_spark_nobody_compared(
    doctor: Doctor, spark: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = doctor.says(spark)
    assert found.fine
    assert "warning" not in found.told
    monkeypatch.setattr("cityline.adapters.spark.engine.TESTED", ("9.9.9",))
    found = doctor.says(spark)
    assert found.fine
    assert "warning: compared were 9.9.9 only" in found.told
