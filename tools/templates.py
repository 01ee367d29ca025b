"""Write a city's AWS templates, or show that the committed ones are what the declarations say.

    python -m tools.templates [CITY] [--check] [--without-cdk]

The CDK is given every template and its validation must pass (`requirements/deploy.txt`, with Node
from its wheel). `--without-cdk` compares only: rendering needs nothing beyond Cityline.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from cityline.deploy import cdk
from cityline.deploy.checks import check
from cityline.deploy.render import render
from cityline.deploy.template import INLINE_LIMIT, Template, minified
from cityline.errors import CitylineError
from cityline.wiring import open_estate

ROOT = Path(__file__).resolve().parent.parent
ORDER = "order.json"
"""The stacks in the order in which they are deployed, each with its region and parameters."""


def folder_of(city: Path) -> Path:
    """Where a city's templates lie."""
    return city / "templates" / "aws"


def files(templates: dict[str, Template]) -> dict[str, str]:
    """Every file of the folder by its name."""
    order = [
        {"stack": name, "region": t.region, "parameters": sorted(t.parameters)}
        for name, t in templates.items()
    ]
    found = {f"{name}.json": minified(t.body()) for name, t in templates.items()}
    return {ORDER: json.dumps(order, indent=1) + "\n", **found}


def differing(city: Path, wanted: dict[str, str]) -> list[str]:
    """Names of committed files that are missing, left over or not what the declarations say."""
    folder = folder_of(city)
    there = {p.name: p.read_text(encoding="utf-8") for p in folder.glob("*.json")}
    return sorted(n for n in {*wanted, *there} if wanted.get(n) != there.get(n))


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tools.templates")
    parser.add_argument("city", nargs="?", type=Path, default=ROOT / "cities" / "vancouver")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--without-cdk", action="store_true")
    asked = parser.parse_args(argv)
    began = time.monotonic()
    try:
        templates = render(open_estate(asked.city))
        if not asked.without_cdk:
            with tempfile.TemporaryDirectory() as out:
                cdk.synthesise(templates, Path(out))
    except CitylineError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    found = check({name: t.body() for name, t in templates.items()})
    for finding in found:
        print(finding, file=sys.stderr)
    wanted = files(templates)
    changed = differing(asked.city, wanted)
    if not asked.check:
        _write(folder_of(asked.city), wanted, changed)
    else:
        for name in changed:
            print(f"{name} is not what the declarations say", file=sys.stderr)
    _tell(templates, time.monotonic() - began)
    return 1 if found or (asked.check and changed) else 0


def _write(folder: Path, wanted: dict[str, str], changed: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in wanted:
            (folder / name).write_text(wanted[name], encoding="utf-8")
        else:
            (folder / name).unlink()


def _tell(templates: dict[str, Template], seconds: float) -> None:
    for name, template in templates.items():
        size = len(minified(template.body()).encode())
        told = f"{len(template.resources):>3} resources {size:>6,} of {INLINE_LIMIT:,} bytes"
        print(f"{name:<14}{template.region:<14}{told}")
    resources = sum(len(t.resources) for t in templates.values())
    print(f"{len(templates)} templates, {resources} resources, {seconds:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
