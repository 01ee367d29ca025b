"""The doctor: what a run needs, looked at without changing anything."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cityline.errors import CitylineError, StepError
from cityline.flow.parts import Parts
from cityline.lake.address import Address, Zone
from cityline.lake.wording import size
from cityline.ports.engine import Examined
from cityline.ports.keys import Keys

_ROOM = 500_000_000
"""Bytes a first run should find free; the real dataset needs far less."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, or what to try."""

    check: str
    fine: bool
    told: str
    hint: str = ""


def examine(parts: Parts) -> list[Finding]:
    """Look at Python, the home folder, the disk, the lake, the engine and the portal."""
    looks: dict[str, Callable[[Parts], str]] = {
        "python": _python,
        "home": _home,
        "disk": _disk,
        "lake": _lake,
        "engine": _engine,
        "portal": _portal,
    }
    return [look_at(name, partial(look, parts)) for name, look in looks.items()]


def examine_keys(keys: Keys) -> list[Finding]:
    """Each key of the zones, or who keeps them where there are none of ours."""
    try:
        found = keys.read()
    except CitylineError as error:
        return [Finding("keys", fine=False, told=f"{error.what} ({error.where})", hint=error.hint)]
    if not found:
        return [Finding("keys", fine=True, told=keys.says)]
    return [
        Finding(f"key {k.zone}", fine=not k.fault, told=str(k), hint=k.fault and keys.says)
        for k in found
    ]


def look_at(name: str, look: Callable[[], str]) -> Finding:
    """One look, whose error becomes a finding."""
    try:
        return Finding(name, fine=True, told=look())
    except CitylineError as error:
        return Finding(name, fine=False, told=error.what, hint=error.hint)


def _python(_parts: Parts) -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"


def _home(parts: Parts) -> str:
    there = _nearest(parts.home)
    if not os.access(there, os.W_OK):
        raise StepError(f"{there} cannot be written", hint="--home DIR, or its permissions")
    return f"{parts.home} ({'exists' if parts.home.is_dir() else 'will be made'})"


def _disk(parts: Parts) -> str:
    free = shutil.disk_usage(_nearest(parts.home)).free
    if free < _ROOM:
        raise StepError(f"only {size(free)} are free", hint="free some space, or --home DIR")
    return f"{size(free)} free"


def _lake(parts: Parts) -> str:
    """Listing needs the store, its credentials and the right to read; nothing is written. The
    ledger is what everybody may list who may do anything."""
    parts.store.keys(Address(Zone.LAKE, "ledger").key())
    return f"{parts.store.locate('')} can be listed"


def _engine(parts: Parts) -> str:
    there = parts.folder.environment.kind == "aws"
    told = [f"{parts.engine.name} in the jobs"] if there else []
    for engine in dict.fromkeys((parts.asking,) if there else (parts.engine, parts.asking)):
        if isinstance(engine, Examined):
            told.append(engine.examine())
        else:
            engine.query("SELECT 1 AS one", {})
            told.append(f"{engine.name} answers")
    return ", ".join(told)


def _portal(parts: Parts) -> str:
    told = []
    for source in parts.folder.sources.values():
        dataset = parts.portal(source).describe(source.dataset)
        told.append(f"{source.dataset} of {dataset.data_processed[:10]}")
    return ", ".join(told)


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next(p for p in (path, *path.parents) if p.exists())
