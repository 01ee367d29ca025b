"""The demonstration and the sample portal it can fall back on. `run` itself never falls back."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cityline.cli.output import SAMPLE, Output
from cityline.errors import SourceError

if TYPE_CHECKING:
    from cityline.declarations.folder import Folder

_PATIENCE = 4.0
"""Seconds to wait for the live portal before taking the sample."""


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where the city's folder, the lake and the site are put.",
)
@click.option("--sample", is_flag=True, help="Do not ask the live portal at all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def demo(folder: Path, sample: bool, as_json: bool) -> None:
    """Run Vancouver from the live portal, or from generated sample data if it does not answer."""
    from cityline.cli.commands.project import copy_city  # noqa: PLC0415 - heavy
    from cityline.cli.commands.way import report  # noqa: PLC0415 - heavy
    from cityline.declarations.folder import read_folder  # noqa: PLC0415 - heavy
    from cityline.wiring import assemble, sample_portal, shipped_city  # noqa: PLC0415 - heavy

    output = Output(as_json=as_json, command="demo")
    city = folder.absolute() / "vancouver"
    if not (city / "city.toml").is_file():
        copy_city(shipped_city("vancouver"), city)
    declared = read_folder(city)
    with ExitStack() as stack:
        base = ""
        if sample or not _answers(declared, output):
            served = stack.enter_context(sample_portal())
            base = served.base_url
            output.talk(f"{SAMPLE}. The built-in sample portal is at {base}")
        report(assemble(declared, portal=base), output)


def _answers(declared: Folder, output: Output) -> bool:
    """Whether the live portal describes the first source, asked once and briefly."""
    from cityline.declarations.environment import Http  # noqa: PLC0415 - heavy
    from cityline.wiring import open_portal  # noqa: PLC0415 - heavy

    source = next(iter(declared.sources.values()))
    brief = declared.environment.model_copy(update={"http": Http(deadline=_PATIENCE, attempts=1)})
    try:
        open_portal(source.portal, brief).describe(source.dataset)
    except SourceError as error:
        output.talk(f"The live portal does not answer ({error.what}).")
        return False
    output.talk(f"The live portal answers: {source.portal}")
    return True


@click.command("sample-portal")
@click.option("--port", default=8311, show_default=True, help="0 takes any free port.")
def sample_portal(port: int) -> None:
    """Serve the sample portal until interrupted: generated data over the portal's own API."""
    from cityline.wiring import sample_portal as serve  # noqa: PLC0415 - heavy

    with serve(port=port) as portal:
        click.echo(portal.base_url)
        click.echo(f"{SAMPLE}. Stop with Ctrl-C.", err=True)
        threading.Event().wait()
