"""Looking: what readers see now, what ran, where a figure came from, and whether it still holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import rich_click as click

from cityline.cli.commands.way import site_address
from cityline.cli.opening import Asked, copied, shared
from cityline.cli.output import table
from cityline.errors import CloudRefused, QualityError, StepError, UsageError
from cityline.flow.plan import questions
from cityline.flow.steps.answer import compute, load
from cityline.flow.steps.freshness import freshness
from cityline.lake.address import Address
from cityline.lake.receipt import Outcome, Receipt
from cityline.lake.wording import number


@click.command()
@copied
@shared
def status(asked: Asked) -> None:
    """What readers see now, how fresh it is, and how the last run ended."""
    parts, release, done = asked.reading()
    fresh = freshness(parts, done)
    last = parts.ledger.receipts(limit=1)
    trouble = last[0] if last and last[0].outcome in (Outcome.FAILED, Outcome.BLOCKED) else None
    data = {
        "release": release.id,
        "snapshot": done.snapshot,
        "promoted_at": release.promoted_at,
        "generated": done.generated,
        "freshness": fresh.to_json(),
        "site": site_address(parts),
        "last_failure": {"step": trouble.step, **trouble.details} if trouble else None,
    }
    lines = [
        f"{parts.folder.city.title} · snapshot {done.snapshot[:7]} of {release.promoted_at}",
        f"Data to {fresh.data_to} · last complete month {fresh.last_complete_month} · "
        f"next due {fresh.next_due or 'not known'} · {fresh.state}",
        f"Checks {fresh.checks_passed}/{fresh.checks_total} · {len(done.receipts)} steps stand",
    ]
    if trouble:
        lines.append(f"The last run failed at {trouble.step}: {trouble.details.get('error', '')}")
        lines.append("What readers see is the state before it.")
    asked.output.done(data, "\n".join(lines))


@click.command()
@click.argument("run", required=False)
@click.option("--limit", default=10, show_default=True)
@copied
@shared
def runs(asked: Asked, run: str | None, limit: int) -> None:
    """Past runs; with an id, its steps."""
    ledger = asked.parts().ledger
    receipts = ledger.receipts(run=run or "", limit=100_000)
    if run and not receipts:
        raise UsageError(f"no run {run!r}", hint="cityline runs lists them")
    if run:
        rows = [
            [r.step, r.outcome.value, number(r.rows_in), number(r.rows_out), f"{r.seconds:.2f}"]
            for r in reversed(receipts)
        ]
        headers = ["step", "outcome", "rows in", "rows out", "seconds"]
        shown = table(headers, rows, [False, False, True, True, True])
        errors = [f"{r.step}: {r.details['error']}" for r in receipts if "error" in r.details]
        asked.output.done([r.to_json() for r in receipts], "\n".join([shown, *errors]))
        return
    grouped: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        grouped.setdefault(receipt.run, []).append(receipt)
    told = [_summary(name, of) for name, of in list(grouped.items())[:limit]]
    rows = [[str(v) for v in (t | {"seconds": f"{t['seconds']:.2f}"}).values()] for t in told]
    headers = ["run", "started", "steps done", "seconds", "ended"]
    asked.output.done(told, table(headers, rows, [False, False, True, True, False]))


def _summary(name: str, receipts: list[Receipt]) -> dict[str, Any]:
    bad = [r for r in receipts if r.outcome in (Outcome.FAILED, Outcome.BLOCKED)]
    return {
        "run": name,
        "started": receipts[-1].started,
        "steps": len(receipts) - len(bad),
        "seconds": round(sum(r.seconds for r in receipts), 2),
        "ended": f"{bad[0].outcome.value} at {bad[0].step}" if bad else "done",
    }


@click.command()
@click.argument("thing", metavar="[QUESTION or ADDRESS]", required=False)
@copied
@shared
def lineage(asked: Asked, thing: str | None) -> None:
    """Where a figure came from: receipts read backwards, to the portal's bytes."""
    parts, _, done = asked.reading()
    wanted = thing or "site/site"
    if wanted in parts.folder.questions:
        wanted = f"answers/{wanted}"
    makers = {a: r for r in done.receipts.values() for a in r.writes}
    wanted = str(Address.parse(wanted))
    if wanted not in makers:
        known = ", ".join(sorted(makers))
        raise UsageError(f"nothing is known of {wanted!r}", hint=f"known: {known}")
    data: list[dict[str, Any]] = []
    lines: list[str] = []
    _walk(wanted, makers, 0, data, lines)
    asked.output.done(data, "\n".join(lines))


