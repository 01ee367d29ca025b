"""The moment readers see a new state: one transaction in the ledger, then the site's pointer.

A run killed between the two is finished by the next one, which makes the pointer follow.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime

from cityline.declarations.folder import Folder
from cityline.flow.parts import Parts
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release
from cityline.ports.store import Store
from cityline.stages.publish.release import (
    bring,
    prune,
    put_up,
    switch,
    verify_put_up,
    verify_release,
)

_TABLE_STAGES = ("prepare", "structure")


def promote(parts: Parts, done: Done, run: str) -> Release:
    """Make what the run holds the state readers see; the same state again changes nothing."""
    current = parts.ledger.current()
    release_id = identify(done)
    if current is not None and current.id == release_id:
        return current
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    release = Release(release_id, run, moment, dict(done.receipts))
    facts = {
        "generated": done.generated,
        "steps": len(done.receipts),
        "code": parts.code,
        "declarations": keep_declarations(parts.folder, parts.store),
    }
    parts.ledger.promote(release, facts)
    finish(parts)
    return release


def keep_declarations(folder: Folder, store: Store) -> str:
    """Keep every declaration a release was made from, under their common hash; returns the key."""
    key = Address(Zone.LAKE, "declarations").key(f"{folder.digest('')}.json")
    texts = {name: (folder.root / name).read_text("utf-8") for name in sorted(folder.digests)}
    store.write(key, json.dumps(texts, ensure_ascii=False).encode())
    return key


def identify(done: Done) -> str:
    """A release's id: the hash of every version in it, the site's pages included."""
    versions = sorted(f"{v.address}@{v.id}" for r in done.receipts.values() for v in r.versions)
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def finish(parts: Parts) -> None:
    """Make the site's pointer follow the ledger, and sweep what a killed run left behind. Of
    several machines only the one that wrote the release has its pages; there it is also put where
    all can read it."""
    shutil.rmtree(parts.home / "incoming", ignore_errors=True)
    parts.store.remove("scratch")
    pages = pages_of(parts.ledger.current())
    shared = parts.folder.environment.kind == "aws"
    if not pages or (shared and not (parts.site / "releases" / pages).is_dir()):
        return
    _show(parts, pages)
    if shared:
        put_up(parts.site / "current", parts.store)


def follow(parts: Parts) -> None:
    """Have here the pages readers see, when another machine published them. Raises StoreError
    while they are not where all can read them."""
    pages = pages_of(parts.ledger.current())
    if not pages:
        return
    if not (parts.site / "releases" / pages).is_dir():
        bring(parts.site, parts.store, pages)
    _show(parts, pages)


def pages_of(release: Release | None) -> str:
    """The id of a release's pages; nothing when it has none."""
    receipt = release.receipts.get("publish/site") if release else None
    return receipt.versions[0].id if receipt else ""


def verified(parts: Parts, release: Release) -> list[str]:
    """Altered, missing and extra files of the pages readers see, where they see them."""
    if parts.folder.environment.kind == "aws":
        return verify_put_up(parts.store, pages_of(release))
    return verify_release(parts.site / "current")


def _show(parts: Parts, pages: str) -> None:
    switch(parts.site, pages)
    prune(parts.site, keep=parts.folder.environment.keep_releases)


def expire(parts: Parts, receipts: Iterable[Receipt]) -> None:
    """Drop old snapshots of the tables these steps wrote, and files no snapshot needs."""
    keep = parts.folder.environment.keep_snapshots
    current = parts.ledger.current()
    seen = {v.id for r in (current.receipts.values() if current else ()) for v in r.versions}
    for receipt in receipts:
        if receipt.stage not in _TABLE_STAGES or receipt.outcome is not Outcome.DONE:
            continue
        for version in receipt.versions:
            protected = frozenset({version.id, *seen})
            for key in parts.catalog.expire(version.address, keep, protected):
                parts.store.remove(key)
