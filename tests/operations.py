"""Every operation of a recipe, with what it makes of a few cells.

The unit tests ask DuckDB; the conformance tests ask the other engines, beside adversarial cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from cityline.declarations.corrections import Correction, Corrections, Rename, RenameMap
from cityline.declarations.recipe import Recipe, RecipeStep
from cityline.declarations.source import Source, SourceField
from cityline.ports.cleaning import CleaningPlan, Texts
from cityline.stages.prepare import compile_recipe
from tests.conftest import TODAY


def source(*columns: str) -> Source:
    """A source of text columns."""
    fields = tuple(SourceField(name=n, label=n.upper(), type="text") for n in columns)
    return Source(
        name="s", status="signed", title="t", portal="p", dataset="d", licence="l",
        attribution="a", cadence="monthly", grain=(columns[0],), fields=fields,
    )  # fmt: skip


SOURCE = source("a", "b")


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
    ("NEGATE", {}, "-2.5", 2.5),
    ("SIGN", {}, "-7", -1),
    ("LN", {}, "1", 0.0),
    ("LN", {}, "0", None),
    ("IS_ODD", {}, "-3", True),
    ("CONVERT_TIMEZONE", {"timeZone": "America/Vancouver"}, "2024-07-01T12:00:00Z",
     datetime(2024, 7, 1, 5)),
    ("CRYPTOGRAPHIC_HASH", {}, "abc",
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
]  # fmt: skip
"""Operations of one column in place: parameters, a cell, and what it becomes."""

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
    ("MONTH", {"targetColumn": "c"}, "2024-02-29", 2),
    ("DAY", {"targetColumn": "c"}, "2024-02-29", 29),
    ("WEEK_NUMBER", {"targetColumn": "c"}, "2021-01-03", 53),
]  # fmt: skip
"""Operations that make the column `c` of `a`."""


@dataclass(frozen=True, slots=True)
class Case:
    """One use of an operation: steps before it, rows of `a` and `b`, the rows kept, and the reasons
    of the others."""

    operation: str
    parameters: Mapping[str, Any]
    rows: tuple[tuple[str, str], ...]
    kept: list[dict[str, Any]]
    reasons: tuple[str, ...] = ()
    before: tuple[tuple[str, dict[str, Any]], ...] = ()
    corrections: Corrections = field(default_factory=lambda: Corrections(name="s"))

    def plan(self) -> CleaningPlan:
        """The case as a recipe of its own."""
        steps = (*self.before, (self.operation, dict(self.parameters)))
        return compiled(recipe(*steps, output=self.output), self.corrections)

    @property
    def output(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        return tuple(self.kept[0])


_PAIRED = {"sourceColumns": ["a", "b"], "targetColumn": "c"}
_AS_DATE = (("PARSE_DATE", {"sourceColumn": "a", "order": "iso"}),)
CORRECTIONS = Corrections(
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
WHOLE: list[Case] = [
    Case("MERGE", {**_PAIRED, "delimiter": "/"}, (("6", "3"), ("x", "")),
         [{"c": "6/3"}, {"c": "x/"}]),
    Case("ADD", _PAIRED, (("6", "3"), ("x", "0")), [{"c": 9.0}, {"c": None}]),
    Case("SUBTRACT", _PAIRED, (("6", "3"), ("", "0")), [{"c": 3.0}, {"c": None}]),
    Case("MULTIPLY", _PAIRED, (("6", "-3"),), [{"c": -18.0}]),
    Case("DIVIDE", _PAIRED, (("6", "3"), ("1", "0")), [{"c": 2.0}, {"c": None}]),
    Case("MOD", _PAIRED, (("-7", "3"), ("7", "0")), [{"c": -1.0}, {"c": None}]),
    Case("SPLIT_COLUMN_SINGLE_DELIMITER", {"sourceColumn": "a", "pattern": " - "},
         (("VFRS - Fire - Services", ""), ("311 Contact Centre", "")),
         [{"a_1": "VFRS", "a_2": "Fire - Services"}, {"a_1": "311 Contact Centre", "a_2": None}]),
    Case("SPLIT_COLUMN_BETWEEN_POSITIONS",
         {"sourceColumn": "a", "startPosition": 1, "endPosition": 3},
         (("abcde", ""), ("a", "")),
         [{"a_1": "a", "a_2": "bc", "a_3": "de"}, {"a_1": "a", "a_2": "", "a_3": ""}]),
    Case("SPLIT_COLUMN_FROM_START", {"sourceColumn": "a", "position": 2}, (("été", ""),),
         [{"a_1": "ét", "a_2": "é"}]),
    Case("CODE_AND_NAME", {"sourceColumn": "a", "codeColumn": "k", "nameColumn": "n"},
         (("VFRS - Operations", ""), ("311 Contact Centre", ""), ("Public Safety - Fire", "")),
         [{"k": "VFRS", "n": "Operations"}, {"k": None, "n": "311 Contact Centre"},
          {"k": None, "n": "Public Safety - Fire"}]),
    Case("STANDARDIZE_TEXT", {"sourceColumns": ["a"]},
         (("\u00a0A\u200b  B\t", ""), ("e\u0301te", ""), (" ", ""), ("\ufeff", "")),
         [{"a": "A B"}, {"a": "\u00e9te"}, {"a": None}, {"a": None}]),
    Case("DELETE", {"sourceColumns": ["a"]}, (("x", "y"),), [{"b": "y"}]),
    Case("APPLY_CORRECTION", {"correction": 0},
         (("Sanitaton", "2014"), ("Sanitaton", "2015")), [{"a": "Sanitation"}, {"a": "Sanitaton"}],
         corrections=CORRECTIONS),
    Case("APPLY_RENAMES", {"sourceColumn": "a"}, (("Solid Waste", ""), ("Parks", "")),
         [{"a": "Solid Waste", "now": "Sanitation"}, {"a": "Parks", "now": "Parks"}],
         corrections=CORRECTIONS),
    Case("REMOVE_INVALID", {"sourceColumn": "a", "columnDataType": "integer"},
         (("1", ""), ("x", ""), ("", "")), [{"a": "1"}, {"a": ""}], ("a: not of type integer",)),
    Case("REMOVE_MISSING", {"sourceColumn": "a"}, (("1", ""), ("", "")), [{"a": "1"}],
         ("a: missing",)),
    Case("REMOVE_VALUES", {"sourceColumn": "a", "values": ["Test", "it's"]},
         (("1", ""), ("it's", "")), [{"a": "1"}], ("a: a value the recipe refuses",)),
    Case("REMOVE_DUPLICATES", {"sourceColumn": "b"}, (("1", "x"), ("2", "x"), ("3", "y")),
         [{"a": "1"}, {"a": "3"}], ("b: repeats an earlier row",)),
    Case("DELETE_DUPLICATE_ROWS", {"duplicateColumns": ["a", "b"]},
         (("1", "x"), ("1", "x"), ("1", "y")), [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}],
         ("the same a, b as an earlier row",)),
    Case("RESOLVE_DUPLICATES", {"keyColumns": ["a"], "measureColumn": "b"},
         (("1", "x"), ("1", "x"), ("2", "x"), ("2", "y"), ("3", "z")),
         [{"a": "1", "b": "x"}, {"a": "3", "b": "z"}],
         ("the same a and b as an earlier row",
          *["the same a as another row, with another b"] * 2)),
    Case("REJECT_OUTSIDE", {"sourceColumn": "a", "least": "2009-02-01", "most": "extract",
                            "mostReason": "in the future"},
         (("2009-02-01", ""), ("2009-01-31", ""), ("2100-01-01", "")), [{"a": date(2009, 2, 1)}],
         ("a: < 2009-02-01", "a: in the future"), before=_AS_DATE),
]  # fmt: skip
"""Cases that read or make several columns, or that judge rows."""


def cases() -> list[Case]:
    """Every case, in one shape."""
    return [*_single(), *WHOLE]


def _single() -> Iterator[Case]:
    for out, listed in (("a", ON_A), ("c", TO_C)):
        for name, parameters, value, expected in listed:
            given = {"sourceColumn": "a", **parameters}
            yield Case(name, given, ((value, ""),), [{out: expected}])
