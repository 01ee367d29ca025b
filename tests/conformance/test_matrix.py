"""Every function, construct, operation, rule, model and question: the same on every engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.declarations import dqdl
from cityline.flow.reading import Reading, prebuilt
from cityline.flow.steps.answer import compute
from cityline.flow.steps.facts import system_tables
from cityline.guards.govern import judge
from cityline.ports.engine import Engine
from cityline.stages.structure import check_model
from tests.conformance import cases, data, operations
from tests.conformance.matrix import Cell, Verdict, cells, compare, same
from tests.conformance.missions import missions
from tests.conformance.page import record
from tests.conftest import Ran
from tests.unit.guards.test_govern import CASES, NOW, OTHER, PRIMARY, SAME

pytestmark = [pytest.mark.engines, pytest.mark.filterwarnings("ignore")]
TABLES = {"t": data.rows(), "nothing": data.nothing()}


@pytest.fixture(scope="module", params=["spark", "trino"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


def differing(found: Iterable[Cell]) -> list[str]:
    """Keep the cells for the page, and tell every difference."""
    kept = list(found)
    record(kept)
    return [f"{c.engine}: {c.case}: {c.told}" for c in kept if c.verdict == "different"]


def test_functions(duck: DuckEngine, engine: Engine) -> None:
    found = list(cells("function", cases.function_cases(), duck, engine, TABLES))
    assert differing(found) == []
    told = Counter(c.verdict for c in found)
    assert len(found) >= 150
    assert told["identical"] + told["tolerance"] >= 140, told


def test_constructs(duck: DuckEngine, engine: Engine) -> None:
    asked = {name: [sql] for name, sql in cases.CONSTRUCTS.items()}
    assert differing(cells("construct", asked, duck, engine, TABLES)) == []


def test_hard_cases(duck: DuckEngine, engine: Engine) -> None:
    asked = {name: [sql] for name, sql in cases.HARD.items()}
    tables = {
        "hard": data.hard(),
        "long": data.long_texts(),
        "written": data.written_moments(),
    }
    assert differing(cells("construct", asked, duck, engine, tables)) == []


def test_mission_queries_beyond_the_questions(ran: Ran, duck: DuckEngine, engine: Engine) -> None:
    tables = {n: v for n, v in ran.done.tables().items() if n.startswith("curated.")}
    asked = {name: [sql] for name, sql in missions().items()}
    found = list(cells("mission", asked, duck, engine, tables))
    assert len(found) >= 60
    assert not [c for c in found if c.verdict in ("refused", "raised")], "a mission is portable"
    assert differing(found) == []


def test_a_wrong_answer_would_be_seen(duck: DuckEngine) -> None:
    class Wrong(DuckEngine):
        name = "wrong"

        def query(self, sql: str, tables: Any, parameters: Any = None) -> pa.Table:
            table = super().query(sql, tables, parameters)
            return table.set_column(0, "id", pa.array([0] * table.num_rows, pa.int64()))

    wrong = Wrong(duck._store)
    cell = compare("function", "length", ["SELECT id FROM t ORDER BY id"], duck, wrong, TABLES)
    assert cell.verdict == "different"


def test_operations_on_spark(duck: DuckEngine, spark: Engine) -> None:
    assert differing(operations.compared(duck, spark)) == []


def test_rules_on_spark(duck: DuckEngine, spark: Engine) -> None:
    tables = {"landing.x": PRIMARY, "curated.other": OTHER, "curated.same": SAME}

    def judged(engine: Engine, rules: str) -> list[Any]:
        parsed = dqdl.parse(f"Rules = [ {rules} ]", "f")
        verdicts = judge(parsed, engine, "landing.x", tables, history=lambda _: (), now=NOW,
                         references=("curated.other", "curated.same"))  # fmt: skip
        return [
            (v.outcome, {k: round(m, 9) for k, m in v.metrics.items()})
            if "not portable" not in v.message
            else v.message
            for v in verdicts
        ]

    found = []
    for good, bad, _ in CASES:
        both = f"{good}, {bad}"
        left, right = judged(duck, both), judged(spark, both)
        refused = "not portable" in str(right) and left != right
        verdict: Verdict = "refused" if refused else "different"
        verdict = "identical" if left == right else verdict
        found.append(Cell("rule", good[:60], spark.name, verdict, f"{right}, expected {left}"))
    assert differing(found) == []


def test_models(ran: Ran, duck: DuckEngine, engine: Engine) -> None:
    done = ran.done
    tables = {**done.tables(), **system_tables(ran.parts, done)}
    found = []
    for name, model in ran.parts.folder.models.items():
        reads = {r: tables[r] for r in model.reads}
        columns = ", ".join(str(i + 1) for i in range(len(model.columns)))
        sql = f"SELECT * FROM ({model.sql}) ORDER BY {columns}"
        found.append(compare("model", name, [sql], duck, engine, reads))
        results = check_model(model, engine)
        assert all(r.passed for r in results), [r.message for r in results]
    assert differing(found) == []


def test_questions(ran: Ran, engine: Engine) -> None:
    """Every question, for pairs of years, and for departments, types and channels."""
    reading = Reading(ran.parts, ran.done)
    beyond = replace(ran.parts, asking=engine)
    found = []
    for name, parameters in _missions(reading):
        known = {v: reading.values(v) for v in _looked_up(reading, name)}
        calendar = reading.calendar(reading.folder.questions[name].period.source)
        left, right = (
            compute(parts, name, ran.done, parameters, calendar=calendar, known=known)
            for parts in (ran.parts, beyond)
        )
        case = f"{name} {', '.join(f'{k} = {v}' for k, v in parameters.items())}".strip()
        verdict, told = same(case, [*map(list, left.rows)], [*map(list, right.rows)])
        told = told or ("" if left.sentence == right.sentence else right.sentence)
        verdict = verdict if left.sentence == right.sentence else "different"
        found.append(Cell("question", case, engine.name, verdict, told))
    assert len(found) >= 60, len(found)
    assert differing(found) == []


def _looked_up(reading: Reading, name: str) -> list[str]:
    declared = reading.folder.questions[name].parameters.values()
    return [p.values_from for p in declared if p.kind == "value"]


def _missions(reading: Reading) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in reading.questions:
        question = reading.folder.questions[name]
        years = reading.calendar(question.period.source).years
        yield name, {}
        yield from ((name, dict(p)) for p in prebuilt(question, years)[:8])
        for parameter, declared in question.parameters.items():
            if declared.kind == "value":
                for value in reading.values(declared.values_from)[:5]:
                    yield name, {parameter: value}