def _walk(
    address: str,
    makers: Mapping[str, Receipt],
    depth: int,
    data: list[dict[str, Any]],
    lines: list[str],
) -> None:
    receipt = makers[address]
    version = receipt.writes[address]
    seen = any(d["address"] == address for d in data)
    rows = f"{number(receipt.rows_in)} → {number(receipt.rows_out)} rows"
    again = " (as above)" if seen else ""
    lines.append(f"{'  ' * depth}{address}@{version[:7]}  {receipt.step} · {rows}{again}")
    if seen:
        return
    data.append({"address": address, "version": version, "step": receipt.step, "depth": depth})
    if receipt.stage == "ingest":
        facts = receipt.details
        lines.append(f"{'  ' * (depth + 1)}{facts['url']} · retrieved {facts['retrieved_at']}")
    for read in _addresses(receipt.reads):
        if read in makers:
            _walk(read, makers, depth + 1, data, lines)


def _addresses(reads: Iterable[str]) -> list[str]:
    zones = ("raw", "landing", "curated", "answers")
    return [str(Address.parse(r)) for r in reads if r.startswith(zones)]


@click.command()
@click.argument("name", metavar="[TABLE]", required=False)
@shared
def snapshots(asked: Asked, name: str | None) -> None:
    """Past versions of the tables; each can still be read by its id."""
    parts, _, done = asked.reading()
    names = [name] if name else sorted(done.tables())
    told: dict[str, list[dict[str, Any]]] = {}
    for address in map(Address.parse, names):
        try:
            found = parts.catalog.snapshots(address)
        except CloudRefused as error:  # what a role may not see is told, not hidden
            if name:
                raise
            asked.output.warn(f"{address}: {error.what}")
            continue
        told[str(address)] = [
            {"id": s.id, "committed_at": s.committed_at, "rows": s.rows, "run": s.run}
            for s in found
        ]
    rows = [
        [address, s["id"], s["committed_at"][:19], number(s["rows"])]
        for address, found in told.items()
        for s in found
    ]
    headers = ["table", "snapshot", "committed", "rows"]
    asked.output.done(told, table(headers, rows, [False, False, False, True]))


@click.command()
@click.argument("source", required=False)
@click.option("--column")
@click.option("--after", is_flag=True, help="The landing columns instead of the raw ones.")
@copied
@shared
def profile(asked: Asked, source: str | None, column: str | None, after: bool) -> None:
    """The profile of all rows of a source, before or after cleaning."""
    parts, _, done = asked.reading()
    names = [source] if source else list(parts.folder.recipes)
    told = {
        n: done.details(f"prepare/{n}")["profile"]["after" if after else "before"] for n in names
    }
    if column:
        told = {n: [p for p in ps if p["name"] == column] for n, ps in told.items()}
    rows = [[n, *_profile_row(p)] for n, ps in told.items() for p in ps]
    headers = ["source", "column", "type", "valid", "missing", "distinct", "min", "median", "max"]
    right = [False, False, False, True, True, True, False, False, False]
    asked.output.done(told, table(headers, rows, right))


def _profile_row(p: Mapping[str, Any]) -> list[str]:
    numbers = [number(p[k]) for k in ("valid", "missing", "distinct")]
    texts = ["" if p.get(k) is None else f"{p[k]}"[:24] for k in ("min", "median", "max")]
    return [p["name"], p["type"], *numbers, *texts]


