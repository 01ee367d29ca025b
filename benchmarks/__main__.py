"""`make bench`: every figure in one run, on one machine, with ratios to DuckDB's own copy."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.extracts import write_extracts
from benchmarks.volume_job import run_job
from cityline.adapters.portals.sample import SamplePortal
from cityline.flow.plan import questions
from cityline.flow.run import run
from cityline.flow.steps.answer import compute
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city

HOME = Path("build/bench")
ROWS = int(os.environ.get("CITYLINE_BENCH_ROWS", "10000000"))


def main() -> None:
    """Run all benchmarks and print them; the figures are also kept as JSON."""
    shutil.rmtree(HOME, ignore_errors=True)
    files = HOME / "files"
    files.mkdir(parents=True)
    told: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "volume_job": volumerun_job(files),
        **small_city(),
        "append_month": append_month(),
    }
    (HOME / "figures.json").write_text(json.dumps(told, indent=1))
    print(json.dumps(told, indent=1))


def volumerun_job(files: Path) -> dict[str, Any]:
    """The job on a large generated file: DuckDB's plain copy is the limit, 1.0."""
    volume, wrote = write_extracts(files, ROWS)
    jobs = [
        run_job(name, volume, HOME) for name in ("limit", "limit", "cityline", "polars", "pandas")
    ]
    floor = min(j["seconds"] for j in jobs[:2])
    for job in jobs:
        job["times_the_limit"] = round(job["seconds"] / floor, 2)
        if "data_seconds" in job:
            job["data_times_the_limit"] = round(job["data_seconds"] / floor, 2)
    return {
        "rows": ROWS,
        "bytes": wrote.bytes,
        "expected_kept": wrote.kept,
        "jobs": jobs,
        "spark": spark(files),
    }


def spark(files: Path) -> dict[str, Any]:
    """Spark on a tenth of the rows, against the limit and Cityline on the same."""
    volume, wrote = write_extracts(files, ROWS // 10)
    jobs = [run_job(name, volume, HOME) for name in ("limit", "cityline", "spark")]
    for job in jobs:
        job["times_the_limit"] = round(job["seconds"] / jobs[0]["seconds"], 2)
    return {"rows": ROWS // 10, "expected_kept": wrote.kept, "jobs": jobs}


def small_city() -> dict[str, Any]:
    """The real dataset's size: a whole first run, a run with nothing new, and every question."""
    city = HOME / "city"
    shutil.copytree("cities/vancouver", city, ignore=shutil.ignore_patterns(".*"))
    with SamplePortal(today=date(2026, 8, 17)) as portal:
        argv = [sys.executable, "-m", "cityline.cli", "run", "--city", str(city), "--json",
                "--portal", portal.base_url]  # fmt: skip
        first, report = _timed(argv)
        again, _ = _timed(argv)
        steps = json.loads(report)["data"]["steps"]
        parts = open_city(city, portal=portal.base_url)
        done = Done(run(parts, lambda _: None).receipts)
    stages: dict[str, float] = {}
    for step in steps:
        stage = step["step"].partition("/")[0]
        stages[stage] = round(stages.get(stage, 0.0) + step["seconds"], 2)
    asked: dict[str, float] = {}
    for name in questions(parts.folder):
        compute(parts, name, done, {})
        spent = [compute(parts, name, done, {}).milliseconds for _ in range(20)]
        asked[name] = round(statistics.median(spent), 2)
    return {
        "first_run_seconds": first,
        "seconds_by_stage": stages,
        "nothing_changed_seconds": again,
        "question_p50_ms": asked,
    }


def _timed(argv: list[str]) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return round(time.perf_counter() - began, 2), done.stdout


def append_month() -> dict[str, Any]:
    """A new extract with one more month, early in the history and after 200 months of it."""
    found = {}
    for name, day in (
        ("after_8_months", date(2009, 11, 17)),
        ("after_200_months", date(2025, 11, 17)),
    ):
        city = HOME / name
        shutil.copytree("cities/vancouver", city, ignore=shutil.ignore_patterns(".*"))
        with SamplePortal(today=day.replace(month=day.month - 1)) as portal:
            run(open_city(city, portal=portal.base_url), lambda _: None, until="structure")
            portal.today = day
            began = time.perf_counter()
            run(open_city(city, portal=portal.base_url), lambda _: None, until="structure")
            found[name] = round(time.perf_counter() - began, 2)
    return {**found, "ratio": round(found["after_200_months"] / found["after_8_months"], 2)}


if __name__ == "__main__":
    main()
