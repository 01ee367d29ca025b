"""Signing in and out, one's own account, and the doors to other services."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from starlette.responses import RedirectResponse, Response

from cityline.errors import CitylineError, UsageError
from cityline.web.here import client
from cityline.web.identity.roles import Role
from cityline.web.routes import Asked

_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x1f]*")
_DAYS = 90


def local(path: str) -> str:
    """The path when it stays on this site, else the front page. Decoded until nothing changes, so
    that no encoding hides another host."""
    seen = path
    for _ in range(4):
        if not _LOCAL.fullmatch(seen):
            return "/"
        decoded = unquote(seen)
        if decoded == seen:
            return path
        seen = decoded
    return "/"


def form(asked: Asked) -> Response:
    """The page to sign in on."""
    target = local(asked.request.query_params.get("next", "/"))
    return _form(asked, target)


def _form(asked: Asked, target: str, problem: str = "", status: int = 200) -> Response:
    token = secrets.token_urlsafe(32)
    answer = asked.here.page(
        asked.request,
        asked.person,
        "sign-in.html",
        status=status,
        title="Sign in",
        target=target,
        token=token,
        problem=problem,
        other=asked.here.issuer is not None,
    )
    _cookie(asked, answer, f"{asked.here.cookie}-form", token, most=3600)
    return answer


def sign_in(asked: Asked) -> Response:
    """Check a name and a password; a new session in any case."""
    here, request = asked.here, asked.request
    target = local(asked.form.get("next", "/"))
    sent = request.cookies.get(f"{here.cookie}-form", "")
    if not sent or not hmac.compare_digest(sent, asked.form.get("token", "")):
        return _form(asked, target, "The form was too old. Please try again.", 403)
    name = asked.form.get("name", "").strip()[:200]
    where = client(request)
    wait = here.sign_ins.take(f"client {where}") or here.sign_ins.take(f"{name} from {where}")
    if wait:
        _event(asked, "sign-in", name, "limited")
        answer = _form(asked, target, "Too many tries. Please wait a minute.", 429)
        answer.headers["retry-after"] = str(int(wait) + 1)
        return answer
    session = here.accounts.sign_in(name, asked.form.get("password", ""))
    if session is None:
        _event(asked, "sign-in", name, "refused")
        return _form(asked, target, "The name or the password is not right.", 401)
    _event(asked, "sign-in", name, "done")
    return _entered(asked, session, target)


def _entered(asked: Asked, session: str, target: str) -> Response:
    """In with a new session; whatever session the browser had before is dead."""
    here = asked.here
    old = asked.request.cookies.get(here.cookie)
    if old:
        here.accounts.sign_out(old)
    answer = RedirectResponse(target, 303, headers={"cache-control": "no-store"})
    _cookie(asked, answer, here.cookie, session, most=int(here.settings.session_hours * 3600))
    answer.delete_cookie(f"{here.cookie}-form", path="/", secure=here.secure, httponly=True)
    return answer


def sign_out(asked: Asked) -> Response:
    """End this session."""
    here = asked.here
    here.accounts.sign_out(asked.request.cookies.get(here.cookie, ""))
    _event(asked, "sign-out", asked.person.name if asked.person else "", "done")
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(here.cookie, path="/", secure=here.secure, httponly=True)
    answer.headers["clear-site-data"] = '"cache"'
    return answer


def begin_elsewhere(asked: Asked) -> Response:
    """To the service that vouches for people."""
    issuer = asked.here.issuer
    if issuer is None:
        return asked.here.page(
            asked.request, None, "missing.html", status=404, title="Not found", what="", hint=""
        )
    target = local(asked.request.query_params.get("next", "/"))
    try:
        address, state = issuer.begin(target)
    except CitylineError as error:
        return _form(asked, target, error.what, 502)
    answer = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    _cookie(asked, answer, f"{asked.here.cookie}-state", state, most=600)
    return answer


def end_elsewhere(asked: Asked) -> Response:
    """Back from that service. The state must be the one this browser left with."""
    here, query = asked.here, asked.request.query_params
    sent = asked.request.cookies.get(f"{here.cookie}-state", "")
    state = query.get("state", "")
    problem, name = "The sign-in did not begin here. Please try again.", ""
    if here.issuer and sent and hmac.compare_digest(sent, state) and query.get("code"):
        try:
            name, role, target = here.issuer.finish(state, query["code"])
            session = here.accounts.welcome(name, role)
        except CitylineError as error:
            problem = error.what
        else:
            _event(asked, "sign-in", name, "done")
            answer = _entered(asked, session, local(target))
            answer.delete_cookie(f"{here.cookie}-state", path="/")
            return answer
    _event(asked, "sign-in", name, "refused")
    return _form(asked, "/", problem, 403)


def account(asked: Asked) -> Response:
    """One's own role, tokens and password."""
    return _account(asked)


def _account(
    asked: Asked, secret: str = "", problem: str = "", done: str = "", status: int = 200
) -> Response:
    assert asked.person is not None  # noqa: S101 - the route asks for a role
    return asked.here.page(
        asked.request,
        asked.person,
        "account.html",
        status=status,
        title="Account",
        tokens=[_token(t) for t in asked.here.accounts.tokens(asked.person.name)],
        roles=[r.value for r in Role],
        secret=secret,
        problem=problem,
        done=done,
    )


def change_account(asked: Asked) -> Response:
    """A new password, a new token, or the end of one."""
    person, accounts = asked.person, asked.here.accounts
    assert person is not None  # noqa: S101 - the route asks for a role
    try:
        match asked.form.get("do", ""):
            case "password":
                if accounts.sign_in(person.name, asked.form.get("old", "")) is None:
                    return _account(asked, problem="The old password is not right.", status=400)
                accounts.change(person.name, password=asked.form.get("new", ""))
                _event(asked, "password", person.name, "changed")
                return _entered(asked, accounts.begin(person.name), "/account/")
            case "token":
                role = Role(asked.form.get("role", Role.VIEWER))
                days = min(_DAYS, max(1, int(asked.form.get("days", "30"))))
                identity, secret = accounts.grant(person.name, role, days)
                _event(asked, "token", person.name, f"made {identity}")
                return _account(asked, secret=secret)
            case "revoke":
                identity = asked.form.get("id", "")
                if identity not in {t["id"] for t in accounts.tokens(person.name)}:
                    return _account(asked, problem="That is not one of your tokens.", status=400)
                accounts.revoke(identity)
                _event(asked, "token", person.name, f"revoked {identity}")
                return _account(asked, done="The token is revoked.")
    except (UsageError, ValueError) as error:
        return _account(asked, problem=str(error).partition("\n")[0], status=400)
    return _account(asked, problem="Nothing was asked.", status=400)


def _token(found: dict[str, object]) -> dict[str, object]:
    times = {
        k: datetime.fromtimestamp(float(str(found[k])), UTC).strftime("%Y-%m-%d")
        for k in ("created", "expires")
    }
    return {**found, **times}


def to_sign_in(asked: Asked) -> Response:
    """Where to go first, and back from there."""
    url = asked.request.url
    target = url.path + (f"?{url.query}" if url.query else "")
    return RedirectResponse(f"/sign-in/?next={quote(target, safe='')}", 303)


def _cookie(asked: Asked, answer: Response, name: str, value: str, *, most: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=most,
        path="/",
        secure=asked.here.secure,
        httponly=True,
        samesite="lax",
    )


def _event(asked: Asked, kind: str, who: str, result: str) -> None:
    asked.here.events.write(
        kind,
        who,
        asked.request.url.path,
        result,
        asked.request.state.request,
        client=client(asked.request),
    )