@click.command()
@copied
@shared
def quality(asked: Asked) -> None:
    """The verdicts on what readers see."""
    _, _, done = asked.reading()
    verdicts = [
        {"step": r.step, **v} for r in done.receipts.values() for v in r.details.get("verdicts", ())
    ]
    marks = {"passed": "✓", "warned": "▲", "failed": "■"}
    lines = [f"{marks[v['outcome']]} {v['step']:<28} {v['rule']}  {v['message']}" for v in verdicts]
    asked.output.done(verdicts, "\n".join(lines))


@click.command()
@click.argument("names", nargs=-1, metavar="[QUESTION]...")
@copied
@shared
def verify(asked: Asked, names: tuple[str, ...]) -> None:
    """Compute published answers again and compare; check the site's files against their hashes."""
    from cityline.flow.promotion import verified  # noqa: PLC0415 - heavy

    parts, release, done = asked.reading()
    for name in names:
        if name not in parts.folder.questions:
            raise UsageError(f"no question {name!r}", hint="cityline answer lists them")
    told: dict[str, str] = {}
    for name in names or questions(parts.folder):
        kept, again = load(parts, name, done), compute(parts, name, done, {})
        same = (kept.rows, kept.sentence, kept.sql) == (again.rows, again.sentence, again.sql)
        told[name] = "identical" if same else "DIFFERENT"
    site = verified(parts, release)
    asked.output.done(
        {"answers": told, "site": list(site)},
        "\n".join([*(f"{n}: recomputed, {t}" for n, t in told.items()), *_site_lines(site)]),
    )
    if "DIFFERENT" in told.values():
        raise QualityError(
            "a published answer is not what its snapshot yields", hint="cityline run"
        )
    if site:
        raise StepError("files of the site are not as published", hint="cityline run")


def _site_lines(problems: Iterable[str]) -> list[str]:
    return list(problems) or ["site: every file is as published"]


@click.command()
@click.argument("source", required=False)
@copied
@shared
def changes(asked: Asked, source: str | None) -> None:
    """What each pull changed in figures that were published before."""
    from cityline.flow.extracts import history  # noqa: PLC0415 - heavy
    from cityline.flow.reading import Reading  # noqa: PLC0415 - heavy

    parts, _, done = asked.reading()
    found = [e for e in history(Reading(parts, done)) if source in (None, e.source)]
    lines = []
    for extract in found:
        lines.append(f"{extract.extracted} {extract.title}")
        lines += [f"  {what} added: {total}" for what, total in extract.news]
        lines += [f"  {what}: {before} → {after}" for what, before, after in extract.lines]
        if not extract.restated:
            lines.append("  the first extract; there was none to compare it with")
    data = [
        {"source": e.source, "extracted": e.extracted, "snapshot": e.snapshot, **e.restated}
        for e in found
    ]
    asked.output.done(data, "\n".join(lines))


@click.command()
@click.argument("release")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@shared
def rebuild(asked: Asked, release: str, out: Path) -> None:
    """Build the pages of a past release again, and compare them byte for byte."""
    from cityline.flow.rebuilding import rebuild as again  # noqa: PLC0415 - heavy
    from cityline.wiring import assemble  # noqa: PLC0415 - heavy

    parts, _, _ = asked.reading()
    built = again(parts, release, out, lambda folder: assemble(folder, home=parts.home))
    data = {"release": built.release, "files": built.files, "different": list(built.different)}
    told = f"{number(built.files)} files, identical to release {built.release}"
    if built.different:
        named = ", ".join(built.different[:5])
        why = "" if built.same_code else "; the program has changed since"
        raise QualityError(
            f"{number(len(built.different))} files differ from release {built.release}{why}",
            where=named,
            hint="install the version that made it; cityline runs says when that was",
        )
    asked.output.done(data, told)
