"""Serving a city, and the people and tokens that may see more than the public."""

from __future__ import annotations

import os
import sys
import threading
import time
import webbrowser
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cityline.cli.opening import Asked, copied, shared
from cityline.cli.output import Output, table
from cityline.errors import CitylineError, UsageError

if TYPE_CHECKING:
    from cityline.flow.parts import Parts
    from cityline.web.identity.accounts import Accounts

_ROLES = ("viewer", "analyst", "steward", "admin", "auditor")
_OFTEN = 30.0
"""Seconds between two looks for a release that another machine published."""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8310, show_default=True)
@click.option("--certificate", type=_FILE, help="PEM file of the certificate chain.")
@click.option("--key", type=_FILE, help="PEM file of its key.")
@click.option("--self-signed", is_flag=True, help="Make a certificate, to try TLS out.")
@click.option("--redirect-port", default=0, help="Send plain HTTP on this port to HTTPS.")
@click.option("--behind-proxy", is_flag=True, help="A proxy before us ends TLS; trust its headers.")
@click.option("--open", "show", is_flag=True, help="Open the site in a browser.")
@copied
@shared
def serve(
    asked: Asked,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    self_signed: bool,
    redirect_port: int,
    behind_proxy: bool,
    show: bool,
) -> None:
    """Serve the site, the SQL page and the operator's console until interrupted."""
    from cityline.web import tls  # noqa: PLC0415 - heavy
    from cityline.web.app import build  # noqa: PLC0415
    from cityline.web.opening import open_here  # noqa: PLC0415

    parts = asked.parts("serve")
    if parts.folder.environment.kind == "aws":
        _follow(parts, asked.output)
    if self_signed:
        certificate, key = tls.self_signed(parts.home / "tls", host)
        asked.output.warn("browsers do not trust a self-signed certificate; it is for trying out")
    at = tls.Listening(host, port, certificate, key, redirect_port, behind_proxy)
    at.check()
    app = build(open_here(parts, at))
    address = f"{'https' if certificate else 'http'}://{host}:{port}/"
    asked.output.done({"address": address}, address)
    sys.stdout.flush()
    asked.output.talk("Stop with Ctrl-C. People: cityline users add NAME --role analyst")
    if show:
        webbrowser.open(address)
    tls.serve(app, at)


def _follow(parts: Parts, output: Output) -> None:
    """Have the pages that readers see, now and from now on: on AWS a job publishes them. What
    cannot be brought now is tried again; readers see the pages before."""
    from cityline.flow.promotion import follow  # noqa: PLC0415 - heavy

    def again() -> None:
        while True:
            time.sleep(_OFTEN)
            try:
                follow(parts)
            except CitylineError as error:
                output.warn(str(error))

    follow(parts)
    threading.Thread(target=again, daemon=True).start()


@click.group()
def users() -> None:
    """The people who may sign in here."""


@users.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), default="viewer", show_default=True)
@shared
def users_add(asked: Asked, name: str, role: str) -> None:
    """Add a person. The password is asked for, or taken from CITYLINE_PASSWORD or stdin."""
    from cityline.web.identity.roles import Role  # noqa: PLC0415 - heavy

    _accounts(asked).add(name, Role(role), _password())
    asked.output.done({"name": name, "role": role}, f"{name} may sign in as {role}")


@users.command("list")
@shared
def users_list(asked: Asked) -> None:
    """Everybody, with their role and when they were last here."""
    found = _accounts(asked).people()
    rows = [
        [str(p["name"]), str(p["role"]), "disabled" if p["disabled"] else "", _day(p["last_seen"])]
        for p in found
    ]
    asked.output.done(found, table(["name", "role", "", "last seen"], rows, [False] * 4))


@users.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(_ROLES))
@shared
def users_role(asked: Asked, name: str, role: str) -> None:
    """Give a person another role; their sessions end."""
    from cityline.web.identity.roles import Role  # noqa: PLC0415 - heavy

    _accounts(asked).change(name, role=Role(role))
    asked.output.done({"name": name, "role": role}, f"{name} is {role} now")


@users.command("password")
@click.argument("name")
@shared
def users_password(asked: Asked, name: str) -> None:
    """Give a person a new password; their sessions end."""
    _accounts(asked).change(name, password=_password())
    asked.output.done({"name": name}, f"{name} has a new password")


@users.command("disable")
@click.argument("name")
@click.option("--enable", is_flag=True, help="Let them in again.")
@shared
def users_disable(asked: Asked, name: str, enable: bool) -> None:
    """Let a person in no more; their sessions and tokens are dead at once."""
    _accounts(asked).change(name, disabled=not enable)
    told = "may sign in again" if enable else "may not sign in"
    asked.output.done({"name": name, "disabled": not enable}, f"{name} {told}")


@users.command("remove")
@click.argument("name")
@shared
def users_remove(asked: Asked, name: str) -> None:
    """Forget a person with their sessions and tokens."""
    _accounts(asked).remove(name)
    asked.output.done({"name": name}, f"{name} is gone")


@click.group()
def tokens() -> None:
    """Tokens by which programs ask for somebody."""


@tokens.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), default="viewer", show_default=True)
@click.option("--days", default=30.0, show_default=True, help="Until it expires; at most 365.")
@shared
def tokens_create(asked: Asked, name: str, role: str, days: float) -> None:
    """Make a token; its secret is shown once and kept nowhere."""
    from cityline.web.identity.roles import Role  # noqa: PLC0415 - heavy

    if not 0 < days <= 365:  # noqa: PLR2004 - a year
        raise UsageError(f"{days:g} days is no life for a token", hint="1 to 365")
    identity, secret = _accounts(asked).grant(name, Role(role), days)
    asked.output.done({"id": identity, "token": secret}, secret)


@tokens.command("list")
@shared
def tokens_list(asked: Asked) -> None:
    """All tokens without their secrets."""
    found = _accounts(asked).tokens()
    rows = [
        [
            str(t["id"]),
            str(t["person"]),
            str(t["role"]),
            _day(t["expires"]),
            _day(t["last_used"]),
            "revoked" if t["revoked"] else "",
        ]
        for t in found
    ]
    headers = ["id", "person", "role", "expires", "last used", ""]
    asked.output.done(found, table(headers, rows, [False] * 6))


@tokens.command("revoke")
@click.argument("identity", metavar="ID")
@shared
def tokens_revoke(asked: Asked, identity: str) -> None:
    """End a token at once."""
    _accounts(asked).revoke(identity)
    asked.output.done({"id": identity}, f"token {identity} is revoked")


def _accounts(asked: Asked) -> Accounts:
    from cityline.web.opening import open_accounts  # noqa: PLC0415 - heavy

    parts = asked.parts()
    return open_accounts(parts.home, parts)


def _password() -> str:
    """Never an argument: those are seen by everybody on the machine and kept by shells."""
    given = os.environ.get("CITYLINE_PASSWORD")
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _day(moment: object) -> str:
    return datetime.fromtimestamp(float(str(moment)), UTC).strftime("%Y-%m-%d") if moment else ""
