"""A folder as a store: a key is a relative path, and appears complete or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from cityline.adapters.formats.folders import store_errors
from cityline.errors import StoreError


class FolderStore:
    """Implements `ports.store.Store` below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def path(self, key: str) -> Path:
        """The path of a key. Raises StoreError for a key that would leave the root."""
        path = (self.root / key).absolute()
        if ".." in Path(key).parts or not path.is_relative_to(self.root):
            raise StoreError("a key may not leave the store", where=key)
        return path

    def locate(self, key: str) -> str:
        """The absolute path of a key, as text."""
        return str(self.path(key))

    def key(self, location: str) -> str:
        """The key at a path. Raises StoreError for one of another lake."""
        path = location.removeprefix("file://")
        if not path.startswith(f"{self.root}/"):
            what = "the table's files lie in another lake than this environment's"
            hint = "give an environment with a lake of its own a home of its own"
            raise StoreError(what, where=f"{location}, not below {self.root}", hint=hint)
        return path[len(str(self.root)) + 1 :]

    def read(self, key: str) -> bytes:
        """The bytes at a key."""
        with store_errors(key):
            return self.path(key).read_bytes()

    def fetch(self, key: str) -> Path:
        """The path of a key: it is on this machine already."""
        path = self.path(key)
        with store_errors(key):
            path.stat()
        return path

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key: written beside it, flushed to disk, then renamed."""
        path = self.path(key)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        with store_errors(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def adopt(self, path: Path, key: str) -> None:
        """Move a finished file to a key. On one file system it is renamed, which is atomic; from
        another it is copied beside the key first."""
        target = self.path(key)
        with store_errors(key):
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.stat().st_dev != target.parent.stat().st_dev:
                beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
                path = Path(shutil.move(path, beside))
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(target)
            _sync_folder(target.parent)

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        base = self.path(prefix)
        with store_errors(prefix):
            files = (p for p in base.rglob("*") if p.is_file() and not p.name.startswith("."))
            return sorted(p.relative_to(self.root).as_posix() for p in files)

    def remove(self, prefix: str) -> None:
        """Delete everything below a prefix."""
        path = self.path(prefix)
        with store_errors(prefix):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
