"""The application: its routes, and the gate each request passes."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route as Path
from starlette.types import ASGIApp

from cityline.web import content, ops, signing, sql
from cityline.web.here import Here, client
from cityline.web.identity.accounts import Person
from cityline.web.identity.roles import PUBLIC, Role, allows
from cityline.web.routes import Asked, Route
from cityline.web.shield import Shield, TooMuch, page_of

_SAFE = ("GET", "HEAD")
_LONG = 100_000


def routes(here: Here) -> tuple[Route, ...]:
    """Every route there is, with the least role it takes."""
    reader = PUBLIC if here.service.public else Role.VIEWER
    steward = Role.STEWARD
    return (
        Route("/sign-in/", ("GET",), PUBLIC, signing.form),
        Route("/sign-in/", ("POST",), PUBLIC, signing.sign_in, checked=False),
        Route("/sign-in/elsewhere/", ("GET",), PUBLIC, signing.begin_elsewhere),
        Route("/sign-in/callback/", ("GET",), PUBLIC, signing.end_elsewhere),
        Route("/sign-out/", ("POST",), Role.VIEWER, signing.sign_out),
        Route("/account/", ("GET",), Role.VIEWER, signing.account),
        Route("/account/", ("POST",), Role.VIEWER, signing.change_account),
        Route("/sql/", ("GET",), Role.ANALYST, sql.page),
        Route("/sql/", ("POST",), Role.ANALYST, sql.run),
        Route("/ops/", ("GET",), steward, ops.runs),
        Route("/ops/runs/{run}/", ("GET",), steward, ops.run),
        Route("/ops/lineage/", ("GET",), steward, ops.lineage),
        Route("/ops/quality/", ("GET",), steward, ops.quality),
        Route("/ops/profile/", ("GET",), steward, ops.profile),
        Route("/ops/recipe/", ("GET",), steward, ops.recipe),
        Route("/ops/settings/", ("GET",), steward, ops.settings),
        Route("/ops/doctor/", ("GET",), steward, ops.doctor),
        Route("/ops/static/{name}", ("GET",), PUBLIC, _asset),
        Route("/static/{name}", ("GET",), PUBLIC, content.asset),
        Route("/{path:path}", ("GET",), reader, content.read),
    )


def build(here: Here) -> ASGIApp:
    """The application for a city."""
    listed = routes(here)
    by_path: dict[str, list[Route]] = {}
    for route in listed:
        by_path.setdefault(route.path, []).append(route)
    paths = [
        Path(path, _gate(here, found), methods=[m for r in found for m in r.methods])
        for path, found in by_path.items()
    ]
    handlers = {HTTPException: _refusal(here), TooMuch: _too_much, Exception: _broken}
    app = Starlette(routes=paths, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Shield(app, here)


def _gate(here: Here, found: list[Route]) -> Callable[[Request], Awaitable[Response]]:
    """Who may pass, and with what: nobody reaches an endpoint but through here."""

    async def gate(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        route = next(r for r in found if method in r.methods)
        person, broken = await run_in_threadpool(_who, here, request)
        if broken or not allows(person.role if person else None, route.role):
            return _turned_away(here, request, person)
        form: Mapping[str, str] = {}
        if method not in _SAFE:
            async with request.form(max_files=0, max_fields=50, max_part_size=_LONG) as sent:
                form = {k: v for k, v in sent.items() if isinstance(v, str)}
            if route.checked and not _own_form(person, form):
                return here.page(
                    request, person, "refused.html", status=403, title="Refused",
                    told="The form was too old, or came from elsewhere. Please try again.",
                )  # fmt: skip
        return await run_in_threadpool(route.endpoint, Asked(request, here, person, form))

    return gate


def _who(here: Here, request: Request) -> tuple[Person | None, bool]:
    """Who asks, and whether a token was shown that is not valid."""
    header = request.headers.get("authorization", "")
    if header:
        kind, _, secret = header.partition(" ")
        person = here.accounts.bearer(secret.strip()) if kind.lower() == "bearer" else None
        return person, person is None
    session = request.cookies.get(here.cookie)
    return (here.accounts.session(session) if session else None), False


def _own_form(person: Person | None, form: Mapping[str, str]) -> bool:
    """Whether a form is one that we gave this session. A token needs none: no browser sends it."""
    if person is None:
        return False
    return bool(person.token) or hmac.compare_digest(person.form, form.get("form", ""))


def _turned_away(here: Here, request: Request, person: Person | None) -> Response:
    """To sign-in for a person without a session; a refusal for everybody else."""
    here.events.write(
        "refusal",
        person.name if person else "",
        request.url.path,
        "refused",
        request.state.request,
        client=client(request),
    )
    program = "authorization" in request.headers or request.method not in _SAFE
    if person is None and program:
        told = {"error": "sign in first"}
        return JSONResponse(told, 401, headers={"www-authenticate": "Bearer"})
    if person is None:
        return signing.to_sign_in(Asked(request, here, None, {}))
    told_person = f"Your role, {person.role.value}, does not suffice for this."
    return here.page(request, person, "refused.html", status=403, title="Refused", told=told_person)


def _refusal(here: Here) -> Callable[[Request, Exception], Response]:
    def refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for those
        told = {404: "There is no such page.", 405: "That cannot be done here."}
        answer = here.page(
            request,
            None,
            "refused.html",
            status=error.status_code,
            title="Refused",
            told=told.get(error.status_code, "This cannot be answered."),
        )
        answer.headers.update(dict(error.headers or {}))
        return answer

    return refusal


def _too_much(request: Request, error: Exception) -> Response:
    """A body that was larger or slower than it may be."""
    status = error.status if isinstance(error, TooMuch) else 413
    told = page_of(status, "That is more than may be sent.", request.state.request)
    return HTMLResponse(told, status, headers={"connection": "close"})


def _broken(request: Request, _error: Exception) -> Response:
    """Something of ours failed: the reader gets an id to tell us, the log gets the rest."""
    return HTMLResponse(page_of(500, "Something went wrong here.", request.state.request), 500)


def _asset(asked: Asked) -> Response:
    """The console's own style and script."""
    kinds = {"ops.css": "text/css; charset=utf-8", "htmx.js": "text/javascript; charset=utf-8"}
    name = asked.request.path_params["name"]
    if name not in kinds:
        return content.missing(asked)
    folder = "static/vendor" if name == "htmx.js" else "static"
    body = resources.files("cityline.web").joinpath(folder, name).read_bytes()
    headers = {"cache-control": "public, max-age=3600"}
    return Response(body, headers=headers, media_type=kinds[name])


def redirecting(port: int) -> ASGIApp:
    """The plain-HTTP side of a TLS server: it sends readers to HTTPS and says nothing else."""

    async def redirect(request: Request) -> Response:
        host = request.headers.get("host", "").rsplit(":", 1)[0]
        place = host if port == 443 else f"{host}:{port}"  # noqa: PLR2004 - HTTPS has it by default
        return RedirectResponse(f"https://{place}{request.url.path}", 308)

    return Starlette(routes=[Path("/{path:path}", redirect)])
