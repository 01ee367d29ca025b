"""The verbs of the way: run them all, or up to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import rich_click as click

from cityline.cli.opening import Asked, pulling, shared
from cityline.cli.output import SAMPLE, Output, table
from cityline.errors import UsageError
from cityline.flow import run as flow
from cityline.flow.parts import Parts
from cityline.flow.plan import questions
from cityline.flow.run import Finished
from cityline.flow.steps.outcome import Done
from cityline.flow.steps.prepare import clean
from cityline.flow.steps.publish import rendered
from cityline.lake.receipt import Outcome, Receipt
from cityline.lake.wording import number, size
from cityline.ports.portal import Dataset
from cityline.stages.prepare.run import Prepared

Perform = Callable[[Parts, str], Finished]

_MARKS = {Outcome.DONE: "✓", Outcome.UNCHANGED: "·", Outcome.FAILED: "✗", Outcome.BLOCKED: "✗"}


@click.command()
@pulling
@shared
def run(asked: Asked) -> None:
    """Do everything that is due, from the portal to the published pages. On AWS its jobs do it,
    and are followed from here."""
    report(asked.parts(), asked.output, lambda parts, until: _done(asked, parts, until))


def report(parts: Parts, output: Output, perform: Perform | None = None) -> None:
    """Run everything that is due and tell what came of it."""
    output.talk(f"{parts.folder.city.title} · {_place(parts)}")
    if perform is None:
        finished = flow.run(parts, lambda r: output.talk(line(r)))
    else:
        finished = perform(parts, "")
    done = Done(finished.receipts)
    for warning in _warnings(finished.receipts):
        output.warn(warning)
    if done.generated:
        output.talk(SAMPLE)
    site = site_address(parts)
    asked = [q for q in questions(parts.folder) if parts.folder.questions[q].page != "facets"]
    told = {q: str(done.details(f"analyse/{q}")["sentence"]) for q in asked}
    data = {
        "run": finished.run,
        "changed": finished.changed,
        "seconds": round(finished.seconds, 3),
        "release": finished.release.id if finished.release else None,
        "snapshot": done.snapshot,
        "generated": done.generated,
        "site": site,
        "steps": [_step_data(r) for r in finished.receipts],
        "answers": told,
    }
    if not finished.changed:
        text = f"Nothing changed: {len(finished.receipts)} steps stand as they were."
    else:
        text = "\n".join(f"{i}. {told[q]}" for i, q in enumerate(asked, 1))
    snapshot = done.snapshot[:7] if finished.release else "none"
    end = f"Snapshot {snapshot} · {finished.seconds:.1f} s"
    output.done(data, f"{text}\n{end}\nOpen it:  {site if '://' in site else Path(site).as_uri()}")


def _place(parts: Parts) -> str:
    aws = parts.folder.environment.aws
    return f"AWS {aws.home_region}" if _is_there(parts) and aws else f"home {parts.home}"


def _is_there(parts: Parts) -> bool:
    """Whether the way is done by jobs on AWS."""
    return parts.folder.environment.kind == "aws"


def site_address(parts: Parts) -> str:
    """Where readers see it: a file of this machine, or an address."""
    aws = parts.folder.environment.aws
    if not _is_there(parts) or aws is None:
        return str(parts.site / "current" / "index.html")
    at = parts.store.locate("site/current/index.html")
    return f"https://{aws.domain}/" if aws.domain else at


def _done(asked: Asked, parts: Parts, until: str) -> Finished:
    """Do the way, here or by the jobs on AWS, and tell each step as it is done."""

    def tell(receipt: Receipt) -> None:
        asked.output.talk(line(receipt))

    if not _is_there(parts):
        return flow.run(parts, tell, until=until)
    from cityline.flow import remote  # noqa: PLC0415 - only for AWS
    from cityline.wiring import open_way  # noqa: PLC0415

    if asked.files is not None:
        hint = "put the file where a portal can serve it, and name it by --portal"
        raise UsageError("a job on AWS cannot read a file of this machine", hint=hint)
    given = {"--portal": asked.portal, "--accept": asked.accept}
    way = open_way(parts.folder)
    try:
        return remote.run(
            parts,
            way,
            tell,
            asked.output.talk,
            until=until,
            arguments={name: text for name, text in given.items() if text},
        )
    except KeyboardInterrupt:
        hint = f"cityline run --env {parts.folder.environment.name}"
        asked.output.talk(f"the job on AWS goes on; follow it and start what comes after:  {hint}")
        raise


@click.command()
@click.argument("text", required=False, default="")
@click.option("--draft", metavar="DATASET", help="Write a draft source for this dataset.")
@click.option("--limit", default=10, show_default=True)
@pulling
@shared
def discover(asked: Asked, text: str, draft: str | None, limit: int) -> None:
    """Search a portal's catalogue, or draft a source for a person to sign."""
    from cityline.stages.discover import draft_source  # noqa: PLC0415 - rarely asked
    from cityline.wiring import open_portal  # noqa: PLC0415 - heavy

    folder = asked.folder()
    base = asked.portal or next((s.portal for s in folder.sources.values()), "")
    if not base:
        raise UsageError("no portal is known", hint="--portal URL")
    portal = open_portal(base, folder.environment)
    if draft:
        described = portal.describe(draft)
        name = draft.removeprefix("3-1-1-")
        path = asked.city / "sources" / f"{name}.toml"
        if path.exists():
            raise UsageError("the source exists already", where=str(path), hint="choose another")
        path.write_text(draft_source(described), encoding="utf-8")
        asked.output.done({"file": str(path)}, f"Draft written: {path}\nRead it, then sign it.")
        return
    total, found = portal.search(text, limit)
    data = {"total": total, "datasets": [_dataset_data(d) for d in found]}
    rows = [[d.id, number(d.records_count or 0), d.data_processed[:10], d.title] for d in found]
    shown = table(["dataset", "rows", "processed", "title"], rows, [False, True, False, False])
    if total == 1 and found:
        fields = [[f.name, f.label, f.type] for f in found[0].fields]
        shown += "\n\n" + table(["field", "label", "type"], fields, [False, False, False])
    hint = "Draft a source:  cityline discover --draft DATASET"
    asked.output.done(data, f"{shown}\n{number(total)} datasets match. {hint}")


