"""The program's entry: quick things at once, every other command loaded when it is called."""

from __future__ import annotations

import sys

from cityline import __version__


def main() -> None:
    """Run the command line and exit."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # nothing else is loaded for this
        sys.stdout.write(f"cityline {__version__}\n")
        sys.exit(0)
    from cityline.cli.program import run  # noqa: PLC0415 - see above

    sys.exit(run(sys.argv[1:]))
