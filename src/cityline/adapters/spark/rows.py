"""Rows out of Spark: a frame's result as Arrow, without pandas between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

TYPES = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "int": "INTEGER",
    "smallint": "SMALLINT",
    "tinyint": "TINYINT",
    "double": "DOUBLE",
    "float": "FLOAT",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP",
    "binary": "BLOB",
}
"""Spark's names of types as DuckDB says them."""

_ARROW = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "smallint": pa.int16(),
    "tinyint": pa.int8(),
    "double": pa.float64(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "timestamp_ntz": pa.timestamp("us"),
    "void": pa.null(),
}


_COUNTED = {
    "date": ("unix_date({0})", pa.int32()),
    "timestamp": ("unix_micros({0})", pa.int64()),
    "timestamp_ntz": ("unix_micros(CAST({0} AS TIMESTAMP))", pa.int64()),
}
"""Days and moments come as numbers: Spark's client would make Python's, which know no year before 1
and none after 9999."""


def to_arrow(frame: DataFrame) -> pa.Table:
    """All rows of a result that fits the driver."""
    kinds = [kind for _, kind in frame.dtypes]
    places = [f"c{at}" for at in range(len(kinds))]
    told = [_COUNTED.get(k, ("{0}", None))[0].format(p) for k, p in zip(kinds, places, strict=True)]
    rows = frame.toDF(*places).selectExpr(*told).collect()
    columns = [_column([row[at] for row in rows], kind) for at, kind in enumerate(kinds)]
    return pa.table(columns, names=frame.columns)


def _column(values: list[Any], kind: str) -> pa.Array:
    if kind in _COUNTED:
        return pa.array(values, _COUNTED[kind][1]).cast(_ARROW[kind])
    return pa.array(values, _ARROW.get(kind))
