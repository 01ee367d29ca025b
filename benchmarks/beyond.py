"""`python -m benchmarks.beyond`: where a cluster begins to pay.

The product's own job, raw to curated with everything, on DuckDB and on Spark on the same machine,
at growing sizes; then DuckDB alone at sizes Spark is not asked for here. Ratios in one run.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from benchmarks.extracts import write_extracts
from benchmarks.volume_job import run_job

HOME = Path("build/bench-beyond")
BOTH = tuple(
    int(n) for n in os.environ.get("CITYLINE_BOTH", "100000,1000000,10000000").split(",") if n
)
ALONE = tuple(
    int(n) for n in os.environ.get("CITYLINE_ALONE", "30000000,100000000").split(",") if n
)


def main() -> None:
    """Run every size and print the figures; they are also kept as JSON."""
    shutil.rmtree(HOME, ignore_errors=True)
    told = []
    asked = [(rows, ("cityline", "cityline_spark")) for rows in BOTH]
    for rows, jobs in [*asked, *((rows, ("cityline",)) for rows in ALONE)]:
        told.append(sized(rows, jobs))
        (HOME / "figures.json").write_text(json.dumps(told, indent=1))  # what is known is kept
    print(json.dumps(told, indent=1))


def sized(rows: int, jobs: tuple[str, ...]) -> dict[str, Any]:
    """One size on one or both engines; the first job is the one the others are compared with."""
    file, wrote = write_extracts(HOME / "files", rows)
    done = [run_job(name, file, HOME) for name in jobs]
    for one in done:
        if "error" not in one:
            one["times_the_first"] = round(one["seconds"] / done[0]["seconds"], 2)
            assert one["kept"] == wrote.kept, one
    shutil.rmtree(file.parent)
    return {"rows": rows, "bytes": wrote.bytes, "jobs": done}


if __name__ == "__main__":
    main()
