"""Asking: questions with an answer that explains itself, free SQL, files and pictures."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from cityline.cli.opening import Asked, copied, shared
from cityline.cli.output import table
from cityline.declarations.reading import nearest
from cityline.errors import UsageError
from cityline.flow.parts import Parts
from cityline.flow.plan import questions
from cityline.flow.steps.answer import compute, load
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address
from cityline.lake.answer import Answer
from cityline.lake.cost import athena_cost
from cityline.lake.version import Version
from cityline.lake.wording import cell, number, size
from cityline.ports.engine import Explored, Limits, Measured

_WORDY = {"", "text"}


@click.command()
@click.argument("names", nargs=-1, metavar="[QUESTION]...")
@click.option("--year", type=int)
@click.option("--compare", type=int, help="The year to compare with.")
@click.option("--department")
@click.option("--channel")
@click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any other parameter.")
@click.option("--show-sql", is_flag=True, help="Print the SQL as it was run.")
@copied
@shared
def answer(
    asked: Asked,
    names: tuple[str, ...],
    year: int | None,
    compare: int | None,
    department: str | None,
    channel: str | None,
    others: tuple[str, ...],
    show_sql: bool,
) -> None:
    """Answer questions; without a name, one sentence for each."""
    parts, _, done = asked.reading()
    given = {"year": year, "compare": compare, "department": department, "channel": channel}
    parameters = {k: v for k, v in given.items() if v is not None} | _assignments(others)
    every = [q for q in questions(parts.folder) if parts.folder.questions[q].page != "facets"]
    chosen = [find_question(parts, n) for n in names] or every
    found = [_ask(parts, n, done, parameters) for n in chosen]
    data = [a.to_json() for a in found]
    if names:
        text = "\n\n".join(shown(a, show_sql=show_sql) for a in found)
        asked.output.done(data[0] if len(data) == 1 else data, text)
        return
    width = max(len(n) for n in chosen)
    lines = [f"{a.question:<{width}}  {a.sentence}" for a in found]
    asked.output.done(data, "\n".join([*lines, "More:  cityline answer QUESTION"]))


def find_question(parts: Parts, name: str) -> str:
    """A question's name, or UsageError with the nearest one."""
    if name not in parts.folder.questions:
        told = nearest(name, questions(parts.folder))
        raise UsageError(f"no question {name!r}", hint=told)
    return name


def _ask(parts: Parts, name: str, done: Done, parameters: Mapping[str, Any]) -> Answer:
    if not parameters:
        return load(parts, name, done)
    return compute(parts, name, done, parameters)


def _assignments(texts: tuple[str, ...]) -> dict[str, Any]:
    pairs = [t.partition("=") for t in texts]
    for name, sign, _ in pairs:
        if not sign:
            raise UsageError(f"{name!r} is not NAME=VALUE", hint="--set year=2024")
    return {name: value for name, _, value in pairs}


def shown(found: Answer, *, show_sql: bool = False) -> str:
    """An answer for a terminal: sentence, table, period, provenance."""
    lines = [found.sentence]
    if found.rows:
        right = [c.unit not in _WORDY or _numbers(found, i) for i, c in enumerate(found.columns)]
        rows = [
            [cell(v, c.unit) for v, c in zip(row, found.columns, strict=True)] for row in found.rows
        ]
        lines += ["", table([c.label for c in found.columns], rows, right), ""]
    if found.period:
        against = f" compared with {found.comparison.label}" if found.comparison else ""
        lines.append(f"{number(len(found.rows))} rows · {found.period.label}{against}")
    snapshots = ", ".join(f"{t}@{s[:7]}" for t, s in found.snapshots.items())
    lines.append(
        f"snapshots {snapshots} · {found.milliseconds:.0f} ms · {size(found.bytes_read)} read"
    )
    lines += [f"Note: {n}" for n in found.notes]
    lines += sorted({o.attribution for o in found.origins})
    if show_sql:
        lines += ["", found.sql]
    else:
        lines.append(f"SQL:  cityline answer {found.question} --show-sql")
    return "\n".join(lines)


def _numbers(found: Answer, at: int) -> bool:
    return all(isinstance(r[at], int | float) or r[at] is None for r in found.rows)


