"""Pages and files for readers: as released when nothing was chosen, made now when something was."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from cityline.errors import CitylineError, StoreError, UsageError
from cityline.web import released
from cityline.web.here import client
from cityline.web.routes import Asked

_PUBLIC = "public, max-age=300"
_PRIVATE = "no-store"
_LONG = 400


def read(asked: Asked) -> Response:
    """Anything that is not an account's or an operator's page."""
    request, here = asked.request, asked.here
    path = request.path_params.get("path", "")
    if "\\" in path or "\0" in path or "//" in path or len(path) > _LONG:
        return missing(asked)
    query = {k: v for k, v in request.query_params.items() if k != "lang"}
    language, below = _language(asked, path)
    wanted = request.query_params.get("lang", "")
    if wanted and wanted != language and wanted in here.service.languages:
        first = wanted == here.service.languages[0]
        rest = "&".join(f"{quote(k)}={quote(v)}" for k, v in query.items())
        return RedirectResponse(
            f"/{'' if first else wanted + '/'}{below}{'?' + rest if rest else ''}", 303
        )
    keep = _PRIVATE if asked.person or not here.service.public else _PUBLIC
    below = below.removesuffix("index.html")
    if not _live(below, query):
        found = released.answer(request, here.service.release, path, keep=keep)
        if found is not None:
            return found if found.status_code != 200 else _told(asked, path, found)  # noqa: PLR2004
    return _made(asked, below, query, language, keep)


def _live(below: str, query: dict[str, str]) -> bool:
    """Whether a page must be made now: an earlier state, or chosen parameters. What a parameter
    means nothing to is served as released."""
    chosen = below.startswith(("questions/", "compare/", "files/")) and bool(query)
    return chosen or "snapshot" in query or below == "data/snapshots/"


def _language(asked: Asked, path: str) -> tuple[str, str]:
    """The language an address is in, and the address below that language's root."""
    head, _, rest = path.partition("/")
    languages = asked.here.service.languages
    return (head, rest) if head in languages[1:] else (languages[0], path)


def _made(asked: Asked, below: str, query: dict[str, str], language: str, keep: str) -> Response:
    service = asked.here.service
    audience = "internal" if asked.person else "public"
    try:
        if below.startswith("files/"):
            body = service.file(below.removeprefix("files/"), query, language, audience)
        elif below == "" or below.endswith("/"):
            body = service.page(below, query, language, audience)
        else:
            return missing(asked)
    except UsageError as error:
        return missing(asked, error)
    except StoreError as error:  # an old state whose files were swept away
        return missing(asked, error)
    identity = hashlib.sha256(body.data).hexdigest()
    headers = {"etag": f'"{identity[:32]}"', "cache-control": keep, "vary": "accept-encoding"}
    ending = ".html"
    if body.name:
        ending = f".{body.name.rpartition('.')[2]}"
        headers["content-disposition"] = f'attachment; filename="{body.name}"'
        headers["content-security-policy"] = "default-src 'none'; sandbox"
    answer = released.body_of(asked.request, body.data, identity, ending, headers)
    return _told(asked, below, answer)


def _told(asked: Asked, path: str, answer: Response) -> Response:
    """A download by somebody known is an event."""
    if "files/" in path and asked.person:
        asked.here.events.write(
            "download",
            asked.person.name,
            str(asked.request.url.path),
            "given",
            asked.request.state.request,
            client=client(asked.request),
        )
    return answer


def asset(asked: Asked) -> Response:
    """Styles, scripts and fonts, the same for everybody: the page to sign in on has them too."""
    path = f"static/{asked.request.path_params['name']}"
    found = released.answer(asked.request, asked.here.service.release, path, keep=_PUBLIC)
    return found or missing(asked)


def missing(asked: Asked, error: CitylineError | None = None) -> Response:
    """There is no such page; the message of a wrong parameter helps, and names nothing of ours."""
    told = {"what": error.what, "hint": error.hint} if error else {"what": "", "hint": ""}
    return asked.here.page(
        asked.request, asked.person, "missing.html", status=404, title="Not found", **told
    )
