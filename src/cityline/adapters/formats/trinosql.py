"""What engines of Trino's family share: the SQL they are given, and the types they answer with."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from cityline.dialect import Schemas, emit
from cityline.errors import EngineError
from cityline.ports.engine import Table, Tables

ARROW = {"varchar": pa.string(), "bigint": pa.int64(), "integer": pa.int32(),
         "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "real": pa.float32(),
         "char": pa.string(), "tinyint": pa.int8(), "smallint": pa.int16(),
         "unknown": pa.null()}  # fmt: skip
"""Types of a result, but for decimals and timestamps."""
_TYPES = {"varchar": "VARCHAR", "string": "VARCHAR", "bigint": "BIGINT", "integer": "INTEGER",
          "int": "INTEGER", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
          "real": "FLOAT", "float": "FLOAT"}  # fmt: skip
_MOST = 10_000
"""Rows of an Arrow table that may travel inside a query, as VALUES."""


def spoken(
    sql: str,
    tables: Tables,
    schemas: Schemas,
    relation: Callable[[Table], str],
    parameters: Mapping[str, Any] | None = None,
    rows: int | None = None,
) -> str:
    """A portable SELECT in Trino's SQL. `relation` says where a table is read; `rows` is the most
    it gives.

    Each table is named by a word that no text can guess while the SQL is made, and all are filled
    in at once: a table's name may begin another's, and a parameter may look like one.
    """
    mark = f"given_{uuid.uuid4().hex}"
    places = {f"{mark}.t{at}": table for at, table in enumerate(tables.values())}
    names = dict(zip(tables, places, strict=True))
    made = emit(sql, "trino", schemas, parameters=parameters, names=names, rows=rows)
    return re.sub(rf"{mark}\.t\d+", lambda found: relation(places[found.group()]), made)


def declared(kind: str) -> str:
    """A column's type in our dialect, from the words of Trino or of a Glue table."""
    return _TYPES.get(kind, "TIMESTAMP" if "timestamp" in kind else kind.upper())


def arrow_schema(table: pa.Table) -> dict[str, str]:
    """An Arrow table's column types in our dialect."""
    return {f.name: _duck(f.type) for f in table.schema}


def values(table: pa.Table) -> str:
    """A small Arrow table as a relation. Raises EngineError for one that is too long."""
    if table.num_rows > _MOST:
        told = f"a table of {table.num_rows:,} rows cannot travel inside a query"
        raise EngineError(told, hint="read it from the lake")
    kinds = [_duck(f.type) for f in table.schema]
    casts = ", ".join(
        f"CAST(c{i} AS {'TIMESTAMP(6)' if k == 'TIMESTAMP' else k}) AS {quoted(n)}"
        for i, (n, k) in enumerate(zip(table.column_names, kinds, strict=True))
    )
    rows = [f"({', '.join(map(_literal, row.values()))})" for row in table.to_pylist()]
    nothing = f"({', '.join('NULL' for _ in kinds)})"
    names = ", ".join(f"c{i}" for i in range(len(kinds)))
    where = "" if rows else " WHERE false"
    return f"(SELECT {casts} FROM (VALUES {', '.join(rows or [nothing])}) AS v({names}){where})"


def quoted(name: str) -> str:
    """A name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def _duck(kind: pa.DataType) -> str:
    known = {
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.int32(): "INTEGER",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
    }
    if pa.types.is_dictionary(kind) or pa.types.is_null(kind):
        return "VARCHAR"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return "TIMESTAMP" if pa.types.is_timestamp(kind) else known.get(kind, str(kind).upper())


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).lower()
        case float():
            told = repr(value).replace("nan", "NaN").replace("inf", "Infinity")
            return f"CAST('{told}' AS DOUBLE)"
        case int():
            return f"BIGINT '{value}'"
        case datetime():
            return f"'{value.isoformat(' ')}'"
        case date():
            return f"'{value.isoformat()}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
