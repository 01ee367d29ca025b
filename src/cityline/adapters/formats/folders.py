"""A folder's refusals, for every adapter that keeps files on this machine."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from cityline.errors import StoreError, StoreFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn the operating system's refusals into StoreFull and StoreError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            what = "no space is left where the zones are kept"
            hint = "free some space and run again: nothing was half-written"
            raise StoreFull(what, where=where, hint=hint) from error
        what = f"the folder cannot be used: {error.strerror or error}"
        hint = "check that it exists and may be read and written (cityline doctor)"
        raise StoreError(what, where=where, hint=hint) from error
