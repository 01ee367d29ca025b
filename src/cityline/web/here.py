"""What every endpoint finds here: the city, the accounts, the limits and the record of events."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from cityline.declarations.environment import Serve
from cityline.lake import wording
from cityline.web.identity.accounts import Accounts, Person
from cityline.web.identity.limits import QUERIES, REQUESTS, SIGN_IN, Buckets
from cityline.web.identity.oidc import Issuer

if TYPE_CHECKING:
    from cityline.flow.console import Console
    from cityline.flow.serving import Service


class Events:
    """Who did what, as JSON lines: sign-ins, refusals, downloads, queries. No secret is written,
    and no text can pretend to be a line of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, kind: str, who: str, what: str, result: str, request: str, **more: Any) -> None:
        """Add one event."""
        told = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "kind": kind,
            "who": who,
            "what": what[:500],
            "result": result,
            "request": request,
            **more,
        }
        with self._lock, suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as file:
                file.write(json.dumps(told) + "\n")


@dataclass(frozen=True)
class Here:
    """The opened city behind the pages. `secure` is whether browsers reach us by HTTPS."""

    service: Service
    console: Console
    accounts: Accounts
    events: Events
    settings: Serve
    secure: bool = False
    behind_proxy: bool = False
    issuer: Issuer | None = None
    checks: Callable[[], list[tuple[bool, str, str]]] = list
    """What `cityline doctor` checks: (fine, what, what to try)."""
    requests: Buckets = field(default_factory=lambda: Buckets(REQUESTS))
    sign_ins: Buckets = field(default_factory=lambda: Buckets(SIGN_IN))
    queries: Buckets = field(default_factory=lambda: Buckets(QUERIES))

    @property
    def cookie(self) -> str:
        """The session's cookie; browsers hold `__Host-` ones to this host and to HTTPS."""
        return "__Host-cityline" if self.secure else "cityline"

    @cached_property
    def templates(self) -> Environment:
        """The templates of the pages that need an account."""
        made = Environment(
            loader=PackageLoader("cityline.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.filters |= {
            "number": wording.number,
            "size": wording.size,
            "moment": wording.wording("en").moment,
            "round2": lambda value: wording.number(value, 2),
        }
        return made

    def page(
        self,
        request: Request,
        person: Person | None,
        template: str,
        *,
        status: int = 200,
        **context: Any,
    ) -> Response:
        """A page for who asks; never kept by anybody."""
        body = self.templates.get_template(template).render(
            person=person,
            path=request.url.path,
            city=self.service.parts.folder.city.title,
            css=f"/{self.service.stylesheet()}",
            **context,
        )
        return HTMLResponse(body, status, headers={"cache-control": "no-store"})


def client(request: Request) -> str:
    """Where a request comes from. Behind a proxy uvicorn has put the client there already."""
    return request.client.host if request.client else "unknown"
