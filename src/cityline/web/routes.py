"""Routes. Each says who may use it; what is not listed is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from cityline.web.here import Here
from cityline.web.identity.accounts import Person
from cityline.web.identity.roles import Role


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that may be answered: who asks, and the form it brings."""

    request: Request
    here: Here
    person: Person | None
    form: Mapping[str, str]


Endpoint: TypeAlias = Callable[[Asked], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A path pattern, its methods, the least role (None is everybody), and what answers. `checked`
    is false only for forms that have no session yet and guard themselves."""

    path: str
    methods: tuple[str, ...]
    role: Role | None
    endpoint: Endpoint
    checked: bool = True
