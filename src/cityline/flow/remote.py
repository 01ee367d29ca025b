"""The way on other machines: its parts started as jobs one after another, and followed here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cityline.errors import (
    CitylineError,
    CloudUnreachable,
    DeclarationError,
    JobFailed,
    StepError,
    StoreUnreachable,
)
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.run import ALONE, Finished, Notify, new_name
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.jobs import JobRun, Jobs

Note = Callable[[str], None]

_PAUSE = 5.0
_PATIENCE = 600.0
"""Seconds for which the platform may be out of reach while a job is followed."""


@dataclass(frozen=True)
class Way:
    """The jobs of a city: `names` maps a part of the way to its job, in order."""

    jobs: Jobs
    names: Mapping[str, str]
    pause: float = _PAUSE


def run(
    parts: Parts,
    way: Way,
    notify: Notify,
    note: Note,
    *,
    until: str = "",
    arguments: Mapping[str, str] | None = None,
) -> Finished:
    """Start every part of the way in order and follow it; a part that is at work already is
    followed, not started again. `until` names the last part.

    Interrupted, the job that is at work goes on; asked again, it is followed. Raises CloudError for
    what the platform refuses; the error of a step that failed, as its receipt tells it; JobFailed
    with the job's message when no receipt tells.
    """
    began = time.perf_counter()
    name, told = new_name(), []
    for part, job in way.names.items():
        working = way.jobs.at_work(job)
        if working is None:
            asked = {"--run": name, **(arguments or {})}
            working = way.jobs.look(job, way.jobs.start(job, asked))
            note(f"{job}: started, run {working.id}")
        else:
            note(f"{job}: at work already, run {working.id}")
        name = working.arguments.get("--run", name)
        told += _follow(parts, way, part, working, notify, note)
        if part == until:
            break
    release = None if until else parts.ledger.current()
    return Finished(name, tuple(told), release, time.perf_counter() - began)


def _follow(
    parts: Parts, way: Way, part: str, working: JobRun, notify: Notify, note: Note
) -> list[Receipt]:
    """Wait for a part's end and tell its steps as they are done."""
    job, state, heard = way.names[part], "", time.monotonic()
    steps = [s for s in plan(parts.folder) if s.partition("/")[0] in ALONE[part]]
    name = working.arguments.get("--run", "")
    seen: dict[str, Receipt] = {}
    while True:
        try:
            working = way.jobs.look(job, working.id)
            if working.state != state:
                state = working.state
                note(f"{job}: {state.lower()}")
            for receipt in reversed(parts.ledger.receipts(run=name) if name else []):
                if receipt.step in steps and receipt.step not in seen:
                    seen[receipt.step] = receipt
                    notify(receipt)
            if working.over:
                again = None if working.succeeded else way.jobs.at_work(job)
                if again is None or again.arguments.get("--run", "") != name:
                    break
                note(f"{job}: {working.state.lower()}, tried again by the platform")
                working = again
            heard = time.monotonic()
        except (CloudUnreachable, StoreUnreachable):
            if time.monotonic() - heard > _PATIENCE:
                raise
        time.sleep(way.pause)
    if not working.succeeded:
        raise _failure(job, working, list(seen.values()))
    return [_stood(parts, step, seen, notify) for step in steps]


def _stood(parts: Parts, step: str, seen: Mapping[str, Receipt], notify: Notify) -> Receipt:
    """A step's receipt; one that was not done in this run stands as it was."""
    if step in seen:
        return seen[step]
    last = parts.ledger.last(step)
    if last is None:
        hint = "is the ledger this environment's? cityline runs shows what is in it"
        raise StepError("the job ended well, and left no receipt", where=step, hint=hint)
    receipt = replace(last, outcome=Outcome.UNCHANGED, seconds=0.0)
    notify(receipt)
    return receipt


def _failure(job: str, ended: JobRun, receipts: list[Receipt]) -> CitylineError:
    """What failed, as the step itself told it, or as the platform tells it."""
    failed = next((r for r in receipts if r.outcome in (Outcome.FAILED, Outcome.BLOCKED)), None)
    told: Mapping[str, Any] = failed.details if failed else {}
    hint = f"its log has the rest: /aws-glue/jobs, run {ended.id} of {job}"
    if failed is None:
        what = f"the job {ended.state.lower()}: {ended.message or 'it tells no reason'}"
        return JobFailed(what, where=job, hint=hint)
    kind = _kinds(CitylineError).get(str(told.get("code", "")), StepError)
    return kind(str(told.get("error", "")), where=str(told.get("where") or failed.step), hint=hint)


def _kinds(root: type[CitylineError]) -> dict[str, type[CitylineError]]:
    """Every error by its name in a receipt, but for those that are no single message."""
    found = {}
    for kind in root.__subclasses__():
        if kind is not DeclarationError:
            found[kind("").code] = kind
        found |= _kinds(kind)
    return found
