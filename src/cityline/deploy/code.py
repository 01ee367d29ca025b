"""What the jobs run: our wheels, their script and the city's declarations, each under its hash.

The same content is the same bytes and so the same name: what is there already is not put again, and
a new version changes a stack's parameters and no template.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from cityline.declarations.folder import Folder
from cityline.errors import StoreError, UsageError

_WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """One object of the code bucket; `parameter` is what the templates call its key."""

    parameter: str
    key: str
    data: bytes


def pieces(folder: Folder, wheels: Path | None, server: Path | None = None) -> list[Piece]:
    """Everything to put into the code bucket. Wheels are left out when none are given: those that
    are there stay. Raises UsageError for a file that is no zip of wheels."""
    script = resources.files("cityline.cli").joinpath("job.py").read_bytes()
    found = [
        Piece("ScriptKey", f"jobs/{_hash(script)}/job.py", script),
        _piece("CityKey", f"cities/{folder.root.name}", declarations(folder)),
    ]
    for parameter, path in (("WheelsKey", wheels), ("ServerWheelsKey", server)):
        if path is not None:
            ending = ".gluewheels.zip" if parameter == "WheelsKey" else ".zip"
            found.append(_piece(parameter, f"wheels/{path.name.split('.')[0]}", _zip(path), ending))
    return found


def declarations(folder: Folder) -> bytes:
    """A zip of every declaration of a city."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(folder.digests):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (folder.root / name).read_bytes())
    return made.getvalue()


def unpacked(path: Path, into: Path) -> Path:
    """A zip's files in a folder. Raises StoreError for what is no zip or would leave the folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if not (into / name).resolve().is_relative_to(into.resolve()):
                    raise StoreError("a file would leave the folder", where=f"{path}: {name}")
            archive.extractall(into)
    except zipfile.BadZipFile as error:
        raise StoreError("the file is no zip", where=str(path)) from error
    return into


def _piece(parameter: str, stem: str, data: bytes, ending: str = ".zip") -> Piece:
    return Piece(parameter, f"{stem}-{_hash(data)}{ending}", data)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _zip(path: Path) -> bytes:
    hint = "python tools/wheels.py makes it"
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError("there is no zip of wheels", where=str(path), hint=hint) from error
    if not any(n.startswith("wheels/cityline-") and n.endswith(".whl") for n in names):
        raise UsageError("the zip holds no wheel of cityline", where=str(path), hint=hint)
    return data
