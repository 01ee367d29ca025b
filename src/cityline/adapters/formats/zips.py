"""Folders as zip files: the same content is the same bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from cityline.adapters.formats.folders import store_errors
from cityline.errors import StoreError

_WHEN = (1980, 1, 1, 0, 0, 0)


def packed(files: dict[str, bytes]) -> bytes:
    """A zip of files by name."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return made.getvalue()


def unpacked(path: Path, into: Path) -> Path:
    """A zip's files in a folder. Raises StoreError for what is no zip or would leave the folder."""
    try:
        with store_errors(str(path)), zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not (into / name).resolve().is_relative_to(into.resolve()):
                    raise StoreError("a file would leave the folder", where=f"{path}: {name}")
            archive.extractall(into)
    except zipfile.BadZipFile as error:
        raise StoreError("the file is no zip", where=str(path)) from error
    return into
