"""Every operation on real values in the real engine; parameters can never become SQL."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityline.adapters.local.engine import DuckEngine
from cityline.declarations.corrections import Correction, Corrections, Rename, RenameMap
from cityline.declarations.recipe import Recipe, RecipeStep
from cityline.declarations.source import Source, SourceField
from cityline.errors import DeclarationError
from cityline.lake.version import Version
from cityline.ports.cleaning import REASON, ROW, Cleaned, CleaningPlan, Texts
from cityline.stages.prepare import compile_recipe, sql_of, to_databrew
from cityline.stages.prepare.operations import OPERATIONS
from tests.conftest import TODAY

SOURCE = Source(
    name="s", status="signed", title="t", portal="p", dataset="d", licence="l", attribution="a",
    cadence="monthly", grain=("a",),
    fields=tuple(SourceField(name=n, label=n.upper(), type="text") for n in ("a", "b")),
)  # fmt: skip


def recipe(*steps: tuple[str, dict[str, Any]], output: tuple[str, ...] = ("a", "b")) -> Recipe:
    made = tuple(RecipeStep(operation=o, parameters=p) for o, p in steps)
    return Recipe(name="s", source="s", steps=made, output=output)


def compiled(made: Recipe, corrections: Corrections | None = None) -> CleaningPlan:
    return compile_recipe(made, SOURCE, corrections or Corrections(name="s"), TODAY)


def texts(*rows: tuple[str, str]) -> Texts:
    columns = {
        n: pa.array([r[i] for r in rows], pa.string()).dictionary_encode()
        for i, n in enumerate(("a", "b"))
    }
    return Texts(pa.table(columns), pa.array(range(1, len(rows) + 1), pa.int64()))


def cleaned(engine: DuckEngine, plan: CleaningPlan, *rows: tuple[str, str]) -> Cleaned:
    return engine.clean(plan, texts(*rows))


def held(done: Cleaned) -> pa.Table:
    """The kept rows, which DuckDB holds as a table."""
    assert not isinstance(done.kept, Version)
    return done.kept


ON_A: list[tuple[str, dict[str, Any], str, Any]] = [
    ("UPPER_CASE", {}, "été's", "ÉTÉ'S"),
    ("LOWER_CASE", {}, "ÀB", "àb"),
    ("SENTENCE_CASE", {}, "hELLO World", "Hello world"),
    ("CAPITAL_CASE", {}, "mayor's OFFICE", "Mayor's Office"),
    ("TRIM", {}, "  x ", "x"),
    ("REMOVE_WHITESPACE", {}, " a b\tc", "abc"),
    ("REMOVE_SYMBOLS", {}, "a-b & é1!", "ab  é1"),
    ("ADD_DOUBLE_QUOTES", {}, "x", '"x"'),
    ("ADD_SINGLE_QUOTES", {}, "x", "'x'"),
    ("LEN", {}, "héllo", 5),
    ("ADD_PREFIX", {"pattern": "a'; DROP TABLE x; --"}, "x", "a'; DROP TABLE x; --x"),
    ("ADD_SUFFIX", {"pattern": "'"}, "x", "x'"),
    ("EXTRACT_PATTERN", {"pattern": r"\d+"}, "room 42b", "42"),
    ("EXTRACT_PATTERN", {"pattern": r"\d+"}, "none", None),
    ("EXTRACT_BETWEEN_DELIMITERS", {"startPattern": "(", "endPattern": ")"}, "a (b) c", "b"),
    ("EXTRACT_BETWEEN_DELIMITERS", {"startPattern": "(", "endPattern": ")"}, "a b", None),
    ("EXTRACT_BETWEEN_POSITIONS", {"startPosition": 1, "endPosition": 3}, "abcdef", "bc"),
    ("REPLACE_TEXT", {"pattern": "[0-9]+", "value": r"\1'"}, "a12", r"a\1'"),
    ("REPLACE_BETWEEN_DELIMITERS", {"startPattern": "<", "endPattern": ">", "value": "x"},
     "a<b>c", "a<x>c"),
    ("REPLACE_BETWEEN_POSITIONS", {"startPosition": 1, "endPosition": 2, "value": "-"},
     "abc", "a-c"),
    ("REMOVE_COMBINED", {"removeLeadingAndTrailingWhitespace": "true",
     "collapseConsecutiveWhitespace": "true"}, "  a   b ", "a b"),
    ("REMOVE_COMBINED", {"removeNumbers": True, "removeAllPunctuation": True}, "a1.b2!", "ab"),
    ("REMOVE_COMBINED", {"removeCustomCharacters": True, "customCharacters": "#'"}, "#a'b", "ab"),
    ("LEFT", {"position": 2}, "abc", "ab"),
    ("RIGHT", {"position": 2}, "abc", "bc"),
    ("MASK_RANGE", {"start": 1, "stop": 3}, "abcd", "a##d"),
    ("MASK_CUSTOM", {"customPattern": "[0-9]", "maskSymbol": "*"}, "a1b2", "a*b*"),
    ("CHANGE_DATA_TYPE", {"columnDataType": "integer"}, "12", 12),
    ("CHANGE_DATA_TYPE", {"columnDataType": "date"}, "no", None),
    ("CATEGORICAL_MAPPING", {"categoryMap": {"x'": "y'"}}, "x'", "y'"),
    ("CATEGORICAL_MAPPING", {"categoryMap": {"x": "y"}, "other": "z"}, "q", "z"),
    ("FILL_WITH_CUSTOM", {"value": "none"}, "", "none"),
    ("FILL_WITH_NULL", {}, "", None),
    ("FILL_WITH_EMPTY", {}, "x", "x"),
    ("REPLACE_WITH_NULL", {"columnDataType": "integer"}, "x1", None),
    ("REPLACE_WITH_CUSTOM", {"columnDataType": "integer", "value": "0"}, "x1", "0"),
    ("REPLACE_WITH_EMPTY", {"columnDataType": "double"}, "x1", ""),
    ("ABSOLUTE", {}, "-2.5", 2.5),
    ("ROUND", {"decimals": 1}, "2.25", 2.3),
    ("FLOOR", {}, "-1.5", -2.0),
    ("CEILING", {}, "1.2", 2.0),
    ("SQUARE_ROOT", {}, "-1", None),
    ("IS_EVEN", {}, "4", True),
    ("FORMAT_DATE", {"dateFormat": "mmm yyyy"}, "2024-07-31", "Jul 2024"),
    ("NULL_WORDS", {"words": ["N/A", "it's"]}, "it's", None),
    ("PARSE_DECIMAL", {}, "0.25", 0.25),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "value", "expected"), ON_A)
def test_operations_on_one_column(
    engine: DuckEngine, name: str, parameters: dict[str, Any], value: str, expected: Any
) -> None:
    plan = compiled(recipe((name, {"sourceColumn": "a", **parameters}), output=("a",)))
    found = held(cleaned(engine, plan, (value, "")))["a"].to_pylist()
    assert found == [pytest.approx(expected) if isinstance(expected, float) else expected]


TO_C: list[tuple[str, dict[str, Any], str, Any]] = [
    ("DUPLICATE", {"targetColumn": "c"}, "x", "x"),
    ("RENAME", {"targetColumn": "c"}, "x", "x"),
    ("YEAR", {"targetColumn": "c"}, "2024-02-29", 2024),
    ("QUARTER", {"targetColumn": "c"}, "2024-12-31", 4),
    ("WEEK_DAY", {"targetColumn": "c"}, "2024-09-30", 1),
    ("MONTH_NAME", {"targetColumn": "c"}, "2024-09-30", "September"),
    ("DATE_ADD", {"targetColumn": "c", "units": "MONTHS", "dateAddValue": 1}, "2024-01-31",
     date(2024, 2, 29)),
    ("FLAG_COLUMN_FROM_NULL", {"targetColumn": "c"}, "", True),
    ("FLAG_COLUMN_FROM_PATTERN", {"targetColumn": "c", "pattern": "^EN"}, "ENG", True),
    ("BUCKETIZATION", {"targetColumn": "c", "interval": 10}, "37", 30.0),
    ("PARSE_MONTH", {"targetColumn": "c"}, "Jul-23", date(2023, 7, 1)),
    ("PARSE_COUNT", {"targetColumn": "c"}, "12,345", 12345),
    ("PARSE_DATE", {"targetColumn": "c", "order": "dmy"}, "03/04/2024", date(2024, 4, 3)),
    ("PARSE_DATE", {"targetColumn": "c", "order": "mdy"}, "03/04/2024", date(2024, 3, 4)),
    ("PARSE_TIMESTAMP", {"targetColumn": "c", "order": "iso", "timeZone": "America/Vancouver"},
     "2023-12-11T06:48:14-08:00", datetime(2023, 12, 11, 14, 48, 14)),
    ("PARSE_TIMESTAMP", {"targetColumn": "c", "order": "iso", "timeZone": "America/Toronto"},
     "2025-01-01 00:01:05.0000000", datetime(2025, 1, 1, 5, 1, 5)),
    ("PARSE_TIMESTAMP", {"targetColumn": "c", "order": "mdy", "timeZone": "America/New_York"},
     "02/17/2020 12:19:00 PM", datetime(2020, 2, 17, 17, 19)),
    ("PARSE_TIMESTAMP", {"targetColumn": "c", "order": "epoch-ms", "timeZone": "UTC"},
     "1600000000000", datetime(2020, 9, 13, 12, 26, 40)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "value", "expected"), TO_C)
def test_operations_that_make_a_column(
    engine: DuckEngine, name: str, parameters: dict[str, Any], value: str, expected: Any
) -> None:
    plan = compiled(recipe((name, {"sourceColumn": "a", **parameters}), output=("c",)))
    assert held(cleaned(engine, plan, (value, "")))["c"].to_pylist() == [expected]


def test_operations_on_two_columns(engine: DuckEngine) -> None:
    steps = [
        ("MERGE", {"sourceColumns": ["a", "b"], "delimiter": "/", "targetColumn": "m"}),
        ("ADD", {"sourceColumns": ["a", "b"], "targetColumn": "p"}),
        ("DIVIDE", {"sourceColumns": ["a", "b"], "targetColumn": "q"}),
    ]
    plan = compiled(recipe(*steps, output=("m", "p", "q")))
    assert held(cleaned(engine, plan, ("6", "3"), ("1", "0"))).to_pylist() == [
        {"m": "6/3", "p": 9.0, "q": 2.0},
        {"m": "1/0", "p": 1.0, "q": None},
    ]


def test_splits(engine: DuckEngine) -> None:
    plan = compiled(
        recipe(
            ("SPLIT_COLUMN_SINGLE_DELIMITER", {"sourceColumn": "a", "pattern": " - "}),
            ("CODE_AND_NAME", {"sourceColumn": "a", "codeColumn": "k", "nameColumn": "n"}),
            output=("a_1", "a_2", "k", "n"),
        )
    )
    names = ["VFRS - Operations - Emergency Services", "311 Contact Centre", "Public Safety - Fire"]
    assert [
        tuple(r.values())
        for r in held(cleaned(engine, plan, *((n, "") for n in names))).to_pylist()
    ] == [
        ("VFRS", "Operations - Emergency Services", "VFRS", "Operations - Emergency Services"),
        ("311 Contact Centre", None, None, "311 Contact Centre"),
        ("Public Safety", "Fire", None, "Public Safety - Fire"),
    ]


def test_standardize_text(engine: DuckEngine) -> None:
    plan = compiled(recipe(("STANDARDIZE_TEXT", {"sourceColumns": ["a"]}), output=("a",)))
    given_texts = ["\u00a0A\u200b  B\t", "e\u0301te", " ", "\ufeff"]
    found = held(cleaned(engine, plan, *((t, "") for t in given_texts)))["a"].to_pylist()
    assert found == ["A B", "éte", None, None]


def test_corrections_and_renames_keep_the_published_value(engine: DuckEngine) -> None:
    corrections = Corrections(
        name="s",
        corrections=(
            Correction(reason="typo", column="a", found="Sanitaton", value="Sanitation",
                       when={"b": "2014"}, expect_rows=(1, 1)),
        ),
        rename_maps=(
            RenameMap(column="a", into="now", renames=(
                Rename(found="Solid Waste", now="Sanitation", evidence="inferred"),)),
        ),
    )  # fmt: skip
    steps = [("APPLY_CORRECTIONS", {}), ("APPLY_RENAMES", {"sourceColumn": "a"})]
    plan = compiled(recipe(*steps, output=("a", "now")), corrections)
    done = cleaned(engine, plan, ("Sanitaton", "2014"), ("Sanitaton", "2015"), ("Solid Waste", ""))
    assert held(done).to_pylist() == [
        {"a": "Sanitation", "now": "Sanitation"},
        {"a": "Sanitaton", "now": "Sanitaton"},
        {"a": "Solid Waste", "now": "Sanitation"},
    ]
    assert done.effects[0].cells_changed == 1
    assert plan.steps[0].expected == (1, 1)


def test_every_problem_of_a_recipe_is_told_with_its_key() -> None:
    made = recipe(
        ("UPERCASE", {"sourceColumn": "a"}),
        ("UPPER_CASE", {"sourceColum": "a"}),
        ("UPPER_CASE", {"sourceColumn": "aa"}),
        ("EXTRACT_PATTERN", {"sourceColumn": "a", "pattern": "["}),
        ("LEFT", {"sourceColumn": "a", "position": "two"}),
        ("CHANGE_DATA_TYPE", {"sourceColumn": "a", "columnDataType": "intger"}),
        output=("a", "zz"),
    )
    with pytest.raises(DeclarationError) as caught:
        compiled(made)
    told = {(p.key, p.hint) for p in caught.value.problems}
    assert ("steps.0.operation", "did you mean 'UPPER_CASE'?") in told
    assert ("steps.1.parameters.sourceColum", "did you mean 'sourceColumn'?") in told
    assert ("steps.2.parameters.sourceColumn", "did you mean 'a'?") in told
    assert {"steps.3.parameters.pattern", "steps.4.parameters.position", "output"} <= {
        k for k, _ in told
    }
    assert ("steps.5.parameters.columnDataType", "did you mean 'integer'?") in told


def test_a_recipe_of_databrews_operations_becomes_its_json() -> None:
    made = recipe(("UPPER_CASE", {"sourceColumn": "a"}), ("DELETE", {"sourceColumns": ["b"]}))
    assert to_databrew(made) == [
        {"Action": {"Operation": "UPPER_CASE", "Parameters": {"sourceColumn": "a"}}},
        {"Action": {"Operation": "DELETE", "Parameters": {"sourceColumns": '["b"]'}}},
    ]
    with pytest.raises(DeclarationError, match="DataBrew has no PARSE_MONTH"):
        to_databrew(recipe(("PARSE_MONTH", {"sourceColumn": "a"})))


def test_there_are_enough_operations_with_databrews_names() -> None:
    assert sum(not o.own for o in OPERATIONS.values()) >= 60


CELL = st.one_of(
    st.sampled_from(["", " ", "5", "5 ", "05", "-3", "2.0", "x", "N/A", "é", "e\u0301", "1,000"]),
    st.text(alphabet="ab 1,;'\"", max_size=4),
)
STEPS = st.lists(
    st.sampled_from(
        [
            ("STANDARDIZE_TEXT", {"sourceColumns": ["a", "b"]}),
            ("UPPER_CASE", {"sourceColumn": "a"}),
            ("NULL_WORDS", {"sourceColumn": "b", "words": ["N/A"]}),
            ("REMOVE_MISSING", {"sourceColumn": "a"}),
            ("REMOVE_INVALID", {"sourceColumn": "b", "columnDataType": "integer"}),
            ("FILL_WITH_CUSTOM", {"sourceColumn": "a", "value": "?"}),
            ("DELETE_DUPLICATE_ROWS", {"duplicateColumns": ["a", "b"]}),
            ("REMOVE_DUPLICATES", {"sourceColumn": "b"}),
            ("RESOLVE_DUPLICATES", {"keyColumns": ["a"], "measureColumn": "b"}),
            ("ADD_SUFFIX", {"sourceColumn": "b", "pattern": "'"}),
        ]
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=120, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), max_size=12), steps=STEPS)
def test_cleaning_the_distinct_values_equals_the_sql_a_person_reads(
    rows: list[tuple[str, str]], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    """The engine's fast way against the recipe's own SQL, row by row, reasons included."""
    merged = ("MERGE", {"sourceColumns": ["a", "b"], "delimiter": "|", "targetColumn": "m"})
    plan = compiled(recipe(*steps, merged, output=("a", "b", "m", ROW)))
    fast = ENGINE.clean(plan, texts(*rows))
    raw = pa.table(
        {
            "a": pa.array([r[0] for r in rows], pa.string()),
            "b": pa.array([r[1] for r in rows], pa.string()),
            ROW: pa.array(range(1, len(rows) + 1), pa.int64()),
        }
    )
    slow = ENGINE.query(sql_of(plan), {"raw_texts": raw}).to_pylist()
    kept = sorted((r for r in slow if r[REASON] is None), key=lambda r: r[ROW])
    wanted = [{c: r[c] for c in plan.output} for r in kept]
    assert sorted(held(fast).to_pylist(), key=lambda r: r[ROW]) == wanted
    away = {r[ROW]: r[REASON] for r in slow if r[REASON] is not None}
    assert {r[ROW]: r["reason"] for r in fast.quarantined.to_pylist()} == away
    assert held(fast).num_rows + fast.quarantined.num_rows == len(rows)


def _engine() -> DuckEngine:
    from pathlib import Path  # noqa: PLC0415 - one use

    from cityline.adapters.local.store import FolderStore  # noqa: PLC0415

    return DuckEngine(FolderStore(Path("unused")))


ENGINE = _engine()
