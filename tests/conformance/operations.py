"""Every operation on adversarial cells, on DuckDB and on another engine.

An engine takes a second for a recipe, so operations that judge no row share one: each has columns
of its own, copied from `a` and `b`. One that judges rows, or reads corrections, has its own recipe.
What the dialect refuses for an engine never reaches it: that is told without asking.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from cityline.adapters.local.engine import DuckEngine
from cityline.declarations.corrections import Corrections
from cityline.dialect import emit
from cityline.errors import EngineError
from cityline.ports.cleaning import (
    ROW,
    Cleaned,
    CleaningPlan,
    CleaningStep,
    Expression,
    StepEffect,
)
from cityline.ports.engine import Engine
from cityline.ports.recipe_sql import counted_sql
from cityline.stages.prepare import compile_recipe
from cityline.stages.prepare.operations import OPERATIONS
from cityline.stages.prepare.operations.registry import Kind
from tests.conformance import data
from tests.conformance.matrix import LOUD, Cell, Verdict, plain, same
from tests.conftest import TODAY
from tests.operations import cases, recipe, source, texts

LEFT_OUT: dict[str, str] = {}
"""Operations that are not asked, each with the reason."""
NOTHING = "∅"
"""The cell that becomes NULL before the operation: a file's cells are texts."""
_COPIES = {
    "a": f"nullif(a, '{NOTHING}')",
    "b": f"nullif(b, '{NOTHING}')",
    "d": "CASE WHEN regexp_matches(a, '[0-9]') THEN CAST(try_strptime(a, '%Y-%m-%d') AS DATE) END",
    "n": r"CASE WHEN regexp_full_match(a, '-?\d{1,18}') THEN TRY_CAST(a AS BIGINT) END",
    "x": "TRY_CAST(a AS DOUBLE)",
}
"""Columns a case may read: texts as they came, and those that are days, whole numbers, numbers."""
_TOGETHER = 12
"""Cases of a recipe: more make a query that engines take long to plan."""

