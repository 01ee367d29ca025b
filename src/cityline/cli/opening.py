"""Options that many commands share, and the city they open."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import rich_click as click

from cityline.cli.output import SAMPLE, Output
from cityline.errors import UsageError

if TYPE_CHECKING:
    from cityline.declarations.folder import Folder
    from cityline.flow.parts import Parts
    from cityline.flow.steps.outcome import Done
    from cityline.ports.ledger import Release

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Asked:
    """What the shared options say; opens the city when it is needed."""

    output: Output
    city: Path
    environment: str
    home: Path | None
    portal: str
    files: Path | None
    accept: str
    copies: bool

    def folder(self) -> Folder:
        """The declarations alone."""
        from cityline.declarations.folder import read_folder  # noqa: PLC0415 - pydantic is heavy

        return read_folder(self.city, self.environment)

    def parts(self, stage: str = "") -> Parts:
        """The city with its adapters; `stage` is what a machine on AWS is there for.

        Raises UsageError for copies where there are none.
        """
        from cityline.wiring import assemble  # noqa: PLC0415 - heavy

        folder = self.folder()
        if self.copies and folder.environment.kind != "aws":
            what = "only a city on AWS has copies in a second region"
            raise UsageError(what, where=f"--env {self.environment}", hint="--env aws --copies")
        return assemble(
            folder,
            home=self.home,
            portal=self.portal,
            files=self.files,
            accept=self.accept,
            stage=stage,
            copies=self.copies,
        )

    def reading(self) -> tuple[Parts, Release, Done]:
        """The city and what readers see of it now.

        Raises UsageError before the first run.
        """
        from cityline.flow.steps.outcome import Done  # noqa: PLC0415 - heavy

        parts = self.parts()
        release = parts.ledger.current()
        if release is None:
            what = "there is nothing to read yet"
            raise UsageError(
                what, where=str(parts.home), hint="cityline run makes the first answers"
            )
        done = Done(release.receipts.values())
        if done.generated and not self.output.as_json:
            self.output.talk(SAMPLE)
        return parts, release, done


_SHARED = (
    click.option(
        "--city",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="CITYLINE_CITY",
        help="The city's folder. Default: here, or the nearest folder above with a city.toml.",
    ),
    click.option(
        "--env",
        "--environment",
        "environment",
        default="local",
        envvar="CITYLINE_ENV",
        show_default=True,
        help="Where the city runs: a file of its environments.",
    ),
    click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="CITYLINE_HOME",
        help="Where the lake and the site are kept. Default: as the environment says.",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
    click.option("--quiet", "-q", is_flag=True, help="No progress on stderr."),
)


def shared(function: _F) -> _F:
    """Give a command the shared options, as one `Asked`."""

    for option in reversed(_SHARED):
        function = option(function)

    @functools.wraps(function)
    def command(
        *args: Any,
        city: Path | None,
        environment: str,
        home: Path | None,
        as_json: bool,
        quiet: bool,
        **kwargs: Any,
    ) -> Any:
        asked = Asked(
            output=Output(as_json=as_json, command=function.__name__, quiet=quiet),
            city=_find(city),
            environment=environment,
            home=home,
            portal=kwargs.pop("portal", "") or "",
            files=kwargs.pop("files", None),
            accept=kwargs.pop("accept", "") or "",
            copies=kwargs.pop("copies", False),
        )
        return function(asked, *args, **kwargs)

    return cast("_F", command)


def pulling(function: _F) -> _F:
    """Options of commands that may ask a portal; to be placed above `shared`."""
    options = [
        click.option("--portal", envvar="CITYLINE_PORTAL", help="Ask this portal instead."),
        click.option(
            "--from",
            "files",
            type=click.Path(path_type=Path, exists=True),
            help="Take the sources from a file or a folder instead of a portal.",
        ),
        click.option("--accept", metavar="REASON", help="Take a dataset that shrank, and say why."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def copied(function: _F) -> _F:
    """The option of commands that only read, and so can where the home region is lost; to be placed
    above `shared`."""
    told = "Read the copies in AWS's second region instead: the home region is lost."
    return click.option("--copies", is_flag=True, help=told)(function)


def _find(city: Path | None) -> Path:
    if city is not None:
        return city.absolute()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "city.toml").is_file():
            return folder
    what = "no city's folder here: there is no city.toml"
    raise UsageError(what, where=str(here), hint="cityline init my-city, or --city DIR")
