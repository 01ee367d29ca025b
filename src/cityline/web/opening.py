"""Opening the web door: from a city and where to listen to what endpoints find."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pydantic import SecretStr

from cityline import wiring
from cityline.web.here import Events, Here
from cityline.web.identity.accounts import Accounts, Lifetime
from cityline.web.identity.oidc import Issuer
from cityline.web.tls import Listening

if TYPE_CHECKING:
    from pathlib import Path

    from cityline.flow.parts import Parts


def open_here(parts: Parts, at: Listening) -> Here:
    """What a server of this city works with. The secret of the sign-in service is taken from
    CITYLINE_OIDC_SECRET when set. Raises UsageError when there is no release yet, but for a server
    on AWS, to which a job will bring one."""
    settings = parts.folder.environment.serve
    service, console, examine = wiring.served(parts)
    if parts.folder.environment.kind == "local":
        service.done()
    issuer = None
    if settings.oidc is not None:
        secret = os.environ.get("CITYLINE_OIDC_SECRET")
        scheme = "https" if at.secure else "http"
        place = settings.hosts[0] if at.behind_proxy else f"{settings.hosts[0]}:{at.port}"
        redirect = f"{scheme}://{place}/sign-in/callback/"
        issuer = Issuer(settings.oidc, SecretStr(secret) if secret else None, redirect)
    return Here(
        service=service,
        console=console,
        accounts=open_accounts(parts.home, parts),
        events=Events(parts.home / "logs" / "access.jsonl"),
        settings=settings,
        secure=at.secure,
        behind_proxy=at.behind_proxy,
        issuer=issuer,
        checks=lambda: [(f.fine, f"{f.check}: {f.told}", f.hint) for f in examine()],
    )


def open_accounts(home: Path, parts: Parts) -> Accounts:
    """The people of a city, kept beside its lake."""
    settings = parts.folder.environment.serve
    lifetime = Lifetime(settings.session_idle_minutes * 60, settings.session_hours * 3600)
    return Accounts(home / "access.db", lifetime)
