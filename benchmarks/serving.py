"""`python -m benchmarks.serving`: the whole site built, the server under load beside Datasette with
the same table, and typed queries that take too much. One run, one machine."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from cityline.adapters.portals.sample import SamplePortal
from cityline.errors import CitylineError
from cityline.flow.parts import Parts
from cityline.flow.run import run
from cityline.flow.steps.outcome import Done
from cityline.ports.engine import Limits
from cityline.wiring import open_city, shipped_city

HOME = Path("build/bench-serving")
ASKED = 400
AT_ONCE = 4
TABLE = "curated.department_channel_month"
DATASETTE = (
    "SELECT department, sum(inquiries) AS inquiries FROM department_channel_month "
    "WHERE year = :year AND channel = :channel GROUP BY department ORDER BY 2 DESC"
)
HEAVY = [
    f"SELECT count(*) FROM {TABLE} a, {TABLE} b, {TABLE} c WHERE a.inquiries + b.inquiries = 1",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "SELECT * FROM range(300000000) ORDER BY hash(range) DESC",
    "SELECT string_agg(repeat('x', 1000), '') FROM range(100000000)",
    "SELECT count(DISTINCT hash(range)) FROM range(900000000)",
]


def main() -> None:
    """Run it and print the figures."""
    shutil.rmtree(HOME, ignore_errors=True)
    folder = HOME / "vancouver"
    shutil.copytree(shipped_city("vancouver"), folder, ignore=shutil.ignore_patterns(".*"))
    with SamplePortal(today=date(2026, 8, 17)) as portal:
        parts = open_city(folder, portal=portal.base_url)
        receipts = run(parts, lambda _: None).receipts
    told = {"site": built(parts, Done(receipts)), **under_load(parts, folder), "sql": typed(parts)}
    (HOME / "figures.json").write_text(json.dumps(told, indent=1))
    print(json.dumps(told, indent=1))


def built(parts: Parts, done: Done) -> dict[str, Any]:
    receipt = done.receipts["publish/site"]
    site = (parts.site / "current").resolve()
    pages = len(list(site.rglob("*.html")))
    return {
        "seconds_first_time": round(receipt.seconds, 1),
        "pages": pages,
        "pages_per_second": round(pages / receipt.seconds, 1),
        "files": receipt.rows_out,
        "megabytes": round(sum(f.bytes for f in receipt.versions[0].files) / 1e6, 1),
    }


def under_load(parts: Parts, folder: Path) -> dict[str, Any]:
    """An answer page cold, cached and as JSON; the same answer from Datasette."""
    channels = ["Phone", "Chat", "E-mail", "Mail", "Social Media"]
    years = range(2010, 2026)
    choices = [{"year": y, "channel": c} for y in years for c in channels]
    serve = [sys.executable, "-m", "cityline.cli", "serve", "--behind-proxy"]
    serve += ["--city", str(folder), "--port"]
    found: dict[str, Any] = {}
    with listening([*serve, "8391"], "http://127.0.0.1:8391/") as (address, pid):
        page, data = f"{address}questions/departments/", f"{address}files/departments.json"
        found["page_cold"] = measured(
            itertools.cycle(choices), lambda c, q: c.get(page, params=q), 80
        )
        found["page_again"] = measured(itertools.cycle(choices), lambda c, q: c.get(page, params=q))
        etag = httpx.get(page).headers["etag"]
        found["page_304"] = measured(
            itertools.repeat({}), lambda c, _: c.get(page, headers={"if-none-match": etag})
        )
        found["page_released"] = measured(itertools.repeat({}), lambda c, _: c.get(page))
        # a choice without inquiries has no file
        spoken = [{"year": y, "channel": "Phone"} for y in years]
        found["json"] = measured(itertools.cycle(spoken), lambda c, q: c.get(data, params=q))
        found["memory_mb"] = memory(pid)
    base = HOME / "peer.db"
    _sqlite(parts, base)
    peer = [
        sys.executable,
        "-m",
        "datasette",
        "serve",
        str(base),
        "--setting",
        "sql_time_limit_ms",
        "5000",
        "--port",
    ]
    with listening([*peer, "8392"], "http://127.0.0.1:8392/") as (address, pid):
        ask = f"{address}peer.json"
        found["datasette_json"] = measured(
            itertools.cycle(choices), lambda c, q: c.get(ask, params={"sql": DATASETTE, **q})
        )
        found["datasette_page"] = measured(
            itertools.cycle(choices),
            lambda c, q: c.get(
                f"{address}peer", params={"sql": DATASETTE, **q}, follow_redirects=True
            ),
        )
        found["datasette_memory_mb"] = memory(pid)
    return found


def measured(
    choices: Iterator[Any], ask: Callable[[httpx.Client, Any], httpx.Response], count: int = ASKED
) -> dict[str, float]:
    """Milliseconds by percentile, and requests per second with a few clients at once."""
    asked = list(itertools.islice(choices, count))

    def one(share: list[Any]) -> list[float]:
        times = []
        with httpx.Client(timeout=60) as client:
            for number, choice in enumerate(share):
                # many readers, as a proxy tells them apart: one alone would meet the rate limit
                client.headers["x-forwarded-for"] = f"10.{id(share) % 200}.0.{number % 200}"
                began = time.perf_counter()
                answer = ask(client, choice)
                times.append((time.perf_counter() - began) * 1000)
                assert answer.status_code in (200, 304), answer.text[:300]
        return times

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        times = sorted(itertools.chain(*pool.map(one, [asked[i::AT_ONCE] for i in range(AT_ONCE)])))
    spent = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    return {
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
        "per_second": round(len(times) / spent, 1),
    }


def typed(parts: Parts) -> dict[str, Any]:
    """How long queries that take too much outlive their limit, and what a small one costs."""
    done = Done(parts.ledger.releases(1)[0].receipts.values())
    limits = Limits(seconds=2.0, memory_mb=200)
    over = []
    for sql in HEAVY:
        began = time.perf_counter()
        try:
            parts.engine.explore(sql, done.tables(), limits)
        except CitylineError:
            over.append(max(0.0, time.perf_counter() - began - limits.seconds))
    small = []
    for _ in range(20):
        began = time.perf_counter()
        parts.engine.explore(f"SELECT sum(inquiries) FROM {TABLE}", done.tables(), limits)
        small.append((time.perf_counter() - began) * 1000)
    return {
        "stopped": f"{len(over)} of {len(HEAVY)}",
        "overshoot_ms_most": round(max(over) * 1000),
        "small_query_p50_ms": round(statistics.median(small)),
    }


@contextmanager
def listening(command: list[str], address: str) -> Iterator[tuple[str, int]]:
    """A server in a process of its own; its port ends the command. Its client limit is its own."""
    process = subprocess.Popen(
        [*command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ}
    )
    try:
        for _ in range(200):
            try:
                httpx.get(address)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()


def memory(pid: int) -> int:
    """Resident memory in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def _sqlite(parts: Parts, path: Path) -> None:
    done = Done(parts.ledger.releases(1)[0].receipts.values())
    rows = parts.engine.query(f"SELECT * FROM {TABLE}", done.tables()).to_pylist()
    with sqlite3.connect(path) as db:
        names = list(rows[0])
        db.execute(f"CREATE TABLE department_channel_month ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        values = [[str(v) if isinstance(v, date) else v for v in r.values()] for r in rows]
        db.executemany(f"INSERT INTO department_channel_month VALUES ({marks})", values)
        db.execute("CREATE INDEX by_year ON department_channel_month (year, channel)")


if __name__ == "__main__":
    main()
