"""The committed templates hold, and each mistake is found by the check that is there for it."""

from __future__ import annotations

import pytest

from cityline.declarations.schedules import cron_fault
from cityline.deploy.checks import CHECKS, Stacks, check
from tests.deploy.conftest import Bodies
from tests.deploy.mutants import MUTANTS, Change


def test_nothing_is_found_in_the_committed_templates(bodies: Bodies) -> None:
    assert check(bodies) == []


@pytest.mark.parametrize(("name", "mistake", "change"), MUTANTS, ids=[m[1] for m in MUTANTS])
def test_a_mistake_is_found(name: str, mistake: str, change: Change, bodies: Bodies) -> None:
    change(bodies)
    found = [str(f) for f in CHECKS[name](Stacks(bodies))]
    assert found, mistake


def test_every_check_has_a_mistake_that_it_finds() -> None:
    assert {name for name, _, _ in MUTANTS} == set(CHECKS)


@pytest.mark.parametrize(
    "expression",
    ["cron(30 11 * * ? *)", "cron(0/15 * ? * MON-FRI *)", "cron(0 8 1,15 * ? 2027)",
     "cron(0 0 L * ? *)", "cron(0 9 ? * 2#1 *)"],
)  # fmt: skip
def test_cron_as_aws_reads_it(expression: str) -> None:
    assert cron_fault(expression) == ""


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("30 11 * * ? *", "not cron"),
        ("cron(30 11 * * *)", "5 fields"),
        ("cron(30 11 * * * *)", "exactly one"),
        ("cron(61 11 * * ? *)", "minutes"),
        ("cron(30 11 * FOO ? *)", "month"),
        ("cron(30 11 32 * ? *)", "day of month"),
        ("cron(30 11 ? * 8 *)", "day of week"),
        ("cron(0/0 11 * * ? *)", "minutes"),
    ],
)
def test_cron_as_aws_refuses_it(expression: str, told: str) -> None:
    assert told in cron_fault(expression)
