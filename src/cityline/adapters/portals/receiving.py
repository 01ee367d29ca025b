"""A file that appears complete or not at all, hashed while it is written."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from cityline.errors import StoreError, StoreFull

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Received:
    """What was written: bytes and their SHA-256."""

    bytes: int
    sha256: str


def receive(blocks: Iterable[bytes], into: Path) -> Received:
    """Write blocks to a file beside `into`, then rename it; on any error nothing is left.

    Raises StoreFull and StoreError, and whatever the blocks raise.
    """
    temporary = into.with_name(f"{into.name}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with _opened(temporary) as file:
            for block in blocks:
                digest.update(block)
                size += len(block)
                _write(file, block, into)
        try:
            temporary.replace(into)
        except OSError as error:
            raise _failed(error, into) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Received(size, digest.hexdigest())


def _opened(path: Path) -> FileIO:
    """Unbuffered: blocks are large, and an error belongs to the block that met it."""
    try:
        return path.open("wb", buffering=0)
    except OSError as error:
        raise _failed(error, path) from error


def _write(file: FileIO, block: bytes, into: Path) -> None:
    """All of a block: an unbuffered file may take it in parts."""
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) or 0 :]
    except OSError as error:
        raise _failed(error, into) from error


def _failed(error: OSError, path: Path) -> StoreError:
    kind, hint = StoreError, "check that the folder exists and may be written to"
    if error.errno in _FULL:
        kind, hint = StoreFull, "free some space and run again; the last good state stays"
    return kind(f"what is received cannot be written: {error.strerror}", where=str(path), hint=hint)
