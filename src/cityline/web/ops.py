"""The operator's console: why a run failed, what stands, and where it came from. It starts nothing:
runs are started where the lake is written."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from cityline.errors import UsageError
from cityline.web.routes import Asked


def runs(asked: Asked) -> Response:
    """Every run, newest first."""
    status = asked.request.query_params.get("status", "")
    found = asked.here.console.runs()
    shown = [r for r in found if not status or r["status"] == status]
    part = asked.request.query_params.get("part") == "table"
    kinds = sorted({r["status"] for r in found})
    trend = [r["rows_in"] for r in reversed(found) if r["rows_in"]][-40:]
    return _page(
        asked,
        "ops/runs-table.html" if part else "ops/runs.html",
        "Runs",
        runs=shown[:200],
        chosen=status,
        kinds=kinds,
        trend=trend,
        running=any(r["status"] == "running" for r in found),
    )


def run(asked: Asked) -> Response:
    """One run: its timeline, its failure first, and the last lines of its log."""
    name = asked.request.path_params["run"]
    part = asked.request.query_params.get("part") == "run"
    template = "ops/run-live.html" if part else "ops/run.html"
    try:
        found = asked.here.console.run(name)
    except UsageError as error:
        return _missing(asked, error)
    return _page(asked, template, f"Run {name}", run=found)


def lineage(asked: Asked) -> Response:
    """One thing, what it was made from, and what was made of it."""
    thing = asked.request.query_params.get("thing", "site/site")
    try:
        found = asked.here.console.lineage(thing)
    except UsageError as error:
        return _missing(asked, error)
    return _page(asked, "ops/lineage.html", "Lineage", lineage=found)


def quality(asked: Asked) -> Response:
    """Every rule with its history."""
    found = asked.here.console.quality()
    failed = [v for v in found if v["outcome"] == "failed"]
    return _page(asked, "ops/quality.html", "Quality", verdicts=found, failed=failed)


def profile(asked: Asked) -> Response:
    """The columns of a source, and what drifted since the pull before."""
    return _of_source(asked, "ops/profile.html", "Profile", asked.here.console.profile)


def recipe(asked: Asked) -> Response:
    """The steps of a recipe and what each changed."""
    return _of_source(asked, "ops/recipe.html", "Recipe", asked.here.console.recipe)


def settings(asked: Asked) -> Response:
    """Every setting with its origin."""
    found = asked.here.console.settings()
    return _page(asked, "ops/settings.html", "Settings", settings=found)


def doctor(asked: Asked) -> Response:
    """The checks of `cityline doctor`, run now."""
    return _page(asked, "ops/doctor.html", "Doctor", checks=asked.here.checks())


def _of_source(asked: Asked, template: str, title: str, look: Any) -> Response:
    sources = sorted(asked.here.service.parts.folder.recipes)
    source = asked.request.query_params.get("source") or sources[0]
    try:
        found = look(source)
    except UsageError as error:
        return _missing(asked, error)
    return _page(asked, template, title, found=found)


def _page(asked: Asked, template: str, title: str, **context: Any) -> Response:
    return asked.here.page(asked.request, asked.person, template, title=title, **context)


def _missing(asked: Asked, error: UsageError) -> Response:
    return asked.here.page(
        asked.request,
        asked.person,
        "missing.html",
        status=404,
        title="Not found",
        what=error.what,
        hint=error.hint,
    )