_MONTHS = [
    "2024-02", "2024-2", "2024-13", "2024-00", "Feb-24", "feb-24", "FEB-24", "Sept-23", "Sep-23",
    "September 2023", "Sep 2023", "sep 2023", "202402", "2024022", "May 2024", "Jul-69", "Jul-68",
    "février 2024", " 2024-02", "2024-02 ", "2024-02-30", "2024-02-29 00:00:00", "2023-02-29",
    "0001-01", "9999-12", "10000-01", "24-02", "2024/02", "Feb  2024", "2024-02-29 24:00:00",
]  # fmt: skip
_DATES = [
    "29/02/2024", "29/02/2023", "02/29/2024", "3/4/2024", "03-04-2024", "31/12/99", "29-02-2000",
    "2024-02-29T12:30:45", "2024-02-29T12:30:45Z", "2024-02-29 23:59:60", "2024-03-10T02:30:00",
    "2024-11-03 01:30:00", "2024-03-31 02:30:00", "2023-12-11T06:48:14-08:00",
    "2023-12-11T06:48:14.123456789+0530", "2023-12-11 06:48:14.1234567", "2024-02-29 00:00:00+00",
    "02/17/2020 12:19:00 PM", "02/17/2020 12:19:00 AM", "02/17/2020 00:00:00 AM",
    "02/17/2020 13:00:00 PM", "02/17/2020 1:05:09 pm", "17/02/2020 23:59:59", "12/31/2020 23:59:59",
    "31/12/2020 11:59:59 PM", "1600000000000", "-1", "9999999999999999", "1600000000000.5",
    "1900-01-01", "1582-10-10", "0001-01-01", "9999-12-31", "-0044-03-15", "infinity", "epoch",
    "2024-01-31", "2021-01-03", "2020-12-31", "1969-12-31", "20240229",
]  # fmt: skip
_NUMBERS = [
    "0", "-0", "-0.0", "+5", "-7", "7", "12,345", "1,23", "1,234,567", "1,234.5", "-12,345", "0x1F",
    "1e3", "1E-3", "1e400", "-1e400", "1e-320", "NaN", "nan", "inf", "-Infinity", "2147483648",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "123456789012345678901234567890", "9,223,372,036,854,775,808", "2.5", "-2.5", "0.5", "-0.5",
    "1.005", "2.675", "99.995", "1234567.891", ".5", "5.", "-1.5", "1_000", "١٢", "５", "12 345",
    " 5 ", "1d", "1f", "true", "False", "t", "yes", "-", "+", "--5", "1e15", "123456789.125",
]  # fmt: skip
_WORDS = [
    " ", "\t\n", "\u00a0", "\u200b", "\ufeffBOM", "Ω Ångström", "ß", "ẞ", "ſ long s", "ŉ", "ǰ", "İ",
    "👨‍👩‍👧 family", "\u3000wide\u3000", "a  b   c", "N/A", "n/a", "it's", "'quoted'", '"quoted"',
    "(a) (b)", "a (b) c", "(unclosed", ")(", "()", "<b><i>x</i>", "ENG - Parks", "E - x", "eng - x",
    "ENGINEER - x", "ENG -x", "ENG - ", " - x", "a - b - c - d", "x - ", "Sanitaton", "Solid Waste",
    "John O'Neil-smith", "mAC dONALD", "é", "e\u0301", "!?.,a.,!?", "''a''", "#a#", "a\rb", "a\vb",
    "\\d", r"\1", "$0", "100%", "_", "%", "{x}", "[x]", "^x$", "a|b", "ÀÉÎõü", "ПРИВЕТ мир", "ΑΣ ας",
    "ǆ ǅ Ǆ", "ﬃ", "𝔘nicode 𐐀", "़क", "2014", "2015", "ab", "abcdefghij",
]  # fmt: skip


