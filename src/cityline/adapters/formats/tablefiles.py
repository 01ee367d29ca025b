"""A table's own files, its metadata and manifests, through the store that holds the zones.

PyIceberg finds this class by its name. So a bucket is met in one place, with one set of
credentials, one patience and one kind of error, and a footer it reads is read from the copy at
hand. A key is written once, so nothing is looked for before it is written.
"""

from __future__ import annotations

import io
from typing import cast

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream
from pyiceberg.typedef import EMPTY_DICT, Properties

from cityline.errors import StoreError
from cityline.ports.store import Store

STORE = "cityline.store"
"""The property under which the catalogue hands over the store: an object, not a text."""


class StoreFiles(FileIO):
    """PyIceberg's files are keys of a store; a location is what the store says of a key."""

    def __init__(self, properties: Properties = EMPTY_DICT) -> None:
        super().__init__(properties)
        self._store = cast("Store", properties[STORE])

    def new_input(self, location: str) -> InputFile:
        """A file to be read."""
        return _Read(location, self._store)

    def new_output(self, location: str) -> OutputFile:
        """A file to be written."""
        return _Write(location, self._store)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Delete one file."""
        place = location if isinstance(location, str) else location.location
        self._store.remove(self._store.key(place))


class _Read(InputFile):
    def __init__(self, location: str, store: Store) -> None:
        super().__init__(location)
        self._store = store
        self._key = store.key(location)

    def __len__(self) -> int:
        return self._store.fetch(self._key).stat().st_size

    def exists(self) -> bool:
        try:
            return self._store.fetch(self._key).is_file()
        except StoreError:
            return False

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - PyIceberg's
        return cast("InputStream", self._store.fetch(self._key).open("rb"))


class _Write(OutputFile):
    def __init__(self, location: str, store: Store) -> None:
        super().__init__(location)
        self._store = store

    def __len__(self) -> int:
        return len(self.to_input_file())

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        return _Read(self.location, self._store)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - PyIceberg's
        return cast("OutputStream", _Writing(self._store, self._store.key(self.location)))


class _Writing(io.BytesIO):
    """Bytes that are put in the store when they are complete."""

    def __init__(self, store: Store, key: str) -> None:
        super().__init__()
        self._store = store
        self._key = key

    def close(self) -> None:
        """Put them, once."""
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._store.write(self._key, data)
