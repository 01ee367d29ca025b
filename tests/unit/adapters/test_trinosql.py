"""The SQL that Trino and Athena are given: tables in their places, values as they were."""

from __future__ import annotations

import pyarrow as pa
import pytest

from cityline.adapters.formats.trinosql import arrow_schema, declared, spoken, values
from cityline.errors import EngineError
from cityline.ports.engine import Table

SHORT, LONG = "curated.department", "curated.department_month"
TABLES = {SHORT: pa.table({"id": [1]}), LONG: pa.table({"id": [1], "n": [2]})}


def said(sql: str, **parameters: object) -> str:
    def place(table: Table) -> str:
        return "PLACE_OF_LONG" if table is TABLES[LONG] else "PLACE_OF_SHORT"

    schemas = {name: arrow_schema(table) for name, table in TABLES.items()}
    return spoken(sql, TABLES, schemas, place, parameters)


def test_a_table_whose_name_begins_anothers_is_not_taken_for_it() -> None:
    made = said(f"SELECT m.n AS n FROM {LONG} AS m JOIN {SHORT} AS d ON d.id = m.id")
    assert "FROM PLACE_OF_LONG AS m" in made
    assert "JOIN PLACE_OF_SHORT AS d" in made


def test_a_text_that_looks_like_a_table_stays_a_text() -> None:
    made = said(f"SELECT $told AS told FROM {SHORT}", told="given.curated__department")
    assert "'given.curated__department' AS told" in made
    assert made.count("PLACE_OF_SHORT") == 1


def test_names_and_texts_cannot_leave_their_quotes() -> None:
    made = values(pa.table({'a"b': ["it's"], "f": [float("-inf")]}))
    assert 'AS "a""b"' in made
    assert "'it''s'" in made
    assert "CAST('-Infinity' AS DOUBLE)" in made


def test_a_long_table_does_not_travel() -> None:
    with pytest.raises(EngineError, match="10,001 rows cannot travel"):
        values(pa.table({"n": list(range(10_001))}))


@pytest.mark.parametrize(
    ("there", "here"),
    [("string", "VARCHAR"), ("int", "INTEGER"), ("timestamp(6)", "TIMESTAMP"),
     ("timestamp with time zone", "TIMESTAMP"), ("decimal(10,2)", "DECIMAL(10,2)")],
)  # fmt: skip
def test_types_of_a_catalogue_in_our_dialect(there: str, here: str) -> None:
    assert declared(there) == here