def rows() -> list[tuple[str, str]]:
    """Cells of `a`, each with another one as `b`; some rows stand twice, and some have a twin with
    another `b`."""
    told = [v for v in data.rows()["s"].to_pylist() if v is not None]
    own = [row for case in cases() for row in case.rows]
    cells = [NOTHING, *told, *_MONTHS, *_DATES, *_NUMBERS, *_WORDS]
    beside = [*_NUMBERS, "", NOTHING, "2014", "x"]
    pairs = [(cell, beside[at % len(beside)]) for at, cell in enumerate(dict.fromkeys(cells))]
    return [*own, *pairs, *pairs[::5], *((a, "twin") for a, _ in pairs[1::7]), ("", ""), ("", "")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Steps by name and parameters, of which the last is the operation, and the columns compared."""

    steps: tuple[tuple[str, Mapping[str, Any]], ...]
    columns: tuple[str, ...]
    corrections: Corrections = field(default_factory=lambda: Corrections(name="s"))

    @property
    def operation(self) -> str:
        """The operation's name."""
        return self.steps[-1][0]

    @property
    def read(self) -> set[str]:
        """The columns it reads, by their names before they are told apart."""
        named = {given.get("sourceColumn") for _, given in self.steps}
        return {"a", "b"} | {n for n in _COPIES if n in named}

    @property
    def alone(self) -> bool:
        """Whether it needs a recipe of its own."""
        steps = together([self], apart=False).steps
        judges = any(s.rejects or s.duplicates for s in steps)
        return judges or bool(self.corrections.corrections)

    @property
    def refused(self) -> str:
        """Why no engine but DuckDB is asked; empty when all are."""
        counted = counted_sql(together([self], apart=False))
        notes = [mark for several in counted.marks.values() for mark in several]
        schema = {"a": "VARCHAR", "b": "VARCHAR", ROW: "BIGINT"}
        try:
            emit(counted.sql, "spark", {"raw_texts": schema}, notes=notes)
        except EngineError as error:
            return error.what
        return ""


def asked() -> list[Asked]:
    """The unit tests' cases without their cells, and cases that only engines are compared in."""
    found = [
        Asked((*c.before, (c.operation, c.parameters)), c.output, c.corrections) for c in cases()
    ]
    known = {str((a.steps, a.columns)): a for a in (*found, *_more())}
    return [*known.values()]


def _more() -> Iterator[Asked]:
    """Other parameters; numbers and dates that are no texts any more."""
    a = {"sourceColumn": "a"}
    c = {**a, "targetColumn": "c"}
    for name, given in _PARAMETERS:
        yield Asked(((name, {**a, **given}),), ("a",))
    for name in ("YEAR", "QUARTER", "MONTH", "DAY", "WEEK_NUMBER", "WEEK_DAY", "MONTH_NAME"):
        yield Asked(((name, {**c, "sourceColumn": "d"}),), ("c",))
    for form in (
        "yyyy-mm-dd",
        "yyyy-mm",
        "dd/mm/yyyy",
        "mm/dd/yyyy",
        "mmm yyyy",
        "mmmm yyyy",
        "yyyymm",
    ):
        yield Asked((("FORMAT_DATE", {**c, "sourceColumn": "d", "dateFormat": form}),), ("c",))
    for typed in ("n", "x"):
        for name in _OF_NUMBERS:
            yield Asked(((name, {**c, "sourceColumn": typed}),), ("c",))
    for units in ("DAYS", "MONTHS", "YEARS"):
        for count in (-1, 13):
            given = {**c, "sourceColumn": "d", "units": units, "dateAddValue": count}
            yield Asked((("DATE_ADD", given),), ("c",))
    split = {**a, "pattern": " - ", "limit": 3}
    yield Asked((("SPLIT_COLUMN_SINGLE_DELIMITER", split),), tuple(f"a_{i}" for i in range(1, 5)))
    yield Asked((("MERGE", {"sourceColumns": ["a", "b"], "targetColumn": "c"}),), ("c",))
    yield Asked((("BUCKETIZATION", {**c, "interval": 0.1}),), ("c",))


_OF_NUMBERS = ("ABSOLUTE", "CEILING", "FLOOR", "NEGATE", "SIGN", "SQUARE_ROOT", "LN", "IS_EVEN",
               "IS_ODD", "ROUND")  # fmt: skip
_TYPES = ("string", "integer", "double", "boolean", "date", "timestamp")
_PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    *(("CHANGE_DATA_TYPE", {"columnDataType": t}) for t in _TYPES),
    *(("REPLACE_WITH_NULL", {"columnDataType": t}) for t in ("double", "boolean", "date")),
    *(("REMOVE_INVALID", {"columnDataType": t}) for t in ("double", "boolean")),
    ("REPLACE_WITH_CUSTOM", {"columnDataType": "double", "value": "0"}),
    ("PARSE_DATE", {"order": "iso"}),
    ("PARSE_TIMESTAMP", {"order": "dmy", "timeZone": "America/Vancouver"}),
    ("LEFT", {"position": 0}),
    ("RIGHT", {"position": 0}),
    ("RIGHT", {"position": 100}),
    ("ROUND", {}),
    ("ROUND", {"decimals": 3}),
    ("MASK_RANGE", {"start": 0, "stop": 100, "maskSymbol": "*"}),
    ("MASK_RANGE", {"start": 3, "stop": 1}),
    ("MASK_CUSTOM", {"customPattern": "[a-z]+", "maskSymbol": "$1"}),
    ("EXTRACT_BETWEEN_POSITIONS", {"startPosition": 3, "endPosition": 1}),
    ("EXTRACT_PATTERN", {"pattern": "[A-Z]{2,}"}),
    ("REPLACE_TEXT", {"pattern": r"\s+", "value": "$0"}),
    ("REPLACE_TEXT", {"pattern": "^$", "value": "empty"}),
    ("REMOVE_COMBINED", {"removeSpecialCharacters": True, "removeLetters": True}),
    ("REMOVE_COMBINED", {"removeAllQuotes": True, "removeAllWhitespace": True}),
    ("REMOVE_COMBINED", {"removeLeadingAndTrailingPunctuation": True,
                         "removeLeadingAndTrailingQuotes": True}),
    ("REMOVE_COMBINED", {"removeCustomValue": True, "customValue": "ab"}),
]  # fmt: skip