def _dataset_data(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": dataset.id,
        "title": dataset.title,
        "rows": dataset.records_count,
        "data_processed": dataset.data_processed,
        "licence": dataset.licence,
        "fields": [{"name": f.name, "label": f.label, "type": f.type} for f in dataset.fields],
    }


@click.command()
@pulling
@shared
def ingest(asked: Asked) -> None:
    """Bring every source into the raw zone, or learn that nothing changed."""
    _until(asked, "ingest")


@click.command()
@click.option("--explain", is_flag=True, help="Show every step with rows, cells and samples.")
@click.option("--source", help="Only this source.")
@click.option("--sql", is_flag=True, help="Print the recipe as SQL.")
@pulling
@shared
def prepare(asked: Asked, explain: bool, source: str | None, sql: bool) -> None:
    """Clean raw into landing, or explain how (without writing anything)."""
    if not explain and not sql:
        _until(asked, "prepare")
        return
    parts = asked.parts()
    names = [source] if source else list(parts.folder.recipes)
    for name in names:
        if name not in parts.folder.recipes:
            known = ", ".join(parts.folder.recipes)
            raise UsageError(f"no recipe {name!r}", hint=f"known: {known}")
    done = Done(filter(None, (parts.ledger.last(f"ingest/{n}") for n in names)))
    if sql:
        from cityline.flow.steps.prepare import sql_text  # noqa: PLC0415 - rarely asked

        texts = {n: sql_text(parts, n, done) for n in names}
        asked.output.done(texts, "\n\n".join(texts.values()))
        return
    data: dict[str, Any] = {}
    shown: list[str] = []
    for name in names:
        prepared = clean(parts, name, done)
        data[name] = [_effect_data(e) for e in prepared.cleaned.effects]
        shown.append(_explained(name, prepared))
    asked.output.done(data, "\n\n".join(shown))


@click.command()
@pulling
@shared
def structure(asked: Asked) -> None:
    """Shape landing into curated tables."""
    _until(asked, "structure")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Also copy the site to this folder.")
@click.option(
    "--access",
    type=click.Choice(["public", "internal"]),
    default="public",
    show_default=True,
    help="Which bundle --out gets: the one for everybody, or the one with internal answers.",
)
@pulling
@shared
def publish(asked: Asked, out: Path | None, access: str) -> None:
    """Write the site as static files and switch readers to it at once."""
    parts = asked.parts()
    _may_publish(parts.folder.city.publish, access, out)
    if _is_there(parts) and out is not None:
        hint = "read it from the site's bucket, or run it with --env local"
        raise UsageError("the pages are on AWS, not here", where="--out", hint=hint)
    finished = _done(asked, parts, "")
    site = parts.site / "current"
    if out is not None:
        from cityline.stages.publish import release as bundle  # noqa: PLC0415 - rarely asked

        if access == parts.folder.city.publish:
            site = bundle.copy_release(parts.site, out)
        else:
            done = Done(finished.receipts)
            site = bundle.write_bundle(out, rendered(parts, done, "internal"))
    index = site / "index.html"
    if _is_there(parts):
        release = finished.release.id if finished.release else None
        address = site_address(parts)
        asked.output.done({"site": address, "release": release}, f"Open it:  {address}")
        return
    release = finished.release.id if finished.release else None
    asked.output.done({"site": str(index), "release": release}, f"Open it:  {index.as_uri()}")


