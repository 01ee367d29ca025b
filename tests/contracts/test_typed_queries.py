"""What a person types cannot reach beyond the tables, and cannot take more than it may."""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from cityline.adapters.local import sandbox
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.errors import CitylineError, EngineError, QueryStopped, StoreError, UsageError
from cityline.lake.address import Address
from cityline.lake.cost import athena_cost
from cityline.lake.version import DataFile, Version
from cityline.ports.engine import Limits

SECRET = "planted-7f3a9c"  # noqa: S105 - planted to be looked for
SHORT = Limits(rows=1000, seconds=2.0, memory_mb=200, result_mb=5)


class Place:
    """An engine over one table of 120,000 rows, a secret beside it, and a second small table."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine = DuckEngine(FolderStore(root / "lake"))
        self.secret = root / "lake" / "secret.csv"
        written = self.engine.write(
            "SELECT 'D' || (range % 40) AS department, range % 5 AS channel, "
            "DATE '2015-01-01' + INTERVAL (range % 120) MONTH AS month, range % 97 AS inquiries "
            "FROM range(120000)",
            {},
            "curated/volume/data",
        )
        address = Address.parse("curated/volume")
        self.tables = {
            "curated.volume": Version(address, "1", written.rows, written.files),
            "lake.names": pa.table({"channel": [0, 1, 2], "name": ["Phone", "Chat", "Mail"]}),
        }
        self.secret.write_text(f"a\n{SECRET}\n", encoding="utf-8")

    def ask(self, sql: str, limits: Limits = SHORT) -> pa.Table:
        return self.engine.explore(sql, self.tables, limits).table


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    os.environ["CITYLINE_PLANTED"] = SECRET
    return Place(tmp_path_factory.mktemp("typed"))


def test_only_what_a_query_names_is_touched(place: Place) -> None:
    """Who asks may have no right to the other tables, as an analyst on AWS has none to landing."""
    nowhere = Version(
        Address.parse("landing/secret-rows"), "1", 1, (DataFile("no/such.key", 1, 1),)
    )
    patient = Limits(rows=10, seconds=30.0)
    tables = {**place.tables, "landing.secret_rows": nowhere}
    found = place.engine.explore("SELECT count(*) AS n FROM curated.VOLUME", tables, patient)
    assert found.table.to_pylist() == [{"n": 120_000}]
    with pytest.raises(StoreError):
        place.engine.explore("SELECT * FROM landing.secret_rows", tables, patient)
    with pytest.raises(UsageError) as caught:
        place.engine.explore("SELECT * FROM landing.nothing", tables, patient)
    assert "landing.secret_rows" in caught.value.hint


V = "curated.volume"
ESCAPES = [
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_csv_auto('{secret}')",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM READ_TEXT('{secret}')",
    "SELECT * FROM \"read_text\"('{secret}')",
    "SELECT * FROM main.read_text('{secret}')",
    "SELECT * FROM system.main.read_text('{secret}')",
    "SELECT * FROM '{secret}'",
    'SELECT * FROM "{secret}"',
    "FROM '{secret}'",
    "FROM read_csv('{secret}')",
    "SELECT (SELECT max(a) FROM read_csv('{secret}'))",
    "SELECT * FROM curated.volume WHERE department IN (SELECT a FROM read_csv('{secret}'))",
    "WITH x AS (SELECT * FROM read_csv('{secret}')) SELECT * FROM x",
    "WITH RECURSIVE x AS (SELECT * FROM read_text('{secret}') UNION ALL SELECT * FROM x) FROM x",
    "SELECT * FROM curated.volume, LATERAL (SELECT * FROM read_csv('{secret}'))",
    "SELECT * FROM curated.volume UNION ALL SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_parquet('{folder}/*')",
    "SELECT * FROM parquet_metadata('{folder}/curated/volume/data/x.parquet')",
    "SELECT * FROM parquet_schema('{folder}/x.parquet')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_json_objects('{secret}')",
    "SELECT * FROM read_ndjson_auto('{secret}')",
    "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM 'https://127.0.0.1/x.parquet'",
    "COPY (SELECT 1) TO '{folder}/out.csv'",
    "COPY curated.volume TO '{folder}/out.parquet'",
    "COPY x FROM '{secret}'",
    "ATTACH '{folder}/x.db' AS x",
    "DETACH memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{folder}/x.duckdb_extension'",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET enable_external_access",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "PRAGMA version",
    "CALL pragma_version()",
    "CALL duckdb_settings()",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}/out'",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE MACRO f(a) AS TABLE SELECT * FROM read_text(a)",
    "CREATE SECRET (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "INSERT INTO curated.volume SELECT * FROM curated.volume",
    "DELETE FROM curated.volume",
    "UPDATE curated.volume SET inquiries = 0",
    "DROP VIEW curated.volume",
    "ALTER TABLE curated.volume RENAME TO y",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "VACUUM",
    "PREPARE p AS SELECT * FROM read_text('{secret}')",
    "EXECUTE p",
    "BEGIN TRANSACTION",
    "SELECT 1; SELECT * FROM read_text('{secret}')",
    "SELECT 1; DROP VIEW curated.volume",
    "SELECT 1 /* ; */ ; -- x\n COPY (SELECT 1) TO '{folder}/o'",
    "SELECT * FROM query('SELECT * FROM read_text(''{secret}'')')",
    "SELECT * FROM query_table('{secret}')",
    "SELECT * FROM query_table(['curated.volume'])",
    "SELECT getenv('CITYLINE_PLANTED')",
    "SELECT current_setting('temp_directory')",
    "SELECT current_setting('allowed_paths')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM duckdb_views()",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pragma_database_list",
    "SELECT * FROM pragma_database_list()",
    "SELECT * FROM which_secret('s3://x', 's3')",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SHOW TABLES",
    "DESCRIBE curated.volume",
    "SELECT * FROM (DESCRIBE curated.volume)",
    "SELECT * FROM (SHOW ALL TABLES)",
    "SUMMARIZE curated.volume",
    "EXPLAIN SELECT * FROM read_text('{secret}')",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('{secret}')",
    "EXPLAIN COPY (SELECT 1) TO '{folder}/o.csv'",
    "SELECT list_transform(['{secret}'], x -> (SELECT max(content) FROM read_text(x)))",
    "SELECT sleep_ms(100)",
    "SELECT json_serialize_plan('SELECT 1')",
    "UPDATE EXTENSIONS",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM landing.inquiry_volume",
    "SELECT * FROM memory.main.duckdb_columns",
    "select * from ｒead_text('{secret}')",
    "",
    "   -- nothing\n",
]


@pytest.mark.parametrize(
    "statement",
    # a third in `make test`, all in `make test-slow`
    [s if n % 3 == 0 else pytest.param(s, marks=pytest.mark.slow) for n, s in enumerate(ESCAPES)],
)
def test_nothing_escapes(place: Place, statement: str) -> None:
    sql = statement.replace("{secret}", str(place.secret))
    sql = sql.replace("{folder}", str(place.root / "lake"))
    with pytest.raises((UsageError, EngineError)) as caught:
        place.ask(sql)
    told = f"{caught.value}"
    for leak in (SECRET, str(place.root), "/tmp", "/etc", "/home", "/root"):  # noqa: S108
        assert leak not in told, told
    assert not list((place.root / "lake").glob("o*"))


WORKS = [
    f"SELECT count(*) FROM {V}",
    f"SELECT department, sum(inquiries) AS n FROM {V} GROUP BY ALL ORDER BY n DESC LIMIT 5",
    f"FROM {V} SELECT department LIMIT 1",
    f"WITH t AS (SELECT department d, sum(inquiries) n FROM {V} GROUP BY 1) SELECT * FROM t",
    f"SELECT v.department, n.name FROM {V} v JOIN lake.names n ON n.channel = v.channel LIMIT 3",
    f"SELECT *, row_number() OVER (PARTITION BY department ORDER BY month) FROM {V} LIMIT 3",
    f"SELECT department, inquiries FROM {V} QUALIFY rank() OVER (ORDER BY inquiries) = 1 LIMIT 3",
    f"SELECT quantile_cont(inquiries, [0.25, 0.5, 0.75]) FROM {V}",
    f"SELECT date_trunc('year', month) y, median(inquiries) FROM {V} GROUP BY y",
    f"SELECT year(month), monthname(month), dayofweek(month) FROM {V} LIMIT 1",
    "SELECT * FROM range(5)",
    "SELECT * FROM generate_series(DATE '2024-01-01', DATE '2024-03-01', INTERVAL 1 MONTH)",
    "SELECT unnest([1, 2, 3])",
    "SELECT * FROM unnest([1, 2, 3])",
    "SELECT list_transform([1, 2], lambda x: x + 1)",
    f"SELECT string_agg(DISTINCT department, ', ') FROM {V}",
    f"SELECT channel, inquiries FROM {V} WHERE department LIKE 'D1%' AND inquiries > 90 LIMIT 4",
    f"SELECT count(*) FILTER (WHERE inquiries > 10) FROM {V}",
    f"SELECT CASE WHEN inquiries > 5 THEN 'a' ELSE 'b' END FROM {V} LIMIT 1",
    f"SELECT coalesce(NULL, max(department)), CAST(1 AS DOUBLE), TRY_CAST('x' AS INT) FROM {V}",
    f"SELECT * EXCLUDE (month) FROM {V} LIMIT 1",
    f"SELECT a.department FROM {V} a LEFT JOIN {V} b USING (department, month) LIMIT 1",
    f"SELECT * FROM (SELECT department FROM {V} LIMIT 2) UNION ALL SELECT 'x'",
    "VALUES (1, 'a'), (2, 'b')",
    f"EXPLAIN SELECT count(*) FROM {V}",
    f"EXPLAIN ANALYZE SELECT sum(inquiries) FROM {V}",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9) SELECT * FROM t",
    f"SELECT regexp_extract(department, '[0-9]+') FROM {V} LIMIT 1",
    f"SELECT (SELECT max(inquiries) FROM {V}) AS most",
    f"SELECT department FROM {V} WHERE EXISTS (SELECT 1 FROM lake.names) LIMIT 1",
    f"SELECT '2024/01/02' AS path_like, department FROM {V} LIMIT 1",
]


@pytest.mark.parametrize("sql", WORKS)
def test_what_analysts_write_works(place: Place, sql: str) -> None:
    assert place.ask(sql).num_rows > 0


def test_a_plan_tells_no_place(place: Place) -> None:
    for sql in (
        f"EXPLAIN ANALYZE SELECT count(*) FROM {V} WHERE inquiries > 5",
        f"EXPLAIN FROM {V}",
    ):
        text = str(place.ask(sql).to_pylist())
        assert str(place.root) not in text
        assert "/tmp" not in text  # noqa: S108 - no folder of the machine
        assert "curated" not in text or "/curated" not in text


def test_a_small_table_in_memory_can_be_asked(place: Place) -> None:
    found = place.ask("SELECT name, count(*) AS n FROM lake.names GROUP BY ALL ORDER BY name")
    assert found.to_pylist()[0] == {"name": "Chat", "n": 1}


def test_statistics_count_only_what_is_mentioned(place: Place) -> None:
    one = place.engine.explore(f"SELECT sum(inquiries) FROM {V}", place.tables, SHORT)
    every = place.engine.explore(f"SELECT * FROM {V} LIMIT 1", place.tables, SHORT)
    assert one.rows_scanned == every.rows_scanned == 120_000
    files = sum(f.bytes for f in place.tables[V].files)
    assert 0 < one.bytes_scanned < every.bytes_scanned <= files
    assert place.engine.explore("SELECT 1", place.tables, SHORT).bytes_scanned == 0
    assert str(athena_cost(0)) == "0.0000477"  # ten megabytes at five dollars a terabyte
    assert athena_cost(11 * 1024 * 1024) > athena_cost(10 * 1024 * 1024) == athena_cost(1)


def test_a_long_result_is_cut_and_says_so(place: Place) -> None:
    found = place.engine.explore(f"SELECT * FROM {V}", place.tables, Limits(rows=10))
    assert found.truncated
    assert found.table.num_rows == 10


HEAVY = {
    "cross join": f"SELECT count(*) FROM {V} a, {V} b, {V} c WHERE a.inquiries + b.inquiries = 1",
    "recursion": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "sort": "SELECT * FROM range(300000000) ORDER BY hash(range) DESC",
    "list": "SELECT list(range) FROM range(500000000)",
    "string": "SELECT string_agg(repeat('x', 1000), '') FROM range(100000000)",
    "wide": "SELECT repeat('x', 1000000) FROM range(1000)",
    "repeat": "SELECT repeat('x', 2000000000) || repeat('y', 2000000000)",
    "regex": "SELECT max(regexp_matches(repeat('a', 100000) || range::VARCHAR, '(a|a|aa)*b')) FROM range(1000000)",
    "distinct": "SELECT count(DISTINCT hash(range)) FROM range(900000000)",
    "deep": "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
    "window": "SELECT max(s) FROM (SELECT sum(range) OVER (ORDER BY hash(range)) s FROM range(90000000))",
}


QUICK = ("cross join", "recursion", "wide")


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in HEAVY]
)
def test_a_query_that_takes_too_much_is_stopped_in_time(place: Place, name: str) -> None:
    began = time.monotonic()
    with pytest.raises((QueryStopped, EngineError)):
        place.ask(HEAVY[name])
    assert time.monotonic() - began < SHORT.seconds + 10, "its process is begun and ended meanwhile"


def test_many_at_once_wait_their_turn_and_leave_nothing_behind(place: Place) -> None:
    def ask(number: int) -> str:
        try:
            if number % 4 == 0:
                return str(place.ask(HEAVY["recursion"]).num_rows)
            return str(place.ask(f"SELECT count(*) FROM {V}", Limits(seconds=60)).num_rows)
        except CitylineError as error:
            return error.code

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(ask, range(12)))
    assert told == ["QUERY_STOPPED", "1", "1", "1"] * 3
    ours = ["pgrep", "-P", str(os.getpid()), "-f", "local/worker.py"]
    assert subprocess.run(ours, capture_output=True, check=False).stdout == b""


def test_the_time_of_a_query_begins_when_its_process_has_started(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine the start alone takes longer than a query may."""
    late = tmp_path / "late.py"
    late.write_text(
        f"import runpy, time\ntime.sleep(5)\nrunpy.run_path({str(sandbox._WORKER)!r}, run_name='__main__')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sandbox, "_WORKER", late)
    assert place.ask("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    monkeypatch.setattr(sandbox, "_START", 0.5)
    with pytest.raises(QueryStopped, match="could not be begun in time") as stopped:
        place.ask("SELECT 1 AS one")
    assert "busy" in stopped.value.hint
