"""One implementation of the volume job in a process of its own, so that its memory can be told.

The job: parse, tidy texts, read months in their spellings, refuse bad rows with reasons, remove
duplicates, write landing, add up by department and month. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLUMNS = ["department", "type", "year_month", "channel", "number_of_records", "bi_id"]
FORMATS = ["%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%b-%y", "%Y%m"]


def limit(file: Path, out: Path) -> dict[str, Any]:
    """DuckDB's own COPY of the same file with all types declared; it cleans nothing."""
    import duckdb

    types = dict.fromkeys(COLUMNS, "VARCHAR") | {"bi_id": "BIGINT"}
    declared = ", ".join(f"'{n}': '{t}'" for n, t in types.items())
    duckdb.sql(
        f"COPY (SELECT * FROM read_csv('{file}', delim=';', skip=1, header=false, "
        f"columns={{{declared}}})) TO '{out / 'limit.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return {}


def cityline(file: Path, out: Path, engine: str = "duckdb") -> dict[str, Any]:
    """The product's own steps: every gate, profile, quarantine, rule, model, Iceberg and receipts."""
    from cityline.flow.run import run
    from cityline.lake.receipt import Receipt
    from cityline.wiring import open_city

    city = out / "city"
    shutil.copytree(Path("cities/vancouver"), city, ignore=shutil.ignore_patterns(".*"))
    source = city / "sources" / "inquiry-volume.toml"
    size = file.stat().st_size
    text = source.read_text().replace("max_bytes = 2_000_000_000", f"max_bytes = {size + 1}")
    source.write_text(text)
    settings = f'kind = "local"\nengine = "{engine}"\n'
    if size > 2_000_000_000:
        settings += 'memory_limit = "8GB"\n'
    (city / "environments" / "bench.toml").write_text(settings)
    steps: dict[str, float] = {}

    def note(receipt: Receipt) -> None:
        steps[receipt.step] = round(receipt.seconds, 2)

    parts = open_city(city, environment="bench", files=file.parent)
    finished = run(parts, note, until="structure")
    by_step = {r.step: r for r in finished.receipts}
    landed = by_step["prepare/inquiry-volume"]
    data = sum(s for n, s in steps.items() if not n.startswith("ingest/"))
    return {
        "kept": landed.rows_out,
        "quarantined": landed.rows_in - landed.rows_out,
        "sum": landed.details["totals"]["kept"],
        "steps": steps,
        "data_seconds": round(data, 2),
    }


def cityline_spark(file: Path, out: Path) -> dict[str, Any]:
    """The same steps with `engine = "spark"`, `local[*]`, its start included."""
    return cityline(file, out, "spark")


def polars(file: Path, out: Path) -> dict[str, Any]:
    """The same cleaning in Polars, lazily, on categoricals' distinct values by its own engine."""
    import polars as pl

    frame = pl.scan_csv(
        file, separator=";", has_header=True, new_columns=COLUMNS,
        schema_overrides=[pl.String] * 5 + [pl.Int64],
    )  # fmt: skip
    texts = ["department", "type", "year_month", "channel", "number_of_records"]
    tidy = [
        pl.col(c).str.replace_all("[\u200b\ufeff]", "").str.replace_all(r"[\s\u00a0]+", " ")
        .str.strip_chars().replace(["", "NA", "N/A", "NULL"], None)
        for c in texts
    ]  # fmt: skip
    month = pl.coalesce(
        pl.col("year_month").str.strptime(pl.Date, f, strict=False) for f in FORMATS[1:4:2]
    )
    month = pl.coalesce(
        (pl.col("year_month") + "-01").str.strptime(pl.Date, "%Y-%m-%d", strict=False),
        (pl.col("year_month") + "01").str.strptime(pl.Date, "%Y%m%d", strict=False),
        month,
    )
    count = pl.col("number_of_records").str.replace_all(",", "").cast(pl.Int64, strict=False)
    done = frame.with_columns(tidy).with_columns(month.alias("month"), count.alias("inquiries"))
    names = {"phone": "Phone", "chat": "Chat", "e-mail": "E-mail", "social media": "Social Media",
             "mail": "Mail"}  # fmt: skip
    done = done.with_columns(pl.col("channel").str.to_lowercase().replace(names))
    good = (
        pl.all_horizontal(
            pl.col(c).is_not_null() for c in ("department", "type", "channel", "month")
        )
        & (pl.col("inquiries") >= 0)
        & pl.col("month").is_between(pl.date(2009, 2, 1), pl.date(2026, 8, 17))
    )
    table = done.collect(engine="streaming")
    kept = table.filter(good).unique(
        ["department", "type", "month", "channel"], maintain_order=False
    )
    kept.write_parquet(out / "polars.parquet", compression="zstd")
    table.filter(~good.fill_null(value=False)).write_parquet(out / "polars-q.parquet")
    kept.group_by("department", "month").agg(pl.col("inquiries").sum()).write_parquet(
        out / "pg.parquet"
    )
    return {"kept": kept.height, "sum": int(kept["inquiries"].sum())}


def pandas(file: Path, out: Path) -> dict[str, Any]:
    """The same cleaning in pandas, on categoricals' distinct values."""
    import pandas as pd

    frame = pd.read_csv(
        file, sep=";", names=COLUMNS, skiprows=1, encoding="utf-8-sig", keep_default_na=False,
        dtype=dict.fromkeys(COLUMNS[:5], "category") | {"bi_id": "int64"},
    )  # fmt: skip

    def mapped(column: str, clean: Callable[[str], Any]) -> pd.Series[Any]:
        codes = frame[column].cat
        values = pd.Series([clean(v) for v in codes.categories])
        return values.take(codes.codes).reset_index(drop=True)

    def tidy(value: str) -> str | None:
        plain = value.replace("\u200b", "").replace("\ufeff", "").replace("\u00a0", " ")
        plain = " ".join(plain.split())
        return None if plain in ("", "NA", "N/A", "NULL") else plain

    def month(value: str) -> Any:
        for form in FORMATS:
            try:
                return pd.Timestamp(
                    time.strftime("%Y-%m-01", time.strptime(tidy(value) or "", form))
                )
            except ValueError:
                continue
        return pd.NaT

    def count(value: str) -> int:
        plain = (tidy(value) or "").replace(",", "")
        return int(plain) if plain.isdigit() else -1

    names = {"phone": "Phone", "chat": "Chat", "e-mail": "E-mail", "social media": "Social Media",
             "mail": "Mail"}  # fmt: skip
    made = pd.DataFrame(
        {
            "department": mapped("department", tidy).astype("category"),
            "type": mapped("type", tidy).astype("category"),
            "channel": mapped("channel", lambda v: names.get((tidy(v) or "").lower())).astype(
                "category"
            ),
            "month": mapped("year_month", month),
            "inquiries": mapped("number_of_records", count),
        }
    )
    good = made.notna().all(axis=1) & (made.inquiries >= 0)
    good &= (made.month >= "2009-02-01") & (made.month <= "2026-08-17")
    kept = made[good].drop_duplicates(["department", "type", "month", "channel"])
    kept.to_parquet(out / "pandas.parquet", compression="zstd")
    made[~good].to_parquet(out / "pandas-q.parquet")
    grouped = kept.groupby(["department", "month"], observed=True).inquiries.sum()
    grouped.reset_index().to_parquet(out / "pandas-g.parquet")
    return {"kept": len(kept), "sum": int(kept.inquiries.sum())}


def spark(file: Path, out: Path) -> dict[str, Any]:
    """The same cleaning in Spark, `local[*]`, its start included."""
    from pyspark.sql import SparkSession, Window
    from pyspark.sql import functions as f

    session = (
        SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "6g").config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED").getOrCreate()
    )  # fmt: skip
    frame = session.read.csv(str(file), sep=";", header=True).toDF(*COLUMNS)
    for name in COLUMNS[:5]:
        plain = f.regexp_replace(f.regexp_replace(name, "[\u200b\ufeff]", ""), r"[\s\u00a0]+", " ")
        plain = f.trim(plain)
        frame = frame.withColumn(name, f.when(~plain.isin("", "NA", "N/A", "NULL"), plain))
    raw = f.col("year_month")
    forms = [(r"^\d{4}-\d{1,2}$", "yyyy-M"), (r"^\d{4}-\d{2}-\d{2}$", "yyyy-MM-dd"),
             (r"^\d{4}-\d{2}-\d{2} ", "yyyy-MM-dd HH:mm:ss"), (r"^[A-Z][a-z]{2}-\d{2}$", "MMM-yy"),
             (r"^\d{6}$", "yyyyMM")]  # fmt: skip
    month = f.coalesce(*(f.when(raw.rlike(p), f.try_to_timestamp(raw, f.lit(t))) for p, t in forms))
    counted = f.regexp_replace("number_of_records", ",", "")
    frame = frame.withColumn("month", f.trunc(f.to_date(month), "month")).withColumn(
        "inquiries", f.when(counted.rlike(r"^\d+$"), counted.cast("bigint"))
    )
    names = {"phone": "Phone", "chat": "Chat", "e-mail": "E-mail", "social media": "Social Media",
             "mail": "Mail"}  # fmt: skip
    spelled = f.create_map(*(f.lit(x) for pair in names.items() for x in pair))
    frame = frame.withColumn("channel", spelled[f.lower("channel")])
    keys = ["department", "type", "month", "channel"]
    good = f.col("inquiries").isNotNull()
    for name in keys:
        good &= f.col(name).isNotNull()
    good &= f.col("month").between("2009-02-01", "2026-08-17")
    frame = frame.withColumn("good", good)
    place = f.row_number().over(
        Window.partitionBy("good", *keys).orderBy(f.col("bi_id").cast("long"))
    )
    frame = frame.withColumn("place", place).cache()
    kept = frame.filter("good AND place = 1")
    kept.write.parquet(str(out / "spark"), compression="zstd")
    frame.filter("NOT (good AND place = 1)").write.parquet(str(out / "spark-q"))
    kept.groupBy("department", "month").agg(f.sum("inquiries")).write.parquet(str(out / "spark-g"))
    found = kept.agg(f.count("*"), f.sum("inquiries")).first()
    session.stop()
    return {"kept": int(found[0]), "sum": int(found[1])} if found else {}


