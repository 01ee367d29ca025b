"""The process that runs one SELECT a person typed, and is killed afterwards.

Started by its path, isolated, with nothing of the program imported. What DuckDB's own settings do
not stop is refused before it runs: the statement must be one SELECT, and its syntax tree may name
only the tables given and functions that neither read nor tell anything of the machine.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "repeat", "repeat_row"})
_REFUSED = re.compile(
    r"sleep_.*|json_serialize_.*|json_deserialize_.*|duckdb_.*|pragma_.*|read_.*|parquet_.*|sniff_.*|glob|getenv|getvariable|current_setting|"
    r"query|query_table|which_secret|json_execute_serialized_sql|from_substrait.*|"
    r"sql_auto_complete|nextval|currval|write_log|.*checkpoint|add_parquet_key|"
    r"current_query|current_database|current_schemas?|in_search_path|pg_.*|has_.*_privilege|"
    r"set_config|test_.*|.*_scan|.*_scanner|seq_scan|summary|enable_.*|disable_.*|truncate_duckdb_.*"
)
_EXPLAIN = re.compile(r"\A(?:\s|--[^\n]*\n|/\*.*?\*/)*explain(?:\s+analyze)?\b", re.I | re.S)
_HOLD = 700 * 1024 * 1024
"""Address space the libraries take before any query, in bytes."""


class Refused(Exception):
    """The statement may not run; the text says why."""


def main() -> None:
    """Answer one request from stdin: an empty line at once, so that the query's time begins; a line
    of JSON, then the rows as an Arrow stream."""
    asked = json.loads(sys.stdin.buffer.read())
    _confine(asked)
    out = sys.stdout.buffer
    out.write(b"\n")
    out.flush()
    try:
        told, table = _run(asked)
    except Refused as error:
        told, table = {"refused": str(error)}, None
    except duckdb.InterruptException:
        told, table = {"stopped": "time"}, None
    except (duckdb.OutOfMemoryException, MemoryError):
        told, table = {"stopped": "memory"}, None
    except (duckdb.Error, pa.ArrowException) as error:
        told, table = {"failed": str(error)}, None
    out.write(json.dumps(told).encode() + b"\n")
    if table is not None:
        with pa.ipc.new_stream(out, table.schema) as stream:
            stream.write_table(table)
    out.flush()


def _confine(asked: Mapping[str, Any]) -> None:
    """Limits of the operating system, which no setting of the engine can lift."""
    limits = asked["limits"]
    most = limits["memory_mb"] * 1024 * 1024 + _HOLD
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    seconds = int(limits["seconds"]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _run(asked: Mapping[str, Any]) -> tuple[dict[str, Any], pa.Table]:
    limits = asked["limits"]
    connection = duckdb.connect(
        config={"memory_limit": f"{limits['memory_mb']}MB", "threads": 1, "temp_directory": ""}
    )
    tree = _gate(connection, asked["sql"], set(asked["tables"]))
    read = {n: asked["tables"][n] for n in _tables(tree) if n in asked["tables"]}
    scanned = _scanned(read, _columns(tree))
    _views(connection, read)
    _lock(connection, read)
    timer = threading.Timer(limits["seconds"], connection.interrupt)
    timer.daemon = True
    timer.start()
    began = time.perf_counter()
    reader = connection.sql(asked["sql"]).to_arrow_reader(2048)
    batches: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in reader:
        batches.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if size > limits["result_mb"] * 1_000_000:
            return {"stopped": "size"}, None
        if rows > limits["rows"]:
            break
    spent = (time.perf_counter() - began) * 1000
    timer.cancel()
    table = pa.Table.from_batches(batches, reader.schema)
    told = {
        "milliseconds": round(spent, 2),
        "truncated": rows > limits["rows"],
        "rows_scanned": scanned[0],
        "bytes_scanned": scanned[1],
    }
    return told, table.slice(0, limits["rows"])


def _gate(connection: duckdb.DuckDBPyConnection, sql: str, known: set[str]) -> Any:
    """The syntax tree of the one SELECT there may be."""
    statements = connection.extract_statements(sql)
    kinds = [s.type.name for s in statements]
    if kinds not in (["SELECT"], ["EXPLAIN"]):
        found = ", ".join(kinds) or "nothing"
        raise Refused(f"one SELECT is expected, found: {found}")
    inner = statements[0].query
    if kinds == ["EXPLAIN"]:
        inner = _EXPLAIN.sub("", inner, count=1)
    told = connection.execute("SELECT json_serialize_sql($1)", [inner]).fetchone()
    tree = json.loads(told[0]) if told else {"error": True}
    if tree.get("error"):
        why = tree.get("error_message", "its form is not known")
        raise Refused(f"this statement cannot be checked, so it is not run: {why}")
    for node in _nodes(tree):
        _check(node, known | _named(tree))
    return tree


def _nodes(tree: Any) -> Iterator[Mapping[str, Any]]:
    """Every object of the tree; a loop, because trees are as deep as people write them."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _check(node: Mapping[str, Any], known: set[str]) -> None:
    kind = node.get("type")
    if kind == "BASE_TABLE":
        name = _table(node)
        if name not in known:
            raise Refused(f"there is no table {name}")
    elif kind == "TABLE_FUNCTION":
        name = str((node.get("function") or {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise Refused(f"the table function {name} may not be used here")
    elif kind in ("SHOW_REF", "COLUMN_DATA", "DELIM_GET"):
        raise Refused("only SELECT over the tables may be used here")
    if "function_name" in node:
        name = str(node["function_name"]).lower()
        if _REFUSED.fullmatch(name):
            raise Refused(f"the function {name} may not be used here")


def _table(node: Mapping[str, Any]) -> str:
    parts = (node.get("catalog_name"), node.get("schema_name"), node.get("table_name"))
    return ".".join(str(p).lower() for p in parts if p)


def _named(tree: Any) -> set[str]:
    """Names that WITH gives to parts of the statement."""
    found: set[str] = set()
    for node in _nodes(tree):
        for entry in (node.get("cte_map") or {}).get("map", ()):
            found.add(str(entry["key"]).lower())
        if node.get("cte_name"):
            found.add(str(node["cte_name"]).lower())
    return found


def _tables(tree: Any) -> set[str]:
    return {_table(n) for n in _nodes(tree) if n.get("type") == "BASE_TABLE"}


def _columns(tree: Any) -> set[str] | None:
    """Names of the columns mentioned; None when a star takes all."""
    found: set[str] = set()
    for node in _nodes(tree):
        if node.get("class") == "STAR" or node.get("type") == "STAR":
            return None
        found.update(str(n).lower() for n in node.get("column_names") or ())
        found.update(str(n).lower() for n in node.get("using_columns") or ())
    return found


def _scanned(tables: Mapping[str, Any], columns: set[str] | None) -> tuple[int, int]:
    """Rows and compressed bytes of the columns mentioned, in the tables named: an upper bound, as
    a query may skip row groups."""
    rows = size = 0
    for found in tables.values():
        for path in found["files"]:
            about = pq.ParquetFile(path).metadata
            rows += about.num_rows
            for group in range(about.num_row_groups):
                for at in range(about.num_columns):
                    chunk = about.row_group(group).column(at)
                    if columns is None or chunk.path_in_schema.lower() in columns:
                        size += chunk.total_compressed_size
    return rows, size


def _views(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any]) -> None:
    for name, found in tables.items():
        schema, _, short = name.rpartition(".")
        if schema:
            connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        target = f'"{schema}"."{short}"' if schema else f'"{short}"'
        if found["files"]:
            files = ", ".join(_text(f) for f in found["files"])
            source = f"read_parquet([{files}], hive_partitioning = false)"
            connection.execute(f"CREATE VIEW {target} AS SELECT * FROM {source}")
        else:
            with pa.memory_map(found["arrow"]) as file:
                rows = pa.ipc.open_file(file).read_all()
            connection.register("given", rows)
            connection.execute(f"CREATE TABLE {target} AS SELECT * FROM given")
            connection.unregister("given")


def _lock(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any]) -> None:
    files = ", ".join(_text(f) for found in tables.values() for f in found["files"])
    for setting in (
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "TimeZone = 'UTC'",
        f"allowed_paths = [{files}]",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        connection.execute(f"SET {setting}")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


if __name__ == "__main__":
    main()
