"""A part of the way as a job on AWS Glue. This file is in the wheel, and it is also the script that
the job starts: everything it does is the package's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cityline.cli.commands.way import line
from cityline.declarations.folder import Folder
from cityline.errors import CitylineError
from cityline.flow.run import ALONE, run
from cityline.lake.receipt import Receipt
from cityline.ports.gauges import figures_of_job
from cityline.watching import tell_of_job
from cityline.wiring import assemble, declared_city


def main(argv: Sequence[str]) -> None:
    """Do one part of the way. Glue's own arguments are let be. An error goes on to Glue, which
    shows it as the run's message. Raises CitylineError."""
    parser = argparse.ArgumentParser(prog="job.py", allow_abbrev=False)
    parser.add_argument("--stage", required=True, choices=sorted(ALONE))
    parser.add_argument("--city", required=True, help="a city of the wheel, or a zip in a bucket")
    parser.add_argument("--environment", required=True)
    parser.add_argument("--run", default="")
    parser.add_argument("--portal", default="")
    parser.add_argument("--accept", default="")
    asked, _ = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory(prefix="cityline-") as work:
        folder = declared_city(asked.city, asked.environment, Path(work))
        told: list[Receipt] = []

        def note(receipt: Receipt) -> None:
            told.append(receipt)
            _say(line(receipt))

        well = False
        try:
            parts = assemble(
                folder,
                home=Path(work) / "home",
                portal=asked.portal,
                accept=asked.accept,
                stage=asked.stage,
            )
            run(parts, note, only=asked.stage, name=asked.run)
            well = True
        finally:
            _tell(folder, asked.stage, told, well=well)


def _tell(folder: Folder, part: str, receipts: Sequence[Receipt], *, well: bool) -> None:
    """How the job ended, as a metric: an alarm rings when no success is told for a day. What the
    job did is done whether or not it can be told."""
    ended = {"job successes": float(well), "job failures": float(not well)}
    try:
        tell_of_job(folder, part, {**figures_of_job(receipts), **ended})
    except CitylineError as error:
        _say(f"the end of {part} could not be told: {error}")


def _say(told: str) -> None:
    """A line in the job's log."""
    print(told, flush=True)  # noqa: T201 - the job's log


if __name__ == "__main__":
    main(sys.argv[1:])
