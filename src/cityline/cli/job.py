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
from cityline.flow.run import ALONE, run
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
        parts = assemble(
            folder,
            home=Path(work) / "home",
            portal=asked.portal,
            accept=asked.accept,
            stage=asked.stage,
        )
        run(
            parts,
            lambda receipt: print(line(receipt), flush=True),  # noqa: T201 - the job's log
            only=asked.stage,
            name=asked.run,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
