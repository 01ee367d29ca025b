"""Every control that a template can show is held at every resource that has it."""

from __future__ import annotations

from cityline.deploy.checks import CHECKS, Stacks
from cityline.deploy.controls import CONTROLS
from tests.deploy.conftest import Bodies
from tests.deploy.weakenings import mutants


def test_no_weakened_control_survives(bodies: Bodies) -> None:
    tried, alive = 0, []
    for mutant in mutants(bodies):
        tried += 1
        if not list(CHECKS[mutant.check](Stacks(mutant.bodies))):
            alive.append(mutant.name)
    assert alive == []
    assert tried > 1000


def test_every_control_is_weakened_and_its_check_is_the_one_that_is_named(bodies: Bodies) -> None:
    caught = {(m.control, m.check) for m in mutants(bodies)}
    assert {c.id for c in CONTROLS} == {control for control, _ in caught}
    named = {c.id: set(c.checks) for c in CONTROLS}
    assert [(c, check) for c, check in sorted(caught) if check not in named[c]] == []
