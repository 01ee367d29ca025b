"""What a server may ask of a city: pages and files of any state, typed queries, and the console's
facts. It reads; nothing here starts a run or changes what readers see.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cityline.errors import UsageError
from cityline.flow.assembly import assembled
from cityline.flow.facets import value_entries
from cityline.flow.parts import Parts
from cityline.flow.reading import Reading
from cityline.flow.steps.outcome import Done
from cityline.flow.steps.publish import pictured
from cityline.ports.engine import Explored, Limits
from cityline.ports.ledger import Release
from cityline.stages.publish import files
from cityline.stages.publish.pages import about, about_page, file_of, question_page, value_page
from cityline.stages.publish.rendering import assets, render
from cityline.stages.publish.site import Site

_KEPT_STATES = 4
_KEPT_BODIES = 400
_FRESH = 1.0
"""Seconds for which a page made on request may still show the release before."""
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "svg": "image/svg+xml; charset=utf-8",
    "png": "image/png",
    "pdf": "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Body:
    """An answer to a request: bytes, media type, and for files the name to keep them under."""

    data: bytes
    media_type: str = "text/html; charset=utf-8"
    name: str = ""


class Service:
    """A city that is served. Safe to be asked from several threads."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self._lock = threading.RLock()
        self._states: OrderedDict[tuple[str, str, str], tuple[Reading, Site]] = OrderedDict()
        self._bodies: OrderedDict[tuple[Any, ...], Body] = OrderedDict()
        self._seen: tuple[float, Release] | None = None

    @property
    def public(self) -> bool:
        """Whether the city has pages for everybody."""
        return self.parts.folder.city.publish == "public"

    @property
    def languages(self) -> tuple[str, ...]:
        """The city's languages, the first first."""
        return self.parts.folder.city.languages

    @property
    def release(self) -> Path:
        """The folder of the release readers see, resolved once so that an answer mixes no two."""
        return (self.parts.site / "current").resolve()

    @property
    def published(self) -> bool:
        """Whether readers have something to see here."""
        return (self.parts.site / "current").exists()

    def stylesheet(self) -> str:
        """The path of the pages' style sheet."""
        return assets()["site.css"][0]

    def states(self) -> list[tuple[str, str]]:
        """(id, time of promotion) of the states that can be asked, newest first."""
        return [(_data_id(r), r.promoted_at) for r in self.parts.ledger.releases(50)]

    def page(self, path: str, query: Mapping[str, str], language: str, audience: str) -> Body:
        """A page made for this request. `path` is below the language's root, with a slash at its
        end; `query` holds parameters and maybe `snapshot`.

        Raises UsageError for what there is not.
        """
        return self._kept(("page", path), query, language, audience, self._page)

    def file(self, path: str, query: Mapping[str, str], language: str, audience: str) -> Body:
        """An answer's file, `<question>.<ending>`, for parameters. Raises UsageError."""
        return self._kept(("file", path), query, language, audience, self._file)

    def explore(self, sql: str, limits: Limits) -> Explored:
        """One typed SELECT over the tables readers see. Raises UsageError, EngineError."""
        return self.parts.asking.explore(sql, self.done().tables(), limits)

    def done(self) -> Done:
        """What stands now. Raises UsageError before the first run."""
        return Done(self._release("").receipts.values())

    def _kept(
        self,
        what: tuple[str, str],
        query: Mapping[str, str],
        language: str,
        audience: str,
        make: Any,
    ) -> Body:
        asked = dict(sorted(query.items()))
        release = self._release(asked.pop("snapshot", ""))
        key = (*what, release.id, language, audience, *asked.items())
        with self._lock:
            found = self._bodies.get(key)
            if found is not None:
                self._bodies.move_to_end(key)
                return found
        state = self._state(release, language, audience)
        as_of = _data_id(release) if "snapshot" in query else ""
        body: Body = make(what[1], asked, *state, as_of)
        with self._lock:
            self._bodies[key] = body
            while len(self._bodies) > _KEPT_BODIES:
                self._bodies.popitem(last=False)
        return body

    def _page(
        self, path: str, asked: Mapping[str, str], reading: Reading, site: Site, as_of: str
    ) -> Body:
        suffix = _suffix(asked, as_of)
        head, _, rest = path.partition("/")
        if not path:
            whole = assembled(reading, depth="main")
            title = reading.words.gettext("Overview")
            return Body(render(whole, "index.html", "", title=title, as_of=as_of, query=suffix))
        if head in reading.folder.facets and rest:
            return self._value(head, rest.strip("/"), reading, site, suffix)
        if head == "data" and rest == "snapshots/":
            states = self.states()
            [known] = [p for p in about(site) if p[0] == path]
            return Body(about_page(site, *known, past=states))
        name, parameters = self._question_of(path, asked)
        [entry] = reading.entries([(name, parameters)], live=True)
        return Body(question_page(site, entry, query=suffix, as_of=as_of))

    def _question_of(self, path: str, asked: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The question and parameters an address means: `questions/x/`, `questions/x/2019/`,
        `compare/2019-2024/`."""
        match path.strip("/").split("/"):
            case ["questions", name]:
                return name, dict(asked)
            case ["questions", name, year]:
                return name, {"year": year, **asked}
            case ["compare", pair] if "-" in pair:
                before, _, year = pair.partition("-")
                for name, question in self.parts.folder.questions.items():
                    if question.prebuild == ("year", "compare"):
                        return name, {"year": year, "compare": before, **asked}
        raise UsageError("there is no such page", where=path)

    def _value(self, name: str, slug: str, reading: Reading, site: Site, suffix: str) -> Body:
        facet, page = value_entries(reading, name, slug)
        column = reading.folder.facets[name].column
        sign = "&" if suffix else "?"
        live = f"{suffix}{sign}{_encoded({column: page.value})}"
        return Body(value_page(site, facet, page, live=live))

    def _file(
        self, path: str, asked: Mapping[str, str], reading: Reading, site: Site, as_of: str
    ) -> Body:
        name, _, ending = path.rpartition(".")
        if ending not in _TYPES:
            raise UsageError(f"there is no file of kind {ending!r}", hint=", ".join(_TYPES))
        [entry] = reading.entries([(name, asked)], drawn=ending in ("svg", "png", "pdf"))
        body = file_of(site, entry, ending, pictured(self.parts))
        if body is None or entry.answer.refused:
            raise UsageError(entry.answer.refused or "there is no such file", where=path)
        chosen = "-".join(str(v) for v in asked.values())
        kept = files.file_name(f"{name}-{chosen}" if chosen else name)
        return Body(body, _TYPES[ending], f"{kept}{'-' + as_of[:7] if as_of else ''}.{ending}")

    def _release(self, snapshot: str) -> Release:
        if not snapshot:
            return self._current()
        found = [
            r
            for r in self.parts.ledger.releases()
            if r.id.startswith(snapshot) or _data_id(r).startswith(snapshot)
        ]
        if not found or len(snapshot) < len("1234567"):
            hint = "data/snapshots/ lists those there are"
            raise UsageError(f"there is no snapshot {snapshot!r}", hint=hint)
        return found[0]

    def _current(self) -> Release:
        """What readers see, looked up once a second: a release holds every receipt."""
        now = time.monotonic()
        with self._lock:
            if self._seen is None or now - self._seen[0] > _FRESH:
                current = self.parts.ledger.current()
                if current is None:
                    hint = "cityline run makes the first answers"
                    raise UsageError("there is nothing to read yet", hint=hint)
                self._seen = (now, current)
            return self._seen[1]

    def _state(self, release: Release, language: str, audience: str) -> tuple[Reading, Site]:
        key = (release.id, language, audience)
        with self._lock:
            if key not in self._states:
                reading = Reading(self.parts, Done(release.receipts.values()), language, audience)
                made = release.receipts["publish/site"].started
                self._states[key] = (reading, assembled(reading, made, "frame"))
            self._states.move_to_end(key)
            while len(self._states) > _KEPT_STATES * len(self.languages):
                self._states.popitem(last=False)
            return self._states[key]


def _data_id(release: Release) -> str:
    return Done(release.receipts.values()).snapshot


def _suffix(asked: Mapping[str, str], as_of: str) -> str:
    told = {**asked, **({"snapshot": as_of} if as_of else {})}
    return f"?{_encoded(told)}" if told else ""


def _encoded(values: Mapping[str, str]) -> str:
    return urlencode(values)
