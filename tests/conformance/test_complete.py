"""That nothing is left out of the matrix, and that its cases can fail: without any engine but DuckDB."""

from __future__ import annotations

from cityline.adapters.local.engine import DuckEngine
from cityline.errors import EngineError
from cityline.stages.prepare.operations import OPERATIONS
from tests.conformance import cases, data
from tests.conformance.operations import LEFT_OUT, asked


def test_every_operation_is_asked_or_left_out_with_a_reason() -> None:
    known = {one.operation for one in asked()}
    assert known | LEFT_OUT.keys() == OPERATIONS.keys()
    assert not known & LEFT_OUT.keys()
    assert all(LEFT_OUT.values())


def test_an_error_is_compared_only_where_it_is_the_case(engine: DuckEngine) -> None:
    tables = {
        "t": data.rows(), "nothing": data.nothing(), "hard": data.hard(), "long": data.long_texts(),
        "written": data.written_moments(each=5),
    }  # fmt: skip
    constructs = {name: [sql] for name, sql in (cases.CONSTRUCTS | cases.HARD).items()}
    failing = set()
    for name, queries in (cases.function_cases() | constructs).items():
        for sql in queries:
            try:
                engine.query(sql, tables)
            except EngineError:
                failing.add(name)
    assert failing == cases.ERRORS