def _may_publish(city: str, access: str, out: Path | None) -> None:
    """Two bundles, never one: a city that publishes to nobody has no public one."""
    if access == "internal" and out is None:
        raise UsageError("the internal bundle needs a folder of its own", hint="--out DIR")
    if access == "public" and city == "internal" and out is not None:
        what = "this city has no pages for everybody"
        hint = '--access internal, or publish = "public" in city.toml'
        raise UsageError(what, where="city.toml: publish", hint=hint)


def _warnings(receipts: Iterable[Receipt]) -> list[str]:
    """What a person should look at although the run went through."""
    told = []
    for receipt in receipts:
        if receipt.outcome is Outcome.DONE:
            told += [f"{receipt.step}: {w}" for w in receipt.details.get("warnings", ())]
            told += [f"{receipt.step}: {n}" for n in receipt.details.get("notes", ())]
            verdicts = receipt.details.get("verdicts", ())
            told += [
                f"{receipt.step}: {v['message']}" for v in verdicts if v["outcome"] == "warned"
            ]
    return told


def line(receipt: Receipt) -> str:
    """One step in one line."""
    mark = _MARKS[receipt.outcome]
    if receipt.outcome is Outcome.UNCHANGED:
        return f"  {mark} {receipt.stage:<9} {receipt.subject:<24} {_why_unchanged(receipt)}"
    told = f"{_told(receipt):<50} {receipt.seconds:6.2f} s"
    return f"  {mark} {receipt.stage:<9} {receipt.subject:<24} {told}"


def _why_unchanged(receipt: Receipt) -> str:
    return str(receipt.details.get("unchanged") or "nothing it depends on changed")


def _told(receipt: Receipt) -> str:
    rows = number(receipt.rows_out)
    match receipt.stage:
        case "ingest":
            facts = receipt.details
            return f"{rows} rows · {size(facts['bytes'])} · sha256 {facts['sha256'][:7]}"
        case "prepare":
            away = receipt.rows_in - receipt.rows_out
            checks = len(receipt.details.get("verdicts", ()))
            return (
                f"{number(receipt.rows_in)} → {rows} · {number(away)} quarantined · {checks} rules"
            )
        case "publish":
            return f"{number(receipt.rows_out)} files · {size(receipt.versions[0].bytes)}"
        case "analyse":
            return "refused" if receipt.details["refused"] else f"{rows} rows"
        case _:
            return f"{rows} rows" if receipt.rows_out else ""


def _until(asked: Asked, stage: str) -> None:
    output: Output = asked.output
    finished = _done(asked, asked.parts(), stage)
    mine = [r for r in finished.receipts if r.stage == stage]
    nothing = "" if any(r.outcome is Outcome.DONE for r in mine) else "Nothing changed.\n"
    data = {"run": finished.run, "steps": [_step_data(r) for r in mine]}
    output.done(data, f"{nothing}Next:  cityline run")


def _step_data(receipt: Receipt) -> dict[str, Any]:
    return {
        "step": receipt.step,
        "outcome": receipt.outcome.value,
        "rows_in": receipt.rows_in,
        "rows_out": receipt.rows_out,
        "seconds": round(receipt.seconds, 3),
        "generated": receipt.generated,
        "writes": dict(receipt.writes),
    }


def _effect_data(effect: Any) -> dict[str, Any]:
    return {
        "number": effect.number,
        "operation": effect.operation,
        "rows_before": effect.rows_before,
        "rows_after": effect.rows_after,
        "cells_changed": effect.cells_changed,
        "samples": [dict(s) for s in effect.samples],
    }


def _explained(name: str, prepared: Prepared) -> str:
    lines = [f"{name}: {number(prepared.rows)} rows read"]
    for effect in prepared.cleaned.effects:
        lines.append(
            f"{effect.number:3}. {effect.operation}  rows {number(effect.rows_before)} → "
            f"{number(effect.rows_after)} · {number(effect.cells_changed)} cells changed"
        )
        lines.append(f"       {effect.why}")
        for sample in effect.samples[:5]:
            if "reason" in sample:
                lines.append(f"       row {sample['row']}: {sample['reason']}")
            else:
                lines.append(
                    f"       {sample['column']}: {sample['before']!r} → {sample['after']!r}"
                )
    away = prepared.cleaned.quarantined.num_rows
    kept = prepared.rows - away
    lines.append(f"     {number(kept)} kept + {number(away)} quarantined = {number(prepared.rows)}")
    return "\n".join(lines)
