"""Arrow arrays as cleaning needs them: frequencies, values spread over rows, and what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb


def fetch(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The result of a SELECT as Arrow."""
    table: pa.Table = connection.sql(sql).to_arrow_table()
    return table


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array."""
    if isinstance(column, pa.Array):
        return column
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else combined.chunk(0)


def frequency(values: pa.ChunkedArray | pa.Array, counts: NDArray[np.int64]) -> pa.Table:
    """Distinct values with the rows that hold them; several codes may have become one value."""
    table = pa.table({"value": whole(values), "n": counts}).filter(pc.field("n") > 0)
    grouped = table.group_by("value").aggregate([("n", "sum")])
    return grouped.select(["value", "n_sum"]).rename_columns(["value", "n"])


def value_counts(column: pa.Array) -> pa.Table:
    """Distinct values of a column with the rows that hold them."""
    if pa.types.is_integer(column.type) and column.null_count == 0:
        values = column.to_numpy()
        ordered = len(values) and (values[1:] > values[:-1]).all()
        if ordered or (len(values) and (values[1:] < values[:-1]).all()):
            return pa.table({"value": values, "n": np.ones(len(values), dtype=np.int64)})
        values, counts = np.unique(values, return_counts=True)
        return pa.table({"value": values, "n": counts})
    counted = pc.value_counts(column)
    return pa.table({"value": counted.field(0), "n": counted.field(1)})


def spread(values: pa.Array, codes: NDArray[np.int32]) -> pa.Array:
    """Values by code into rows; texts stay dictionary codes, since they are few."""
    if not pa.types.is_string(values.type):
        return values.take(pa.array(codes))
    encoded = values.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(codes)), encoded.dictionary)


def differs(before: pa.Array | None, after: pa.Array) -> NDArray[np.bool_]:
    """Where the text of a cell changed; NULL equals NULL. Without a before, where it is filled."""
    filled: NDArray[np.bool_] = pc.is_valid(after).to_numpy(zero_copy_only=False)
    if before is None:
        return filled
    same = pc.equal(pc.cast(before, pa.string()), pc.cast(after, pa.string()))
    both_null = pc.and_(pc.is_null(before), pc.is_null(after))
    unchanged = pc.or_(pc.fill_null(same, False), both_null)
    changed: NDArray[np.bool_] = pc.invert(unchanged).to_numpy(zero_copy_only=False)
    return changed


def cell(column: pa.Array, at: int) -> Any:
    """One cell as JSON takes it; a day beyond Python's years as Arrow writes it."""
    try:
        value = column[at].as_py()
    except OverflowError:
        value = column.slice(at, 1).cast(pa.string())[0].as_py()
    return value if isinstance(value, str | int | float | bool | None) else str(value)
