"""The tree of commands, and how any error becomes a message and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from cityline import __version__
from cityline.cli.output import Output
from cityline.declarations.reading import nearest
from cityline.errors import CitylineError, ExitCode

_COMMANDS = {
    "init": "project",
    "check": "project",
    "schema": "project",
    "access": "protecting",
    "doctor": "doctor",
    "demo": "demo",
    "sample-portal": "demo",
    "run": "way",
    "discover": "way",
    "ingest": "way",
    "prepare": "way",
    "structure": "way",
    "publish": "way",
    "answer": "asking",
    "query": "asking",
    "export": "asking",
    "visualise": "asking",
    "status": "looking",
    "runs": "looking",
    "lineage": "looking",
    "snapshots": "looking",
    "profile": "looking",
    "quality": "looking",
    "verify": "looking",
    "rebuild": "looking",
    "changes": "looking",
    "serve": "serving",
    "users": "serving",
    "tokens": "serving",
    "monitor": "watching",
    "audit": "watching",
    "cost": "watching",
    "deploy": "deploying",
}
"""Command → module of `cityline.cli.commands` that holds it."""


class _Program(click.RichGroup):
    """Loads a command's module when the command is called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        loaded = importlib.import_module(f"cityline.cli.commands.{module}")
        command: click.Command = getattr(loaded, cmd_name.replace("-", "_"))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            told = nearest(args[0], list(_COMMANDS))
            raise click.UsageError(f"no command {args[0]!r}; {told}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cityline", message="%(prog)s %(version)s")
def program() -> None:
    """Turn a city's 3-1-1 open data into answers anybody can check.

    Begin with `cityline demo`, or `cityline init my-city` and `cityline run`.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code. Every failure is told once, in three parts."""
    output = Output(as_json="--json" in arguments, command=_named(arguments))
    try:
        program.main(args=list(arguments), prog_name="cityline", standalone_mode=False)
    except CitylineError as error:
        output.failed(error)
        return error.exit
    except Exit as done:
        return int(done.exit_code)
    except click.UsageError as error:
        output.refused(error.format_message(), error.ctx)
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        output.talk("interrupted; nothing was half-written, run again when you like")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is reported, not hidden
        output.bug(error, _report(error))
        return ExitCode.BUG
    return ExitCode.OK


def _named(arguments: Sequence[str]) -> str:
    return next((a for a in arguments if a in _COMMANDS), "")


def _report(error: BaseException) -> Path:
    """Write the traceback where a person can find it; it holds no data and no secret."""
    text = "".join(traceback.format_exception(error))
    with tempfile.NamedTemporaryFile(
        "w", prefix="cityline-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"cityline {__version__}\npython {sys.version}\n\n{text}")
    return Path(file.name)
