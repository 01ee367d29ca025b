"""Each control names what holds it, and what it names exists."""

from __future__ import annotations

from tools.gates.tools import CONTROL_TOWER, OWN_RULES

from cityline.deploy.checks import CHECKS
from cityline.deploy.controls import CONTROLS


def test_there_are_fifty_five_and_all_are_held() -> None:
    assert len({c.id for c in CONTROLS}) == len(CONTROLS) == 55
    assert [c.id for c in CONTROLS if not c.held] == []


def test_checks_and_rules_that_are_named_exist() -> None:
    assert {n for c in CONTROLS for n in c.checks} <= set(CHECKS)
    own = "".join(p.read_text() for p in OWN_RULES.glob("*.guard"))
    chosen = {name.rpartition("/")[2] for name in CONTROL_TOWER}
    for tool in (t for c in CONTROLS for t in c.tools):
        if tool.startswith("own:"):
            assert f"rule {tool.removeprefix('own:')} " in own
        if tool.startswith("CT."):
            assert tool.lower().replace(".", "-") in chosen, tool
