"""A city's folder: copy one out, check it, and describe its files to editors."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cityline.cli.opening import Asked, shared
from cityline.cli.output import Output
from cityline.errors import UsageError

if TYPE_CHECKING:
    from cityline.declarations.reading import Declared


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--city", "name", default="vancouver", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def init(folder: Path, name: str, as_json: bool) -> None:
    """Copy a city's declarations into FOLDER, for an analyst to edit."""
    from cityline.wiring import shipped_city  # noqa: PLC0415 - heavy

    files = copy_city(shipped_city(name), folder.absolute())
    output = Output(as_json=as_json, command="init")
    data = {"folder": str(folder), "files": len(files)}
    output.done(data, f"{len(files)} files in {folder}\nNext:  cd {folder} && cityline run")


def copy_city(source: Path, target: Path) -> list[Path]:
    """Copy a city's folder, complete or not at all. Raises UsageError when files are there."""
    if target.exists() and any(target.iterdir()):
        raise UsageError("the folder is not empty", where=str(target), hint="choose another name")
    temporary = target.with_name(f".{target.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, temporary, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        write_schemas(temporary / "schemas")
        if target.exists():
            target.rmdir()
        temporary.rename(target)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        what = f"the folder cannot be made: {error.strerror or error}"
        raise UsageError(what, where=str(target), hint="choose a place you may write to") from error
    return [p for p in target.rglob("*") if p.is_file()]


@click.command()
@shared
def check(asked: Asked) -> None:
    """Read every declaration and report every problem, with file and key."""
    from cityline.flow.checking import check_city  # noqa: PLC0415 - heavy

    parts = asked.parts()
    found = check_city(parts)
    data = {
        "files": len(parts.folder.digests),
        "model_tests": found.model_tests,
        "rules": found.rules,
        "policy_tests": found.policy_tests,
    }
    asked.output.done(
        data,
        f"{len(parts.folder.digests)} files · {found.model_tests} model tests passed · "
        f"{found.rules} quality rules · {found.policy_tests} policy tests passed · "
        "no problems\nNext:  cityline run",
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), required=False)
@click.option("--json", "as_json", is_flag=True, help="All schemas as one JSON object on stdout.")
def schema(folder: Path | None, as_json: bool) -> None:
    """Write JSON Schemas for editors: one per kind of declaration."""
    output = Output(as_json=as_json, command="schema")
    if as_json:
        output.done({n: k.model_json_schema() for n, k in kinds().items()}, "")
        return
    files = write_schemas(folder or Path("schemas"))
    output.done({"files": [str(f) for f in files]}, "\n".join(map(str, files)))


def kinds() -> dict[str, type[Declared]]:
    """Every kind of declaration by name."""
    from cityline.declarations.access import Access  # noqa: PLC0415 - pydantic is heavy
    from cityline.declarations.city import City  # noqa: PLC0415
    from cityline.declarations.corrections import Corrections  # noqa: PLC0415
    from cityline.declarations.environment import Environment  # noqa: PLC0415
    from cityline.declarations.facet import Facet  # noqa: PLC0415
    from cityline.declarations.language import Language  # noqa: PLC0415
    from cityline.declarations.model import Model  # noqa: PLC0415
    from cityline.declarations.question import Question  # noqa: PLC0415
    from cityline.declarations.recipe import Recipe  # noqa: PLC0415
    from cityline.declarations.retention import Retention  # noqa: PLC0415
    from cityline.declarations.source import Source  # noqa: PLC0415

    of_city = (City, Source, Recipe, Corrections, Model, Question, Facet, Language)
    every = (*of_city, Access, Retention, Environment)
    return {kind.__name__.lower(): kind for kind in every}


def write_schemas(folder: Path) -> list[Path]:
    """One `<kind>.schema.json` per kind; `name` and `sql` come from the file, not from its keys."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, kind in kinds().items():
        described = kind.model_json_schema()
        for implied in ("name", "sql") if name != "city" else ():
            described.get("properties", {}).pop(implied, None)
            described["required"] = [r for r in described.get("required", ()) if r != implied]
        path = folder / f"{name}.schema.json"
        path.write_text(json.dumps(described, indent=1, ensure_ascii=False), encoding="utf-8")
        written.append(path)
    return written
