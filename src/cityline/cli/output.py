"""What a command says: data to stdout, talk to stderr, and one JSON object when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from cityline.errors import CitylineError, DeclarationError, ExitCode

SAMPLE = "Sample data, generated; not the City's figures"


class Output:
    """One command's voice. With `as_json` stdout holds exactly one JSON object, also on failure."""

    def __init__(self, *, as_json: bool, command: str, quiet: bool = False) -> None:
        self.as_json = as_json
        self.command = command
        self.quiet = quiet
        self.warnings: list[str] = []

    def talk(self, text: str) -> None:
        """Progress and notes, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Something the reader should know although the thing was done."""
        self.warnings.append(text)
        click.echo(f"{click.style('warning:', fg='yellow')} {text}", err=True)

    def done(self, data: Any, text: str) -> None:
        """The result: `data` for programs, `text` for people."""
        if self.as_json:
            self._object(ok=True, data=data, error=None)
        elif text:
            click.echo(text)

    def failed(self, error: CitylineError) -> None:
        """An error in three parts: what, where, what to try."""
        problems = error.problems if isinstance(error, DeclarationError) else ()
        told = {
            "code": error.code,
            "exit": int(error.exit),
            "what": error.what,
            "where": error.where,
            "try": error.hint,
            "problems": [
                {"file": p.file, "key": p.key, "what": p.what, "try": p.hint} for p in problems
            ],
        }
        if self.as_json:
            self._object(ok=False, data=None, error=told)
        lines = [f"{click.style('error:', fg='red', bold=True)} {error.what}"]
        if len(problems) > 1:
            lines[0] = f"{click.style('error:', fg='red', bold=True)} {len(problems)} problems"
            for p in problems:
                hint = f" ({p.hint})" if p.hint else ""
                lines.append(f"  {p.file}: {p.key + ': ' if p.key else ''}{p.what}{hint}")
        elif error.where:
            lines.append(f"  where  {error.where}")
        if error.hint and len(problems) < 2:  # noqa: PLR2004 - each problem has its own hint
            lines.append(f"  try    {error.hint}")
        lines.append(f"  code   {error.code} · exit {int(error.exit)}")
        click.echo("\n".join(lines), err=True)

    def refused(self, message: str, context: click.Context | None) -> None:
        """A command line that cannot be understood."""
        told = {"code": "USAGE", "exit": int(ExitCode.USAGE), "what": message, "problems": []}
        if self.as_json:
            self._object(ok=False, data=None, error=told)
        path = context.command_path if context else "cityline"
        click.echo(
            f"{click.style('error:', fg='red', bold=True)} {message}\n  try    {path} --help",
            err=True,
        )

    def bug(self, error: BaseException, report: Path) -> None:
        """A fault of the program itself."""
        what = f"this is a bug in cityline: {type(error).__name__}: {error}"
        if self.as_json:
            told = {"code": "BUG", "exit": int(ExitCode.BUG), "what": what, "problems": []}
            self._object(ok=False, data=None, error=told)
        click.echo(
            f"{click.style('error:', fg='red', bold=True)} {what}\n"
            f"  try    report it with {report}\n  code   BUG · exit {int(ExitCode.BUG)}",
            err=True,
        )

    def _object(self, *, ok: bool, data: Any, error: Mapping[str, Any] | None) -> None:
        told = {
            "ok": ok,
            "command": self.command,
            "data": data,
            "warnings": self.warnings,
            "error": error,
        }
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1, default=str)
        sys.stdout.write("\n")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """Aligned columns for a terminal; numbers to the right."""
    widths = [
        max(len(headers[i]), *(len(r[i]) for r in rows)) if rows else len(headers[i])
        for i in range(len(headers))
    ]

    def line(cells: Sequence[str]) -> str:
        placed = [
            c.rjust(w) if to_right else c.ljust(w)
            for c, w, to_right in zip(cells, widths, right, strict=True)
        ]
        return "  ".join(placed).rstrip()

    return "\n".join([line(headers), *(line(r) for r in rows)])
