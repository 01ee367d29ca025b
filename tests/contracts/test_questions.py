"""One suite for every engine that answers questions: the same SQL, the same typed values.

Athena is an emulator here that runs SQL through DuckDB. It knows no Iceberg table and no function
that only Trino has: those are proven on a real Trino, which is given the same SQL, by
`tests/conformance`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.errors import CitylineError, EngineError, StepError
from cityline.lake.address import Address
from cityline.lake.cost import GENERAL
from cityline.lake.version import Version
from cityline.ports.engine import Engine, Layout, Limits

if TYPE_CHECKING:
    from tests.aws.emulator import Emulator

HOME = "ca-central-1"
TABLES = {
    "curated.department": pa.table({"name": ["Île Ouest", "Engineering", "O'Neil’s \\ 🚲", ""],
                                    "id": [1, 2, 3, 4]}),
    "curated.department_month": pa.table({
        "id": [1, 1, 2, 3, None],
        "month": [date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 1), None, date(2025, 12, 1)],
        "began": pa.array([datetime(2026, 1, 1, 9, 30, 0, 678000), None, None, None, None],
                       pa.timestamp("us")),
        "inquiries": [10, 20, 5, None, 7],
        "share": [0.5, float("nan"), float("inf"), None, -1.25e-9],
        "late": [True, False, None, None, True],
        "spent": pa.array([Decimal("1.50"), None, Decimal("-0.05"), None, None]),
    }),
    "curated.nothing": pa.table({"id": pa.array([], pa.int64()),
                                 "name": pa.array([], pa.string())}),
}  # fmt: skip


@pytest.fixture(params=["duckdb", pytest.param("athena", marks=pytest.mark.aws)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "duckdb":
        return DuckEngine(FolderStore(tmp_path / "lake"))
    found: Engine = athena(request.getfixturevalue("cloud"))
    return found


def athena(cloud: Emulator) -> Any:
    from cityline.adapters.aws.engine import AthenaEngine  # noqa: PLC0415 - an extra
    from cityline.adapters.aws.queries import Workgroup  # noqa: PLC0415

    bucket, group = "questions-results", "questions"
    if group not in [w["Name"] for w in cloud.client("athena").list_work_groups()["WorkGroups"]]:
        where = {"LocationConstraint": HOME}
        cloud.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        results = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/{group}/"}}
        cloud.client("athena").create_work_group(Name=group, Configuration=results)
    databases = {"curated": "questions_curated"}
    return AthenaEngine(Workgroup(group, HOME, databases, GENERAL))


CASES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]]]] = {
    "texts": (
        "SELECT name FROM curated.department ORDER BY id",
        {},
        [{"name": "Île Ouest"}, {"name": "Engineering"}, {"name": "O'Neil’s \\ 🚲"}, {"name": ""}],
    ),
    "dates and nulls": (
        "SELECT id, month FROM curated.department_month WHERE month IS NULL OR id IS NULL "
        "ORDER BY id NULLS LAST",
        {},
        [{"id": 3, "month": None}, {"id": None, "month": date(2025, 12, 1)}],
    ),
    "moments and truths": (
        "SELECT began, late FROM curated.department_month WHERE inquiries = 10",
        {},
        [{"began": datetime(2026, 1, 1, 9, 30, 0, 678000), "late": True}],
    ),
    "decimals": (
        "SELECT spent FROM curated.department_month WHERE spent IS NOT NULL ORDER BY spent",
        {},
        [{"spent": Decimal("-0.05")}, {"spent": Decimal("1.50")}],
    ),
    "doubles": (
        "SELECT share FROM curated.department_month WHERE id IS NULL OR inquiries IN (5, 10) "
        "ORDER BY inquiries",
        {},
        [{"share": float("inf")}, {"share": -1.25e-9}, {"share": 0.5}],
    ),
    "a name that begins another": (
        "SELECT d.name, sum(m.inquiries) AS inquiries FROM curated.department_month AS m "
        "JOIN curated.department AS d ON d.id = m.id GROUP BY d.name ORDER BY d.name",
        {},
        [
            {"name": "Engineering", "inquiries": 5},
            {"name": "O'Neil’s \\ 🚲", "inquiries": None},
            {"name": "Île Ouest", "inquiries": 30},
        ],
    ),
    "an empty table": ("SELECT count(*) AS n FROM curated.nothing", {}, [{"n": 0}]),
    "no rows": ("SELECT name, id FROM curated.nothing", {}, []),
    "a text that closes a text": (
        "SELECT id FROM curated.department WHERE name = $name",
        {"name": "x' OR '1' = '1"},
        [],
    ),
    "a text with everything": (
        "SELECT id, $name AS told FROM curated.department WHERE name = $name",
        {"name": "O'Neil’s \\ 🚲"},
        [{"id": 3, "told": "O'Neil’s \\ 🚲"}],
    ),
    "a text that looks like a table": (
        "SELECT $name AS told FROM curated.department WHERE id = $id",
        {"name": "given.curated__department; -- \n", "id": 1},
        [{"told": "given.curated__department; -- \n"}],
    ),
    "a date, a number, nothing": (
        "SELECT inquiries FROM curated.department_month WHERE month = $month AND id >= $least "
        "AND ($other IS NULL OR id = 99) ORDER BY inquiries",
        {"month": date(2026, 1, 1), "least": -1, "other": None},
        [{"inquiries": 5}, {"inquiries": 10}],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_question_has_one_answer(engine: Engine, case: str) -> None:
    sql, parameters, expected = CASES[case]
    assert engine.query(sql, TABLES, parameters).to_pylist() == expected


def test_a_number_that_is_none_stays_one(engine: Engine) -> None:
    sql = "SELECT share FROM curated.department_month WHERE inquiries = 20"
    (row,) = engine.query(sql, TABLES).to_pylist()
    assert row["share"] != row["share"]


@pytest.mark.parametrize(
    "sql", ["SELECT nothing FROM curated.department", "SELECT 1; SELECT 2", "SELEC 1"]
)
def test_a_query_that_is_wrong_is_an_error_of_the_engine(engine: Engine, sql: str) -> None:
    with pytest.raises(EngineError):
        engine.query(sql, TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM curated.department ORDER BY id DESC",
        "(SELECT id FROM curated.department ORDER BY id DESC)",
        "WITH d AS (SELECT id FROM curated.department) SELECT id FROM d ORDER BY id DESC LIMIT 3",
        "SELECT 4 AS id UNION ALL SELECT id FROM curated.department WHERE id < 4 ORDER BY id DESC",
        "SELECT id + 1 AS id FROM curated.department ORDER BY id DESC OFFSET 1",
    ],
)
def test_a_long_result_is_cut_to_its_first_rows_and_says_so(engine: Engine, sql: str) -> None:
    found = engine.explore(sql, TABLES, Limits(rows=2))
    assert found.truncated
    assert found.table.column("id").to_pylist() == [4, 3]


def test_a_result_that_its_own_limit_ends_is_whole(engine: Engine) -> None:
    sql = "SELECT id FROM curated.department ORDER BY id DESC LIMIT 2"
    found = engine.explore(sql, TABLES, Limits(rows=2))
    assert not found.truncated
    assert found.table.column("id").to_pylist() == [4, 3]


@pytest.mark.parametrize(
    "sql", ["DROP TABLE curated.department", "INSERT INTO curated.department VALUES ('x', 9)"]
)
def test_nothing_but_a_select_is_run(engine: Engine, sql: str) -> None:
    with pytest.raises(CitylineError):
        engine.explore(sql, TABLES, Limits())
    assert engine.query("SELECT count(*) AS n FROM curated.department", TABLES).to_pylist() == [
        {"n": 4}
    ]


# -- Athena alone ---------------------------------------------------------------------------------


@pytest.mark.aws
def test_what_a_query_took_is_told(cloud: Emulator) -> None:
    found = athena(cloud).explore("SELECT id FROM curated.department", TABLES, Limits())
    assert found.measured is not None
    assert found.measured.id
    assert found.bytes_scanned == found.measured.bytes_scanned > 0
    assert str(found.measured.usd) == "0.0000477"  # ten megabytes at least
    assert not found.measured.reused


@pytest.mark.aws
def test_a_result_of_many_pages_comes_whole(cloud: Emulator) -> None:
    many = {"curated.many": pa.table({"n": list(range(2500))})}
    found = athena(cloud).query("SELECT n FROM curated.many ORDER BY n", many)
    assert found.column("n").to_pylist() == list(range(2500))


@pytest.mark.aws
def test_a_parquet_table_of_the_catalogue_is_read_in_the_workgroup(
    cloud: Emulator, tmp_path: Path
) -> None:
    """Through Athena's own SQL, because the emulator reads no snapshot of an Iceberg table."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    engine = athena(cloud)
    pq.write_table(TABLES["curated.department"], tmp_path / "a.parquet")
    path = (tmp_path / "a.parquet").read_bytes()
    cloud.client("s3").put_object(Bucket="questions-results", Key="lake/d/a.parquet", Body=path)
    glue = cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "questions_curated"})
    columns = [{"Name": "name", "Type": "string"}, {"Name": "id", "Type": "bigint"}]
    storage = {"Columns": columns, "Location": "s3://questions-results/lake/d/",
               "SerdeInfo": {"SerializationLibrary": "…ParquetHiveSerDe"},
               "InputFormat": "…MapredParquetInputFormat"}  # fmt: skip
    glue.create_table(
        DatabaseName="questions_curated",
        TableInput={"Name": "department", "StorageDescriptor": storage,
                    "Parameters": {"classification": "parquet"}},
    )  # fmt: skip
    found, measured = engine._queries.run('SELECT name FROM "questions_curated"."department"')
    assert sorted(found.column("name").to_pylist()) == [
        "",
        "Engineering",
        "O'Neil’s \\ 🚲",
        "Île Ouest",
    ]
    assert measured.bytes_scanned > 0
    version = Version(Address.parse("curated/department"), "949530903748831860", 4, ())
    spoken = engine.spoken("SELECT name FROM curated.department", {"curated.department": version})
    assert (
        '(SELECT * FROM "questions_curated"."department" FOR VERSION AS OF 949530903748831860)'
        in spoken
    )
    with pytest.raises(EngineError, match="cannot be run"):  # the emulator's gap, see above
        engine.query("SELECT name FROM curated.department", {"curated.department": version})


@pytest.mark.aws
def test_a_table_the_catalogue_does_not_have(cloud: Emulator) -> None:
    version = Version(Address.parse("curated/never-made"), "1", 4, ())
    with pytest.raises(EngineError, match=r"no table questions_curated\.never_made"):
        athena(cloud).query("SELECT * FROM curated.never_made", {"curated.never_made": version})


@pytest.mark.aws
def test_it_writes_and_cleans_nothing(cloud: Emulator, tmp_path: Path) -> None:
    engine = athena(cloud)
    for refused in (
        partial(engine.write, "SELECT 1", {}, "curated/x"),
        partial(engine.read_texts, tmp_path / "x", Layout((), ",", "utf-8")),
        partial(engine.clean, None, None),
    ):
        with pytest.raises(StepError, match="answers questions"):
            refused()
