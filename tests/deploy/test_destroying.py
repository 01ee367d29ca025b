"""What keeps a platform from being removed is found before anything of it is touched."""

from __future__ import annotations

from typing import Any

import pytest

from cityline.deploy.deploying import destroy
from cityline.deploy.estate import Estate
from cityline.deploy.template import Template
from cityline.errors import CloudRefused
from cityline.ports.stacks import Deployed


class _Account:
    """Stacks that stand, one of them in some way; what is removed is kept."""

    def __init__(self, special: str, **state: Any) -> None:
        self.special, self.state = special, state
        self.touched: list[str] = []

    def account(self) -> str:
        return "111122223333"

    def find(self, name: str, region: str) -> Deployed | None:
        state = {"status": "UPDATE_COMPLETE"} | (self.state if name == self.special else {})
        return Deployed(name, region, template={}, **state)

    def locked_until(self, bucket: str, region: str) -> None:
        """Nothing is locked."""

    def left(self, prefix: str, region: str) -> list[str]:
        return []

    def remove_bucket(self, bucket: str, region: str) -> int:
        self.touched.append(bucket)
        return 0

    def end_key(self, alias: str, region: str) -> None:
        self.touched.append(alias)

    def delete(self, name: str, region: str, note: object) -> None:
        self.touched.append(name)


@pytest.mark.parametrize(
    ("state", "what", "hint"),
    [
        ({"protected": True}, "protected against deletion", "update-termination-protection"),
        ({"status": "UPDATE_IN_PROGRESS"}, "somebody is changing it", "wait until it is done"),
    ],
    ids=["protected", "in motion"],
)
@pytest.mark.parametrize("which", [0, -1], ids=["the first", "the last"])
def test_nothing_is_touched_while_a_stack_may_not_go(
    estate: Estate, rendered: dict[str, Template], which: int, state: Any, what: str, hint: str
) -> None:
    prefix = estate.settings.prefix
    stack = f"{prefix}-{[*rendered][which]}"
    account: Any = _Account(stack, **state)
    with pytest.raises(CloudRefused, match=what) as caught:
        destroy(rendered, estate.settings, account, account, lambda _: None)
    assert caught.value.where.startswith(stack)
    assert "nothing was deleted" in caught.value.what
    assert hint in caught.value.hint
    assert account.touched == []


def test_what_an_earlier_call_began_to_remove_is_removed(
    estate: Estate, rendered: dict[str, Template]
) -> None:
    stack = f"{estate.settings.prefix}-{[*rendered][-1]}"
    account: Any = _Account(stack, status="DELETE_IN_PROGRESS")
    destroy(rendered, estate.settings, account, account, lambda _: None)
    assert stack in account.touched
