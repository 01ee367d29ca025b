"""A job that has a session already, as on Glue: Cityline works beside it, on its catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.wiring import open_city
from tests.buckets import same_tables
from tests.conformance.conftest import engines_are_there
from tests.conformance.test_city import structured, told_otherwise
from tests.conftest import Ran, copy_vancouver

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(1800)]

ENVIRONMENT = """kind = "local"
engine = "spark"

[spark]
address = ""
partitions = 2
catalog = "{catalog}"
"""

JOB = """
import json, sys
from pathlib import Path
from pyspark.sql import SparkSession

city, home, jars, portal = sys.argv[1:]
named = "spark.sql.catalog.glue_catalog"
spark = (
    SparkSession.builder.appName("a job of its own")
    .master("local[2]")
    .config("spark.jars", jars)
    .config("spark.ui.enabled", "false")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.memory", "2g")
    .config("spark.sql.session.timeZone", "America/Vancouver")
    .config(named, "org.apache.iceberg.spark.SparkCatalog")
    .config(f"{named}.type", "jdbc")
    .config(f"{named}.uri", f"jdbc:sqlite:{home}/catalog.db")
    .config(f"{named}.warehouse", f"{home}/lake")
    .config(f"{named}.jdbc.init-catalog-tables", "false")
    .getOrCreate()
)
spark.conf.set(f"{named}.cache-enabled", "false")  # after it began, as notebooks do

from cityline.errors import CitylineError
from cityline.flow.run import run
from cityline.wiring import open_city

told = {}
try:
    open_city(Path(city), environment="elsewhere", portal=portal).engine.query("SELECT 1 AS a", {})
except CitylineError as error:
    told["elsewhere"] = [error.what, error.hint]
parts = open_city(Path(city), environment="job", home=Path(home), portal=portal)
run(parts, lambda *_: None, until="structure")
told["zone"] = spark.conf.get("spark.sql.session.timeZone")
told["views"] = [v.name for v in spark.catalog.listTables()]
told["calendar"] = spark.sql("SELECT count(*) FROM glue_catalog.curated.calendar").collect()[0][0]
print(json.dumps(told))
"""


def test_a_job_with_a_session_of_its_own(ran: Ran, portal: SamplePortal, tmp_path: Path) -> None:
    engines_are_there()
    from tests.conformance.servers import spark_jars  # noqa: PLC0415 - an extra

    city, home, script = (
        copy_vancouver(tmp_path / "city", whole=True),
        tmp_path / "home",
        tmp_path / "job.py",
    )
    (home / "lake").mkdir(parents=True)
    for name, catalog in (("job", "glue_catalog"), ("elsewhere", "nowhere")):
        text = ENVIRONMENT.format(catalog=catalog)
        (city / "environments" / f"{name}.toml").write_text(text, "utf-8")
    script.write_text(JOB, "utf-8")
    jars = ",".join(map(str, spark_jars().glob("*.jar")))
    made = subprocess.run(
        [sys.executable, script, city, home, jars, portal.base_url],
        capture_output=True, text=True, check=False, timeout=1700,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-3000:]
    told = json.loads(made.stdout.splitlines()[-1])

    what, hint = told["elsewhere"]
    assert "no catalogue 'nowhere'" in what
    assert "spark.sql.catalog.nowhere" in hint
    assert told["zone"] == "America/Vancouver"  # the job's own session is as it was
    assert told["views"] == []

    parts = open_city(city, environment="job", home=home, portal=portal.base_url)
    done = structured(parts)  # nothing is to be done, so no Spark is opened here
    same_tables((parts, done), (ran.parts, ran.done))
    assert told_otherwise(ran, done) == []
    assert told["calendar"] == done.tables()["curated.calendar"].rows
