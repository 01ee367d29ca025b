"""Recipes and rules as DataBrew takes them, and questions as Athena keeps them."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from cityline.adapters.portals.sample import SamplePortal
from cityline.declarations import dqdl
from cityline.declarations.folder import read_folder
from cityline.declarations.recipe import Recipe, RecipeStep
from cityline.declarations.source import Source, SourceField
from cityline.deploy import recipes, rules
from cityline.deploy.asking import portable, reads
from cityline.dialect import unreadable
from cityline.errors import DeclarationError
from cityline.flow.steps.answer import compute
from cityline.stages.prepare.operations import OPERATIONS
from tests.conftest import Ran, copy_vancouver, run_city
from tests.deploy.conftest import CITY, Bodies

FOLDER = read_folder(CITY, "aws")
SOURCE = Source(
    name="calls", status="draft", title="Calls", portal="-", dataset="-", licence="-", attribution="-",
    cadence="daily", grain=("kind",),
    fields=(SourceField(name="kind", label="Kind", type="text"),),
)  # fmt: skip


def recipe(*steps: tuple[str, dict[str, Any]]) -> Recipe:
    made = tuple(RecipeStep(operation=name, parameters=given) for name, given in steps)
    return Recipe(name="calls", source="calls", steps=made, output=("kind",))


def test_headers_are_renamed_and_steps_go_over_as_they_are() -> None:
    given = {"sourceColumn": "kind", "categoryMap": {"PHONE": "Phone"}}
    found = recipes.render(recipe(("CATEGORICAL_MAPPING", given)), SOURCE)
    assert found.actions == (
        ("RENAME", {"sourceColumn": "Kind", "targetColumn": "kind"}),
        ("CATEGORICAL_MAPPING", {"sourceColumn": "kind", "categoryMap": '{"PHONE": "Phone"}'}),
    )
    assert found.unlike == ()


def test_what_databrew_lacks_is_told_and_never_dropped() -> None:
    for name, declared in FOLDER.recipes.items():
        found = recipes.render(declared, FOLDER.sources[name])
        own = [
            n
            for n, s in enumerate(declared.steps, 1)
            if s.operation not in OPERATIONS or OPERATIONS[s.operation].own
        ]
        assert [u.number for u in found.unlike] == own
        assert {a for a, _ in found.actions} <= recipes.databrew_operations()


def test_an_operation_nobody_decided_about_is_refused() -> None:
    with pytest.raises(DeclarationError, match="GUESS_DEPARTMENT is not known to DataBrew"):
        recipes.render(recipe(("GUESS_DEPARTMENT", {})), SOURCE)


def test_every_operation_of_our_own_has_been_decided_about() -> None:
    columns = {"sourceColumn": "kind", "sourceColumns": ["kind"], "keyColumns": ["kind"]}
    for name, operation in OPERATIONS.items():
        if operation.own:
            given = {**columns, "words": ["NA"], "order": "iso"}
            assert recipes.render(recipe((name, given)), SOURCE).unlike[0].difference


@pytest.mark.parametrize(
    ("rule", "expression", "values", "column"),
    [
        ("RowCount > 0", "AGG(ROWS_COUNT) > :val1", {":val1": "0"}, ""),
        ('IsComplete "a"', "AGG(MISSING_VALUES_COUNT) == :val1", {":val1": "0"}, "a"),
        ('Completeness "a" > 0.95', "AGG(MISSING_VALUES_PERCENTAGE) < :val1", {":val1": "5"}, "a"),
        ('ColumnValues "a" >= 0', ":col1 >= :val1", {":col1": "`a`", ":val1": "0"}, ""),
        (
            'ColumnValues "a" between 1 and 5',
            ":col1 > :val1 and :col1 < :val2",
            {":col1": "`a`", ":val1": "1", ":val2": "5"},
            "",
        ),
        (
            'ColumnValues "a" in ["x", "é"]',
            ":col1 IN :val1",
            {":col1": "`a`", ":val1": '["x", "é"]'},
            "",
        ),
        (
            'ColumnLength "a" <= 9',
            "length(:col1) <= :val1",
            {":col1": "`a`", ":val1": "9"},
            "",
        ),
    ],
)
def test_a_rule_is_the_same_check(
    rule: str, expression: str, values: dict[str, str], column: str
) -> None:
    (check,) = rules.render(dqdl.parse(f"Rules = [ {rule} ]", "x")).checks
    assert (check.expression, dict(check.values), check.column) == (expression, values, column)
    assert re.fullmatch(rules.EXPRESSION, check.expression)


@pytest.mark.parametrize(
    "rule",
    [
        'IsPrimaryKey "a" "b"',
        "RowCount >= 0.9 * avg(last(3))",
        'CustomSql "select count(*) from primary" = 1',
        'ColumnValues "a" matches "x.*"',
        'ColumnValues "a" > 1 with threshold > 0.9',
        'IsComplete "a" where "b = 1"',
        'ColumnValues "a" = NULL',
    ],
)
def test_a_rule_without_a_check_is_listed_as_written(rule: str) -> None:
    found = rules.render(dqdl.parse(f"Rules = [ {rule} ]", "x"))
    assert found.checks == ()
    assert found.unheld == (rule,)


QUESTIONS = sorted(FOLDER.questions)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """A city without pages of facets, in one language: its tables are what is asked here."""
    return run_city(copy_vancouver(tmp_path_factory.mktemp("city") / "vancouver"), portal)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_saved_query_answers_what_the_page_shows(name: str, run: Ran) -> None:
    """Run as it stands, without a parameter, against the same tables."""
    question = run.parts.folder.questions[name]
    tables = {t: v for t, v in run.done.tables().items() if t in reads(question)}
    found = [
        list(r.values()) for r in run.parts.asking.query(portable(question), tables).to_pylist()
    ]
    answer = compute(run.parts, name, run.done, {})
    assert not answer.refused
    assert len(found) == len(answer.rows)
    for one, other in zip(found, answer.rows, strict=True):
        assert all(_same(a, b) for a, b in zip(one, other, strict=True)), (one, other)


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "isoformat"):
        one = one.isoformat()
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9)
    return bool(one == other) or (isinstance(one, float) and math.isnan(one) and other is None)


def test_a_year_with_a_hole_asks_for_nothing(run: Ran) -> None:
    """As on the page, where it is refused: a total over a hole means nothing."""
    question = run.parts.folder.questions["departments"]
    holed = _without_june(portable(question))
    tables = {t: v for t, v in run.done.tables().items() if t in reads(question)}
    assert run.parts.asking.query(holed, tables).num_rows == 0


def _without_june(sql: str) -> str:
    whole = "WHERE source = 'inquiry-volume'"
    assert whole in sql
    return sql.replace(whole, f"{whole} AND month_of_year <> 6", 1).replace(
        "WHERE year_complete", "WHERE month_complete"
    )


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 1", ""),
        ("SELEC 1", "Invalid expression"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT a FROM WHERE b", "Expected table name"),
        ("VACUUM my_table", "not read"),
    ],
)
def test_what_is_not_athenas_sql_is_told(sql: str, told: str) -> None:
    found = unreadable(sql)
    assert found.startswith(told) if told else found == ""


def test_a_saved_query_has_no_parameter_left(bodies: Bodies) -> None:
    for resource in bodies["query"]["Resources"].values():
        sql = str(resource["Properties"].get("QueryString", ""))
        assert not re.search(r"\$\w", sql)