JOBS = {
    "spark": spark, "limit": limit, "cityline": cityline, "cityline_spark": cityline_spark,
    "polars": polars, "pandas": pandas,
}  # fmt: skip


def watched(peaks: list[int]) -> None:
    """Note the resident memory of this process and those it started (Java among them), in bytes,
    four times a second."""
    page = resource.getpagesize()
    while True:
        mine = {str(os.getpid())}
        seen = 0
        for status in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda p: int(p.parent.name)):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if status.parent.name in mine or fields[1] in mine:
                mine.add(status.parent.name)
                seen += int(fields[21]) * page
        peaks.append(seen)
        time.sleep(0.25)


def run_job(name: str, file: Path, home: Path) -> dict[str, Any]:
    """One job in a process of its own, below a folder that is cleared after it."""
    argv = [sys.executable, "-m", "benchmarks.volume_job", name, str(file), str(home / name)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    shutil.rmtree(home / name, ignore_errors=True)
    if done.returncode:
        return {"job": name, "seconds": float("nan"), "error": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """`python -m benchmarks.volume_job NAME FILE OUT`."""
    name, file, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    peaks: list[int] = []
    threading.Thread(target=watched, args=(peaks,), daemon=True).start()
    began = time.perf_counter()
    found = JOBS[name](file, out)
    seconds = time.perf_counter() - began
    peak = round(max(peaks) / 1e9, 2)
    print(json.dumps({"job": name, "seconds": round(seconds, 2), "peak_gb": peak, **found}))


if __name__ == "__main__":
    main()