@click.command()
@click.argument("sql", required=False)
@click.option("-f", "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--limit", default=1000, show_default=True, help="At most so many rows.")
@click.option("--seconds", default=5.0, show_default=True, help="At most so long.")
@click.option(
    "--at",
    "past",
    multiple=True,
    metavar="TABLE@SNAPSHOT",
    help="Read this table as it was; cityline snapshots lists them.",
)
@copied
@shared
def query(
    asked: Asked,
    sql: str | None,
    path: Path | None,
    limit: int,
    seconds: float,
    past: tuple[str, ...],
) -> None:
    """Run one SELECT over landing, quarantine and curated tables. It can only read."""
    if (sql is None) == (path is None):
        what = "one query is needed"
        raise UsageError(what, hint='cityline query "SELECT …", or -f FILE')
    text = path.read_text(encoding="utf-8") if path else sql or ""
    parts, _, done = asked.reading()
    tables = done.tables() | _past(parts, past)
    explored = parts.asking.explore(text, tables, Limits(rows=limit, seconds=seconds))
    found, cut = explored.table, explored.truncated
    rows = found.to_pylist()
    statistics = {
        "rows": found.num_rows,
        "rows_scanned": explored.rows_scanned,
        "bytes_scanned": explored.bytes_scanned,
        "milliseconds": explored.milliseconds,
        "athena_usd": str(athena_cost(explored.bytes_scanned)),
        **_measured(explored.measured),
    }
    asked.output.talk(
        f"{number(found.num_rows)} rows · {size(explored.bytes_scanned)} scanned · "
        f"{explored.milliseconds:.0f} ms · {_charged(explored)}"
    )
    if cut:
        asked.output.warn(f"only the first {number(limit)} rows are shown; --limit raises that")
    data = {"columns": found.column_names, "rows": rows, "truncated": cut, "statistics": statistics}
    texts = [["" if v is None else str(v) for v in r.values()] for r in rows]
    right = [_is_number(found.schema.field(i).type) for i in range(found.num_columns)]
    asked.output.done(data, table(found.column_names, texts, right))


def _measured(told: Measured | None) -> dict[str, Any]:
    """What an engine that charges says of a query."""
    if told is None:
        return {}
    return {
        "athena_usd": str(told.usd),
        "query": told.id,
        "engine_milliseconds": told.milliseconds,
        "queued_milliseconds": told.queued,
        "reused": told.reused,
        "price_date": told.rate.date.isoformat(),
        "price_basis": told.rate.basis,
    }


def _charged(explored: Explored) -> str:
    told = explored.measured
    if told is None:
        return f"would cost US$ {athena_cost(explored.bytes_scanned)} on Athena"
    if told.reused:
        return "an earlier result, given again at no cost"
    price = f"price of {told.rate.date}, {told.rate.basis}"
    return f"{told.milliseconds:.0f} ms in Athena · about US$ {told.usd} ({price})"


def _past(parts: Parts, wanted: tuple[str, ...]) -> dict[str, Version]:
    """Tables at older snapshots."""
    found = {}
    for text in wanted:
        name, _, snapshot = text.partition("@")
        address = Address.parse(name)
        known = [s.id for s in parts.catalog.snapshots(address)]
        if snapshot not in known:
            hint = f"cityline snapshots {name} lists them"
            raise UsageError(f"{name} has no snapshot {snapshot!r}", hint=hint)
        found[address.table] = parts.catalog.version(address, snapshot)
    return found


def _is_number(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


@click.command()
@click.argument("name", metavar="QUESTION")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "xlsx", "json", "parquet", "svg", "png", "pdf"]),
    default="csv",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
@click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any parameter.")
@click.option("--language", default="", help="Of titles and names; default: the city's first.")
@copied
@shared
def export(
    asked: Asked, name: str, kind: str, out: Path | None, others: tuple[str, ...], language: str
) -> None:
    """One answer as a file, with its title, period, snapshot and licence."""
    _put(asked, _file(asked, name, kind, _assignments(others), language), out, f"{name}.{kind}")


@click.command()
@click.argument("name", metavar="QUESTION")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any parameter.")
@click.option("--language", default="", help="Of titles and names; default: the city's first.")
@copied
@shared
def visualise(asked: Asked, name: str, out: Path, others: tuple[str, ...], language: str) -> None:
    """One answer's picture as SVG, PNG or PDF, by the file's ending."""
    kind = out.suffix.lstrip(".")
    if kind not in ("svg", "png", "pdf"):
        hint = "--out chart.svg, chart.png or chart.pdf"
        raise UsageError(f"no picture of kind {kind!r}", hint=hint)
    _put(asked, _file(asked, name, kind, _assignments(others), language), out, out.name)


def _file(
    asked: Asked, name: str, kind: str, parameters: Mapping[str, Any], language: str
) -> bytes:
    from cityline.flow.assembly import assembled  # noqa: PLC0415 - heavy
    from cityline.flow.reading import Reading  # noqa: PLC0415 - heavy
    from cityline.flow.steps.publish import pictured  # noqa: PLC0415 - heavy
    from cityline.stages.publish.pages import file_of  # noqa: PLC0415 - heavy

    parts, _, done = asked.reading()
    known = parts.folder.city.languages
    if language and language not in known:
        hint = f"languages of the city: {', '.join(known)}"
        raise UsageError(f"the city has no words in {language!r}", hint=hint)
    reading = Reading(parts, done, language, "internal")
    [entry] = reading.entries([(find_question(parts, name), parameters)])
    if entry.answer.refused:
        hint = "there is no file of a refused answer"
        raise UsageError(entry.answer.refused, where=name, hint=hint)
    body = file_of(assembled(reading, depth="frame"), entry, kind, pictured(parts))
    return body or b""


def _put(asked: Asked, body: bytes, out: Path | None, name: str) -> None:
    if out is None:
        if asked.output.as_json:
            raise UsageError("--json and a file on stdout do not go together", hint="--out FILE")
        sys.stdout.buffer.write(body)
        return
    try:
        out.write_bytes(body)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(out)) from error
    asked.output.done({"file": str(out), "bytes": len(body)}, f"{out} · {size(len(body))} · {name}")
