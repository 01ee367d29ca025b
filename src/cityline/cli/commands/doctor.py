"""The doctor: what a run needs, looked at without changing anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import rich_click as click

from cityline.cli.opening import Asked, pulling, shared
from cityline.cli.output import table
from cityline.errors import CitylineError, StepError
from cityline.lake.wording import size

_ROOM = 500_000_000
"""Bytes a first run should find free; the real dataset needs far less."""


@click.command()
@pulling
@shared
def doctor(asked: Asked) -> None:
    """Look at the environment, the folder, the disk and the portal, and say what is missing."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("declarations", lambda: f"{len(asked.folder().digests)} files, no problems"),
        ("home", lambda: _home(asked)),
        ("disk", lambda: _disk(asked)),
        ("engine", lambda: _engine(asked)),
        ("portal", lambda: _portal(asked)),
    ]
    told = [_tried(name, look) for name, look in checks]
    rows = [["✓" if c["ok"] else "✗", c["check"], c["told"], c["try"]] for c in told]
    asked.output.done(told, table(["", "check", "found", "try"], rows, [False] * 4))
    bad = [c["check"] for c in told if not c["ok"]]
    if bad:
        raise StepError(f"not in order: {', '.join(bad)}", hint="see the last column")


def _tried(name: str, look: Callable[[], str]) -> dict[str, str]:
    try:
        return {"check": name, "ok": "yes", "told": look(), "try": ""}
    except CitylineError as error:
        return {"check": name, "ok": "", "told": error.what, "try": error.hint}


def _python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def _home(asked: Asked) -> str:
    home = asked.parts().home
    there = _nearest(home)
    if not os.access(there, os.W_OK):
        raise StepError(f"{there} cannot be written", hint="--home DIR, or its permissions")
    return f"{home} ({'exists' if home.is_dir() else 'will be made'})"


def _disk(asked: Asked) -> str:
    free = shutil.disk_usage(_nearest(asked.parts().home)).free
    if free < _ROOM:
        raise StepError(f"only {size(free)} are free", hint="free some space, or --home DIR")
    return f"{size(free)} free"


def _engine(asked: Asked) -> str:
    engine = asked.parts().engine
    engine.query("SELECT 1 AS one", {})
    return f"{engine.name} answers"


def _portal(asked: Asked) -> str:
    parts = asked.parts()
    told = []
    for source in parts.folder.sources.values():
        dataset = parts.portal(source).describe(source.dataset)
        told.append(f"{source.dataset} of {dataset.data_processed[:10]}")
    return ", ".join(told)


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next(p for p in (path, *path.parents) if p.exists())
