"""Make the zip of wheels that a job or a server on AWS installs, with no network there.

    python tools/wheels.py [--machine x86_64|aarch64] [--out DIR]

Our own wheel and every wheel it needs, as `requirements/job.txt` locks them by hash, for Python
3.11 and the C library of Amazon Linux 2023. The same wheels are the same bytes. Prints the path.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKED = ROOT / "requirements" / "job.txt"
_WHEN = (1980, 1, 1, 0, 0, 0)
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")


def platforms(machine: str) -> list[str]:
    """Platform tags that Amazon Linux 2023 takes, newest C library last."""
    return [f"{name}_{machine}" for name in ("manylinux2014", "manylinux_2_17", "manylinux_2_28")]


def build(into: Path, machine: str) -> None:
    """Our wheel, and the wheels it needs, in a folder."""
    epoch = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    own = [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(into), str(ROOT)]
    subprocess.run(own, check=True, env=epoch)
    asked = [
        "--require-hashes", "-r", str(LOCKED), "--only-binary=:all:", "--implementation", "cp",
        "--python-version", "3.11", "--abi", "cp311", "--abi", "abi3", "--abi", "none",
    ]  # fmt: skip
    for platform in platforms(machine):
        asked += ["--platform", platform]
    subprocess.run([*_PIP, "download", *asked, "-d", str(into)], check=True)


def pack(wheels: Path, target: Path) -> int:
    """The wheels as Glue wants them: one file, with what to install beside them. They are
    compressed already. Returns how many there are."""
    found = sorted(wheels.glob("*.whl"))
    wanted = "".join(f"{p.name.split('-')[0]}=={p.name.split('-')[1]}\n" for p in found)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("wheels/requirements.txt", _WHEN), wanted)
        for path in found:
            archive.writestr(zipfile.ZipInfo(f"wheels/{path.name}", _WHEN), path.read_bytes())
    return len(found)


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python tools/wheels.py")
    parser.add_argument("--machine", choices=["x86_64", "aarch64"], default="x86_64")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "wheels")
    asked = parser.parse_args(argv)
    asked.out.mkdir(parents=True, exist_ok=True)
    target = asked.out / f"cityline-{asked.machine}.gluewheels.zip"
    with tempfile.TemporaryDirectory() as work:
        build(Path(work), asked.machine)
        count = pack(Path(work), target)
    print(f"{count} wheels, {target.stat().st_size:,} bytes", file=sys.stderr)
    print(target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