def together(several: Sequence[Asked], *, apart: bool = True) -> CleaningPlan:
    """One recipe for several cases; `apart` gives each columns of its own."""
    marks = [str(at) if apart else "" for at in range(len(several))]
    steps = [
        (name, _marked(name, given, mark))
        for one, mark in zip(several, marks, strict=True)
        for name, given in one.steps
    ]
    output = tuple(_own(n, m) for a, m in zip(several, marks, strict=True) for n in a.columns)
    copies = {
        f"{name}{mark}": Expression(sql, frozenset({"b" if name == "b" else "a"}))
        for one, mark in zip(several, marks, strict=True)
        for name, sql in _COPIES.items()
        if name in one.read
    }
    made = recipe(*steps, output=(*output, ROW))
    plan = compile_recipe(made, source(*copies), several[0].corrections, TODAY)
    first = CleaningStep(1, "DUPLICATE", "each case has its own columns", copies)
    later = (replace(s, number=s.number + 1) for s in plan.steps)
    return CleaningPlan(("a", "b"), (first, *later), plan.output)


def _own(name: str, mark: str) -> str:
    return re.sub("^[a-z]+", rf"\g<0>{mark}", name)


def _marked(operation: str, given: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """An operation's parameters with the columns of one case."""
    kinds = OPERATIONS[operation].parameters
    made: dict[str, Any] = {}
    for name, value in given.items():
        match kinds[name].kind:
            case Kind.COLUMN | Kind.TARGET:
                made[name] = _own(value, mark)
            case Kind.COLUMNS:
                made[name] = [_own(v, mark) for v in value]
            case _:
                made[name] = value
    return made


def compared(duck: DuckEngine, engine: Engine) -> Iterator[Cell]:
    """Every case on an engine."""
    every = asked()
    names = _names(every)
    shared = []
    for one in every:
        if one.refused:
            yield Cell("operation", names[id(one)], engine.name, "refused", one.refused)
        elif one.alone:
            yield from _batch([one], names, duck, engine)
        else:
            shared.append(one)
    for at in range(0, len(shared), _TOGETHER):
        yield from _batch(shared[at : at + _TOGETHER], names, duck, engine)


def _names(every: Sequence[Asked]) -> dict[int, str]:
    """The operation, numbered from its second case on."""
    numbers: Counter[str] = Counter()
    names = {}
    for one in every:
        numbers[one.operation] += 1
        at = numbers[one.operation]
        names[id(one)] = f"{one.operation} {at}" if at > 1 else one.operation
    return names


def _batch(
    batch: Sequence[Asked], names: Mapping[int, str], duck: DuckEngine, engine: Engine
) -> Iterator[Cell]:
    plan = together(batch, apart=len(batch) > 1)
    given = texts(*rows())
    left, right = _answer(duck, plan, given), _answer(engine, plan, given)
    failed = [r for r in (left, right) if isinstance(r, EngineError)]
    if isinstance(left, Cleaned) and isinstance(right, Cleaned):
        for one, verdict, told in _judged(batch, plan, duck, (left, right)):
            where = f"{one.steps}: {told}" if told else ""
            yield Cell("operation", names[id(one)], engine.name, verdict, where)
    elif len(batch) > 1:  # one of them fails: which?
        half = len(batch) // 2
        yield from _batch(batch[:half], names, duck, engine)
        yield from _batch(batch[half:], names, duck, engine)
    else:
        told = f"{batch[0].steps}: {failed[-1].what}"
        loud: Verdict = "refused" if failed[-1].what.startswith(LOUD) else "different"
        verdict = "raised" if len(failed) > 1 else loud
        yield Cell("operation", names[id(batch[0])], engine.name, verdict, told)


def _answer(engine: Engine, plan: CleaningPlan, given: Any) -> Cleaned | EngineError:
    try:
        return engine.clean(plan, given)
    except EngineError as error:
        return error


def _judged(
    batch: Sequence[Asked], plan: CleaningPlan, duck: DuckEngine, both: tuple[Cleaned, Cleaned]
) -> Iterator[tuple[Asked, Verdict, str]]:
    tables = [duck.query(f"SELECT * FROM kept ORDER BY {ROW}", {"kept": c.kept}) for c in both]
    away = [[_away(r) for r in c.quarantined.to_pylist()] for c in both]
    at = 1
    for number, one in enumerate(batch):
        names = [_own(n, str(number) if len(batch) > 1 else "") for n in one.columns]
        steps = slice(at, at := at + len(one.steps))
        kinds = [{n: t.schema.field(n).type for n in names} for t in tables]
        doubles = pa.float64() in kinds[0].values()
        verdict, told = same(one.operation, *(_values(t, names) for t in tables))
        others: dict[str, list[list[Any]]] = {
            "types": [[f"{n} {kind}" for n, kind in k.items()] for k in kinds],
            "effects": [[_effect(e, doubles=doubles) for e in c.effects[steps]] for c in both],
            "quarantined": [sorted(a, key=str) for a in away],
            "frequencies": [[f for n in names for f in _counts(c.after[n])] for c in both],
        }
        differing = [
            f"{what}: {_first(*pair)}" for what, pair in others.items() if pair[0] != pair[1]
        ]
        if differing:
            verdict, told = "different", "; ".join([told, *differing])
        yield one, verdict, told


def _away(row: Mapping[str, Any]) -> tuple[int, str, Any]:
    """A quarantined row; its cells as they are read from JSON, which may be written in two ways."""
    return row[ROW], row["reason"], json.loads(row["raw"])


def _effect(effect: StepEffect, *, doubles: bool) -> tuple[int, ...]:
    """Rows before and after, and cells changed. A cell that becomes a double is counted as changed
    when its text is another one, and engines write 1e7 and more in other ways: it is not compared."""
    rows = (effect.rows_before, effect.rows_after)
    return rows if doubles else (*rows, effect.cells_changed)


def _values(table: pa.Table, names: Sequence[str]) -> list[list[Any]]:
    columns = [_cells(table[n]) for n in (*names, ROW)]
    return [[plain(v) for v in row] for row in zip(*columns, strict=True)]


def _cells(column: pa.ChunkedArray) -> list[Any]:
    """Dates and moments as whole numbers: Python has no year before 1 and none after 9999."""
    kind = column.type
    if pa.types.is_date32(kind):
        column = column.cast(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.cast(pa.int64())
    return column.to_pylist()  # type: ignore[no-any-return]


def _counts(table: pa.Table) -> list[tuple[Any, int]]:
    """Values with their rows: 0.0 and -0.0 are one value, and so are all that are not a number."""
    found: Counter[Any] = Counter()
    for value, rows in zip(*map(_cells, table.columns), strict=True):
        if isinstance(value, float):  # the last digits may differ, as in the cells themselves
            value = "NaN" if math.isnan(value) else float(f"{value:.12g}") + 0.0  # noqa: PLW2901
        found[value] += rows
    return sorted(found.items(), key=str)


def _first(want: list[Any], got: list[Any]) -> str:
    """What one has and the other has not."""
    missing = [w for w in want if w not in got][:3]
    return f"{[g for g in got if g not in want][:3]}, expected {missing}"
