"""One run of the way: every step in order, then the promotion that readers see."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cityline.errors import CitylineError, QualityError
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.promotion import finish, promote
from cityline.flow.steps.every import STAGES
from cityline.flow.steps.outcome import Done
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.ledger import Release

Notify = Callable[[Receipt], None]


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


def run(parts: Parts, notify: Notify, *, until: str = "") -> Finished:
    """Run every step that is due, in order. `until` names a stage after which to stop.

    Raises the first step's error; what was promoted before stays what readers see.
    """
    name = f"r-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    began = time.perf_counter()
    with parts.ledger.hold(name):
        finish(parts)
        done = Done()
        for step in _until(plan(parts.folder), until):
            parts.journal.write(name, "info", step, "begins")
            receipt = _step(parts, step, done, name)
            done.add(receipt)
            notify(receipt)
            _journal(parts, receipt, name)
        release = None if until else promote(parts, done, name)
    if release is not None:
        parts.journal.write(name, "info", "", f"readers see release {release.id}")
    receipts = tuple(done.receipts.values())
    return Finished(name, receipts, release, time.perf_counter() - began)


def _journal(parts: Parts, receipt: Receipt, run: str) -> None:
    """What a step did, in a line for whoever watches the run."""
    told = f"{receipt.outcome.value}, {receipt.rows_in:,} → {receipt.rows_out:,} rows"
    parts.journal.write(run, "info", receipt.step, f"{told}, {receipt.seconds:.2f} s")
    for warning in receipt.details.get("warnings", ()):
        parts.journal.write(run, "warning", receipt.step, str(warning))


def _until(steps: tuple[str, ...], stage: str) -> tuple[str, ...]:
    if not stage:
        return steps
    last = max(i for i, step in enumerate(steps) if step.startswith(f"{stage}/"))
    return steps[: last + 1]


def _fingerprint(parts: Parts, step: str, reads: Mapping[str, str]) -> str:
    """What a step's outcome depends on; another bucket holds nothing of what was done in one."""
    lake = parts.folder.environment.lake
    text = json.dumps([step, parts.code, reads, lake.address if lake else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _step(parts: Parts, step: str, done: Done, run_name: str) -> Receipt:
    """Do one step if anything it depends on changed; leave a receipt either way."""
    name, _, subject = step.partition("/")
    stage = STAGES[name]
    reads = dict(stage.inputs(parts, subject, done))
    fingerprint = _fingerprint(parts, step, reads)
    last = parts.ledger.last(step)
    if last and last.fingerprint == fingerprint and not stage.asks:
        return replace(last, outcome=Outcome.UNCHANGED, seconds=0.0)
    receipt = Receipt(
        run=run_name,
        step=step,
        outcome=Outcome.DONE,
        fingerprint=fingerprint,
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


def _fingerprint(parts: Parts, step: str, reads: Mapping[str, str]) -> str:
    """What a step's outcome depends on. Another bucket holds nothing of what was done."""
    lake = parts.folder.environment.lake
    text = json.dumps([step, parts.code, reads, lake.address if lake else ""], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _failed(receipt: Receipt, error: CitylineError, seconds: float) -> Receipt:
    """What is kept of a step that did not go through."""
    return replace(
        receipt,
        outcome=Outcome.BLOCKED if isinstance(error, QualityError) else Outcome.FAILED,
        seconds=seconds,
        details={"error": error.what, "code": error.code, "where": error.where},
    )
