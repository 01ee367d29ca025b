"""A past release, built again from what was kept: receipts, tables, and the declarations then."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cityline.declarations.folder import Folder, read_folder
from cityline.errors import UsageError
from cityline.flow.parts import Parts
from cityline.flow.steps.outcome import Done
from cityline.flow.steps.publish import rendered


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came out: how many files, and which are not as they were. `same_code` is false when the
    program is another one than then, which explains a difference."""

    release: str
    files: int
    different: tuple[str, ...]
    same_code: bool


def rebuild(parts: Parts, release: str, out: Path, opened: Callable[[Folder], Parts]) -> Rebuilt:
    """Build a release's site into an empty folder. `opened` opens declarations over the same lake.

    Raises UsageError for an unknown release or a folder that is not empty, StoreError when the
    files of its tables are no longer kept.
    """
    found = [r for r in parts.ledger.releases() if r.id.startswith(release)]
    if not found or not release:
        known = ", ".join(r.id for r in parts.ledger.releases(10))
        raise UsageError(f"there is no release {release!r}", hint=f"the newest: {known}")
    if out.exists() and any(out.iterdir()):
        raise UsageError("the folder is not empty", where=str(out), hint="choose another")
    past = found[0]
    if "declarations" not in past.summary:
        raise UsageError("the declarations of that release were not kept", where=past.id)
    with tempfile.TemporaryDirectory(prefix="cityline-rebuild-") as folder:
        root = Path(folder) / "city"
        texts: dict[str, str] = json.loads(parts.store.read(past.summary["declarations"]))
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        then = opened(read_folder(root, parts.folder.environment.name))
        step = past.receipts["publish/site"]
        hashes = _written(then, Done(past.receipts.values()), step.started, out)
    listing = {f.key.removeprefix("site/"): f.bytes for f in step.versions[0].files}
    different = sorted(set(listing) ^ set(hashes))
    identity = hashlib.sha256(
        "\n".join(f"{n} {h}" for n, h in sorted(hashes.items())).encode()
    ).hexdigest()[:16]
    if identity != step.versions[0].id and not different:
        kept = _kept(parts.site / "releases" / step.versions[0].id)
        different = sorted(n for n, h in hashes.items() if kept.get(n, h) != h) or ["(unknown)"]
    return Rebuilt(past.id, len(hashes), tuple(different), past.summary["code"] == parts.code)


def _written(then: Parts, done: Done, until: str, out: Path) -> dict[str, str]:
    hashes = {}
    for name, body in rendered(then, done, then.folder.city.publish, until):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        hashes[name] = hashlib.sha256(body).hexdigest()
    return hashes


def _kept(release: Path) -> dict[str, str]:
    """The hashes of a release that is still there; nothing is known of one that is not."""
    manifest = release / "manifest.json"
    if not manifest.is_file():
        return {}
    files: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    return files
