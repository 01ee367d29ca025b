"""Where the zones' bytes live: a folder here, a bucket elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Bytes by key. A key is written once, completely, or not at all.

    Raises StoreError, and StoreFull when no space is left.
    """

    def locate(self, key: str) -> str:
        """The path or URI under which a cluster can read or write the key."""
        ...

    def key(self, location: str) -> str:
        """The key at a path or URI, as `locate` gave it."""
        ...

    def fetch(self, key: str) -> Path:
        """A file on this machine with the key's bytes, to be read and not changed."""
        ...

    def read(self, key: str) -> bytes:
        """The bytes at a key."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key, atomically."""
        ...

    def adopt(self, path: Path, key: str) -> None:
        """Move a finished local file to a key, atomically."""
        ...

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted; none is an empty list."""
        ...

    def remove(self, prefix: str) -> None:
        """Delete everything below a prefix; nothing there is no error."""
        ...
