"""One run of the way: every step in order, then the promotion that readers see."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cityline.errors import CitylineError, QualityError, StepError
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.promotion import expire, finish, promote
from cityline.flow.steps.every import STAGES
from cityline.flow.steps.outcome import Done
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release

Notify = Callable[[Receipt], None]

ALONE = {
    "ingest": ("ingest",),
    "prepare": ("prepare",),
    "structure": ("structure",),
    "publish": ("analyse", "visualise", "publish"),
}
"""The parts of the way that may be run by themselves, each on a machine of its own, in order."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a run did; `release` is what readers see afterwards (None when `until` cut it short)."""

    run: str
    receipts: tuple[Receipt, ...]
    release: Release | None
    seconds: float

    @property
    def changed(self) -> bool:
        """Whether any step was done."""
        return any(r.outcome is Outcome.DONE for r in self.receipts)


def run(
    parts: Parts, notify: Notify, *, until: str = "", only: str = "", name: str = ""
) -> Finished:
    """Run every step that is due, in order. `until` names a stage after which to stop, `only` a
    part of the way (see `ALONE`) whose steps alone are run, `name` the run, when it has one.

    Raises the first step's error; what was promoted before stays what readers see.
    """
    name = name or new_name()
    began = time.perf_counter()
    with parts.ledger.hold(name):
        finish(parts)
        done = before(parts, only) if only else Done()
        mine = []
        for step in _steps(plan(parts.folder), until, only):
            parts.journal.write(name, "info", step, "begins")
            receipt = _step(parts, step, done, name)
            done.add(receipt)
            mine.append(receipt)
            notify(receipt)
            _journal(parts, receipt, name)
        release = None if until or only not in ("", "publish") else promote(parts, done, name)
        if release is not None or only:
            expire(parts, mine)
    if release is not None:
        parts.journal.write(name, "info", "", f"readers see release {release.id}")
    return Finished(name, tuple(mine), release, time.perf_counter() - began)


def new_name() -> str:
    """A run's name: when it began, and a few letters so that there is no other."""
    return f"r-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def before(parts: Parts, only: str) -> Done:
    """What the steps before a part of the way made. Raises StepError when one has not been done, or
    is older than what it depends on: a part never builds on a mixture."""
    done = Done()
    hint = "run the parts of the way in their order: " + ", ".join(ALONE)
    for step in _steps(plan(parts.folder), until="", only=""):
        name, _, subject = step.partition("/")
        if name in ALONE[only]:
            break
        last = parts.ledger.last(step)
        if last is None:
            raise StepError("the step has not been done yet", where=step, hint=hint)
        stage = STAGES[name]
        due = fingerprint(parts, step, stage.inputs(parts, subject, done))
        if not stage.asks and last.fingerprint != due:
            raise StepError("the step is older than what it depends on", where=step, hint=hint)
        done.add(last)
    return done


def _journal(parts: Parts, receipt: Receipt, run: str) -> None:
    """What a step did, in a line for whoever watches the run."""
    told = f"{receipt.outcome.value}, {receipt.rows_in:,} → {receipt.rows_out:,} rows"
    parts.journal.write(run, "info", receipt.step, f"{told}, {receipt.seconds:.2f} s")
    for warning in receipt.details.get("warnings", ()):
        parts.journal.write(run, "warning", receipt.step, str(warning))


def _steps(steps: tuple[str, ...], until: str, only: str) -> tuple[str, ...]:
    if only:
        return tuple(s for s in steps if s.partition("/")[0] in ALONE[only])
    if not until:
        return steps
    last = max(i for i, step in enumerate(steps) if step.startswith(f"{until}/"))
    return steps[: last + 1]


def fingerprint(parts: Parts, step: str, reads: Mapping[str, str]) -> str:
    """Of everything a step's outcome depends on."""
    lake = parts.folder.environment.lake  # another bucket holds nothing of what was done
    text = json.dumps([step, parts.code, reads, lake.address if lake else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _step(parts: Parts, step: str, done: Done, run_name: str) -> Receipt:
    """Do one step if anything it depends on changed; leave a receipt either way."""
    name, _, subject = step.partition("/")
    stage = STAGES[name]
    reads = dict(stage.inputs(parts, subject, done))
    due = fingerprint(parts, step, reads)
    last = parts.ledger.last(step)
    if last and last.fingerprint == due and not stage.asks:
        return replace(last, outcome=Outcome.UNCHANGED, seconds=0.0)
    receipt = Receipt(
        run=run_name,
        step=step,
        outcome=Outcome.DONE,
        fingerprint=due,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        seconds=0.0,
        reads=reads,
    )
    began = time.perf_counter()
    try:
        made = stage.perform(parts, subject, done, run_name)
    except CitylineError as error:
        parts.ledger.record(_failed(receipt, error, time.perf_counter() - began))
        told = f"{error.code}: {error.what} ({error.hint})"
        parts.journal.write(run_name, "error", step, told)
        raise
    receipt = replace(
        receipt,
        outcome=Outcome.UNCHANGED if made.unchanged else Outcome.DONE,
        seconds=time.perf_counter() - began,
        versions=made.versions,
        rows_in=made.rows_in,
        rows_out=made.rows_out,
        generated=made.generated,
        details={**made.details, **({"unchanged": made.unchanged} if made.unchanged else {})},
    )
    if not made.unchanged:
        parts.ledger.record(receipt)
    return receipt


def _failed(receipt: Receipt, error: CitylineError, seconds: float) -> Receipt:
    """What is kept of a step that did not go through."""
    return replace(
        receipt,
        outcome=Outcome.BLOCKED if isinstance(error, QualityError) else Outcome.FAILED,
        seconds=seconds,
        details={"error": error.what, "code": error.code, "where": error.where},
    )
