"""Every rule type passing and failing, on real SQL, with the figure computed another way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from cityline.adapters.local.engine import DuckEngine
from cityline.declarations import dqdl
from cityline.errors import DeclarationError
from cityline.guards.govern import Verdict, check, judge

NOW = datetime(2026, 8, 17, 12, tzinfo=UTC)
PRIMARY = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "kind": ["Phone", "Chat", "Chat", None],
        "n": pa.array([10, 20, 30, None], pa.int64()),
        "note": ["", " ", "it's", "x" * 20],
        "text": ["1", "2", "x", None],
        "day": [date(2026, 8, 16), date(2026, 8, 17), date(2026, 8, 15), date(2026, 8, 16)],
    }
)
OTHER = pa.table({"id": pa.array([1, 2, 3], pa.int64()), "n": pa.array([10, 20, 30], pa.int64())})
SAME = PRIMARY.slice(0, 0)


def verdicts(
    engine: DuckEngine, rules: str, past: Sequence[float] = (), table: pa.Table = PRIMARY
) -> tuple[Verdict, ...]:
    tables = {"landing.x": table, "curated.other": OTHER, "curated.same": SAME}
    return judge(
        dqdl.parse(f"Rules = [ {rules} ]", "f"),
        engine,
        "landing.x",
        tables,
        history=lambda _: past,
        now=NOW,
        references=("curated.other", "curated.same"),
    )


CASES = [
    ("RowCount = 4", "RowCount > 4", 4),
    ('RowCount = 2 where "n > 10"', 'RowCount = 4 where "n > 10"', 2),
    ("ColumnCount = 6", "ColumnCount < 6", 6),
    ('ColumnExists "kind"', 'ColumnExists "knd"', None),
    ('ColumnNamesMatchPattern "[a-z]+"', 'ColumnNamesMatchPattern "[a-m]+"', None),
    ('SchemaMatch "curated.same" = 1.0', 'SchemaMatch "curated.other" = 1.0', 1),
    ('IsComplete "id"', 'IsComplete "kind"', 1),
    ('Completeness "kind" >= 0.75', 'Completeness "kind" > 0.75', 0.75),
    ('IsUnique "id"', 'IsUnique "kind"', 1),
    ('Uniqueness "kind" between 0.3 and 0.4', 'Uniqueness "kind" > 0.5', 1 / 3),
    ('UniqueValueRatio "kind" = 0.5', 'UniqueValueRatio "kind" > 0.5', 0.5),
    ('IsPrimaryKey "id"', 'IsPrimaryKey "kind"', 1),
    ('IsPrimaryKey "id" "note"', 'IsPrimaryKey "id" "kind"', 1),
    ('ColumnValues "id" between 0 and 5', 'ColumnValues "id" between 1 and 5', 1),
    ('ColumnValues "kind" in ["Phone", "Chat", NULL]', 'ColumnValues "kind" in ["Phone", "Chat"]', 1),
    ('ColumnValues "kind" not in ["Mail"] with threshold >= 0.75',
     'ColumnValues "kind" not in ["Mail"]', 0.75),
    ('ColumnValues "n" > 5 where "n is not null"', 'ColumnValues "n" > 5', 1),
    ('ColumnValues "note" in [EMPTY, WHITESPACES_ONLY] with threshold = 0.5',
     'ColumnValues "note" = EMPTY', 0.5),
    ('ColumnValues "note" != "it\'s" with threshold = 0.75', 'ColumnValues "note" != "it\'s"', 0.75),
    ('ColumnValues "kind" matches "Ph.*|Ch.*" where "kind is not null"',
     'ColumnValues "kind" matches "Ph.*"', 1),
    ('ColumnValues "day" >= now() - 3 days', 'ColumnValues "day" >= now() - 24 hours', 1),
    ('ColumnValues "day" > "2026-08-14"', 'ColumnValues "day" > "2026-08-15"', 1),
    ('ColumnDataType "text" = "Integer" with threshold > 0.7', 'ColumnDataType "text" = "Integer"', 0.75),
    ('ColumnLength "note" <= 20', 'ColumnLength "note" < 20', 1),
    ('DistinctValuesCount "kind" = 2', 'DistinctValuesCount "kind" > 2', 2),
    ('Sum "n" = 60', 'Sum "n" > 60', 60),
    ('Mean "n" = 20', 'Mean "n" < 20', 20),
    ('StandardDeviation "n" between 8 and 9', 'StandardDeviation "n" > 9', math.sqrt(200 / 3)),
    ('Variance "n" between 66 and 67', 'Variance "n" < 66', 200 / 3),
    ('Entropy "kind" between 0.6 and 0.7', 'Entropy "kind" > 1',
     -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3))),
    ('ColumnCorrelation "id" "n" > 0.99', 'ColumnCorrelation "id" "n" < 0.9', 1),
    ('RowCountMatch "curated.other" > 1.3', 'RowCountMatch "curated.other" = 1.0', 4 / 3),
    ('AggregateMatch "sum(n)" "sum(curated.other.n)" = 1.0',
     'AggregateMatch "sum(id)" "sum(curated.other.n)" = 1.0', 1),
    ('ReferentialIntegrity "id" "curated.other.{id}" = 0.75',
     'ReferentialIntegrity "id" "curated.other.{id}" = 1.0', 0.75),
    ('DataFreshness "day" <= 3 days', 'DataFreshness "day" <= 48 hours', 60),
    ('CustomSql "select count(*) from primary where n > 10" = 2',
     'CustomSql "select count(*) from primary" = 3', 2),
    ('CustomSql "select id from primary where id > 1" with threshold = 0.75',
     'CustomSql "select id from primary where id > 1"', 0.75),
    ('(IsComplete "id") and (RowCount = 4)', '(IsComplete "id") and (RowCount = 5)', None),
    ('(IsComplete "kind") or (RowCount = 4)', '(IsComplete "kind") or (RowCount = 5)', None),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "observed"), CASES, ids=[c[0][:40] for c in CASES])
def test_a_rule_passes_and_fails(
    engine: DuckEngine, good: str, bad: str, observed: float | None
) -> None:
    passed, failed = verdicts(engine, f"{good}, {bad}")
    assert passed.outcome == "passed", passed
    assert failed.outcome == "failed", failed
    assert failed.blocks
    if observed is not None:
        assert next(iter(passed.metrics.values())) == pytest.approx(observed)
    assert bad in failed.message or "and" in bad or "or" in bad
    assert Verdict.from_json(failed.to_json()) == failed


def test_what_is_tested_covers_what_is_run() -> None:
    from cityline.guards.govern.measures import MEASURES  # noqa: PLC0415 - only here

    tested = {c[0].split()[0] for c in CASES if not c[0].startswith("(")}
    assert set(MEASURES) == tested


def test_thresholds_from_history(engine: DuckEngine) -> None:
    past = [100.0, 104.0, 96.0]
    good, bad, first = (
        verdicts(engine, "RowCount >= 0.03 * avg(last(10))", past)[0],
        verdicts(engine, "RowCount >= 0.5 * max(last(2))", past)[0],
        verdicts(engine, "RowCount >= avg(last(10))", ())[0],
    )
    assert (good.outcome, bad.outcome, first.outcome) == ("passed", "failed", "passed")
    assert "no history" in first.message


def test_severity_is_a_label(engine: DuckEngine) -> None:
    ruleset = dqdl.parse(
        'DefaultLabels = ["severity"="warn"]\n'
        'Rules = [ RowCount > 9, IsComplete "kind" labels = ["severity"="block"] ]',
        "f",
    )
    found = judge(
        ruleset, engine, "landing.x", {"landing.x": PRIMARY}, history=lambda _: (), now=NOW
    )
    assert [v.outcome for v in found] == ["warned", "failed"]


def test_an_unknown_column_fails_and_does_not_crash(engine: DuckEngine) -> None:
    found = verdicts(engine, 'IsComplete "gone", Sum "kind" > 1, RowCount = 4')
    assert [v.outcome for v in found] == ["failed", "failed", "passed"]
    assert "there is no column 'gone'" in found[0].message


def test_empty_tables_have_verdicts_too(engine: DuckEngine) -> None:
    found = verdicts(
        engine, 'RowCount > 0, IsComplete "id", Sum "n" > 1', table=PRIMARY.slice(0, 0)
    )
    assert [v.outcome for v in found] == ["failed", "passed", "failed"]


def test_a_literal_cannot_become_sql(engine: DuckEngine) -> None:
    attack = "x' OR '1'='1"
    found = verdicts(engine, f'ColumnValues "kind" = "{attack}" with threshold > 0')
    assert found[0].outcome == "failed"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('Rules = [ IsComplet "x" ]', "unknown rule type 'IsComplet'"),
        ("Rules = [ RowCount > ]", "line 1, column 22"),
        ("Rules = [ RowCount > 1", "not DQDL"),
        ("Rules = [ RowCount > $x ]", "the variable $x is not set"),
    ],
)
def test_faults_are_told_with_their_place(text: str, told: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        dqdl.parse(text, "f.dqdl")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "rule", ['DetectAnomalies "RowCount"', "AllStatistics", 'FileFreshness "s3"']
)
def test_a_type_that_is_not_run_is_refused_by_name(rule: str) -> None:
    with pytest.raises(DeclarationError, match=rule.split(maxsplit=1)[0]):
        check(dqdl.parse(f"Rules = [ {rule} ]", "f"), "f")


def test_variables_comments_and_analyzers() -> None:
    made = dqdl.parse(
        'channels = "Phone"\n# a comment\nAnalyzers = [ RowCount ]\n'
        'Rules = [ ColumnValues "kind" in [$channels, "Chat"], ]',
        "f",
    )
    rule = made.rules[0]
    assert isinstance(rule, dqdl.Rule)
    assert rule.condition is not None
    assert rule.condition.operands == (dqdl.Text("Phone"), dqdl.Text("Chat"))
