"""A release is a folder written completely, with a manifest of hashes; readers are switched to it
by one rename. A failure or a kill leaves the release before it in place.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cityline.errors import StoreError, StoreFull, UsageError
from cityline.ports.store import Store

MANIFEST = "manifest.json"
UP = "site/current"
"""Where a release is put up in a store, for readers and other machines."""
_AT_ONCE = 16
"""Files that travel side by side."""
_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_release(root: Path, pages: Iterable[tuple[str, bytes]]) -> tuple[str, dict[str, int]]:
    """Write a release below `root/releases`, named by the hash of its content.

    Returns its name and each file's size. Nothing points to it until `switch` is called.
    """
    building = root / "releases" / f".building-{uuid.uuid4().hex[:8]}"
    hashes: dict[str, str] = {}
    sizes: dict[str, int] = {}
    with _errors(root):
        try:
            for name, body in pages:
                path = building / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(body)
                hashes[name], sizes[name] = hashlib.sha256(body).hexdigest(), len(body)
            listing = "\n".join(f"{n} {h}" for n, h in sorted(hashes.items()))
            identity = hashlib.sha256(listing.encode()).hexdigest()[:16]
            manifest = json.dumps({"release": identity, "files": hashes}, indent=1, sort_keys=True)
            (building / MANIFEST).write_text(manifest, encoding="utf-8")
            _flush(building)
            target = root / "releases" / identity
            if not target.exists():
                building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return identity, sizes


def switch(root: Path, identity: str) -> None:
    """Make `root/current` the release named, in one rename; already so is no change."""
    current = root / "current"
    target = Path("releases") / identity
    with _errors(root):
        if current.is_symlink() and current.readlink() == target:
            return
        if not (root / target / MANIFEST).is_file():
            what = f"the release {identity} is not complete"
            raise StoreError(what, where=str(root), hint="cityline run writes it again")
        temporary = root / f".current-{uuid.uuid4().hex[:8]}"
        temporary.symlink_to(target)
        temporary.replace(current)


def prune(root: Path, keep: int) -> None:
    """Delete all but the newest releases; the one readers see always stays."""
    current = root / "current"
    seen = current.resolve() if current.is_symlink() else None
    with _errors(root):
        releases = [p for p in (root / "releases").iterdir() if p.is_dir()]
        unfinished = [p for p in releases if p.name.startswith(".building-")]
        done = sorted(
            (p for p in releases if p not in unfinished), key=lambda p: -p.stat().st_mtime
        )
        for path in (*unfinished, *done[keep:]):
            if path.resolve() != seen:
                shutil.rmtree(path)


def put_up(release: Path, store: Store) -> None:
    """Put a release where a static site is read from, below `UP` of a store: pages after what they
    show, and what is gone last. The same release again asks one question only."""
    there = set(store.keys(UP))
    mark = _mark(release.resolve().name)
    if mark in there:
        return
    names = sorted(p.relative_to(release).as_posix() for p in _files(release))
    for last in (False, True):
        chosen = [n for n in names if n.endswith(".html") is last]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda n: store.write(f"{UP}/{n}", (release / n).read_bytes()), chosen))
    store.write(mark, b"")
    for key in sorted(there - {f"{UP}/{n}" for n in names}):
        store.remove(key)


def bring(root: Path, store: Store, identity: str) -> None:
    """Take a release that another machine put up, whole or not at all; `switch` shows it.

    Raises StoreError while another one is there, or one is just being put up.
    """
    told = json.loads(store.read(f"{UP}/{MANIFEST}"))
    made, known = told["release"], told["files"]
    if made == identity:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            bodies = pool.map(lambda n: store.read(f"{UP}/{n}"), known)
            made, _ = write_release(root, zip(known, bodies, strict=True))
    if made != identity:
        what = f"the release {identity} is not put up, or not wholly"
        hint = "wait a minute: the job publishing puts it up after it is promoted"
        raise StoreError(what, where=store.locate(UP), hint=hint)


def _mark(identity: str) -> str:
    """The key that says that a release is up, wholly."""
    return f"{UP}/{identity}.release"


def verify_release(path: Path) -> list[str]:
    """Altered, missing and extra files of a release, by name; none is an empty list."""
    names = [p.relative_to(path).as_posix() for p in _files(path)]
    return _differences(names, lambda name: (path / name).read_bytes())


def verify_put_up(store: Store, identity: str) -> list[str]:
    """The same of a release as it was put up."""
    keys = [key for key in store.keys(UP) if key != _mark(identity)]
    return _differences(
        [key.removeprefix(f"{UP}/") for key in keys], lambda name: store.read(f"{UP}/{name}")
    )


def _differences(there: list[str], read: Callable[[str], bytes]) -> list[str]:
    """What is there, held to the manifest that is there."""
    if MANIFEST not in there:
        return [f"{MANIFEST}: missing"]
    known: Mapping[str, str] = json.loads(read(MANIFEST))["files"]
    names = sorted(n for n in there if n != MANIFEST)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        hashes = pool.map(lambda n: hashlib.sha256(read(n)).hexdigest(), names)
        found = dict(zip(names, hashes, strict=True))
    problems = [f"{n}: missing" for n in sorted(known) if n not in found]
    for name, digest in found.items():
        if name not in known:
            problems.append(f"{name}: not part of the release")
        elif digest != known[name]:
            problems.append(f"{name}: altered")
    return problems


def write_bundle(out: Path, pages: Iterable[tuple[str, bytes]]) -> Path:
    """Write pages with their manifest into an empty or new folder: all of them, or nothing."""
    if out.exists() and any(out.iterdir()):
        raise UsageError("the folder is not empty", where=str(out), hint="choose another")
    building = out.with_name(f".{out.name}-{uuid.uuid4().hex[:8]}")
    with _errors(out):
        try:
            identity, _ = write_release(building, pages)
            if out.exists():
                out.rmdir()
            (building / "releases" / identity).rename(out)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return out.absolute()


def copy_release(root: Path, out: Path) -> Path:
    """Copy the release readers see into an empty or new folder."""
    if out.exists() and any(out.iterdir()):
        raise UsageError("the folder is not empty", where=str(out), hint="choose another")
    with _errors(out):
        shutil.copytree(root / "current", out, dirs_exist_ok=True)
    return out.absolute()


def _flush(folder: Path) -> None:
    """Have every file on disk before anything points to it."""
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _files(folder: Path) -> Iterator[Path]:
    return (p for p in folder.rglob("*") if p.is_file())


@contextmanager
def _errors(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what = "no space is left where the site is kept"
            hint = "free some space and run again; readers still see the release before"
            raise StoreFull(what, where=str(where), hint=hint) from error
        what = f"the site cannot be written: {error.strerror or error}"
        hint = "check that the folder may be written; readers still see the release before"
        raise StoreError(what, where=str(where), hint=hint) from error
