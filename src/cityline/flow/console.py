"""What an operator may ask: runs, lineage, quality, profiles, recipes, settings; plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cityline.declarations.environment import Environment
from cityline.errors import UsageError
from cityline.flow.parts import Parts
from cityline.flow.plan import plan
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address
from cityline.lake.receipt import Outcome, Receipt

_BAD = (Outcome.FAILED, Outcome.BLOCKED)
_HISTORY = 24


class Console:
    """Facts about a city's runs. Raises UsageError for what there is not."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def runs(self, status: str = "") -> list[dict[str, Any]]:
        """Every run, newest first; `status` is done, failed, blocked or running."""
        by_run: dict[str, list[Receipt]] = {}
        for receipt in self._parts.ledger.receipts(limit=20_000):
            by_run.setdefault(receipt.run, []).append(receipt)
        released = {r.run: r.id for r in self._parts.ledger.releases(500)}
        names = sorted({*by_run, *self._parts.journal.runs()}, reverse=True)
        found = [self._run(n, by_run.get(n, []), released.get(n, "")) for n in names]
        return [r for r in found if not status or r["status"] == status]

    def _run(self, name: str, receipts: list[Receipt], release: str) -> dict[str, Any]:
        lines = self._parts.journal.tail(name)
        bad = next((r for r in receipts if r.outcome in _BAD), None)
        ended = bool(lines) and lines[-1].text.startswith("readers see release")
        status = bad.outcome.value if bad else "done" if ended or not lines else "running"
        if status == "running" and not self._at_work(name):
            status = "interrupted"
        raw = [r for r in receipts if r.stage == "ingest"]
        return {
            "run": name,
            "started": lines[0].at if lines else min((r.started for r in receipts), default=""),
            "status": status,
            "steps": len(receipts),
            "seconds": round(sum(r.seconds for r in receipts), 2),
            "rows_in": sum(r.rows_out for r in raw),
            "bytes": sum(v.bytes for r in receipts for v in r.versions),
            "release": release,
            "error": bad.details.get("error", "") if bad else "",
        }

    def _at_work(self, name: str) -> bool:
        """Whether the run holds the lock now; a killed one does not."""
        return self._parts.ledger.holder() == name

    def run(self, name: str) -> dict[str, Any]:
        """One run: its steps with their share of the time, what failed, its last lines."""
        receipts = list(reversed(self._parts.ledger.receipts(run=name, limit=1000)))
        lines = self._parts.journal.tail(name)
        if not receipts and not lines:
            raise UsageError(f"there is no run {name!r}", hint="/ops/ lists them")
        released = {r.run: r.id for r in self._parts.ledger.releases(500)}
        facts = self._run(name, receipts[::-1], released.get(name, ""))
        began = _seconds(facts["started"])
        steps = [_step(r, began) for r in receipts]
        end = max((s["from"] + s["seconds"] for s in steps), default=1.0) or 1.0
        for step in steps:
            step["left"] = round(100 * max(0.0, step["from"]) / end, 2)
            step["width"] = round(max(0.5, 100 * step["seconds"] / end), 2)
        return facts | {"timeline": steps, "lines": lines, "total": end}

    def lineage(self, thing: str, run: str = "") -> dict[str, Any]:
        """What something was made from and what was made of it, with this state's versions."""
        done = self._done()
        makers = {a: r for r in done.receipts.values() for a in r.writes}
        wanted = str(Address.parse(thing or "site/site"))
        if wanted not in makers:
            known = ", ".join(sorted(makers))
            raise UsageError(f"nothing is known of {wanted!r}", hint=f"known: {known}")
        reads = {
            a: [b for b in map(_address, r.reads) if b in makers and b != a]
            for a, r in makers.items()
        }
        return {
            "thing": wanted,
            "run": run,
            "before": [_node(a, makers) for a in reads[wanted]],
            "self": _node(wanted, makers),
            "after": [_node(a, makers) for a in sorted(reads) if wanted in reads[a]],
            "every": sorted(makers),
            "sql": makers[wanted].details.get("sql", ""),
        }

    def quality(self) -> list[dict[str, Any]]:
        """Each rule's verdict now, and how it ended before: (outcome, run) oldest first."""
        done = self._done()
        past: dict[tuple[str, str], list[tuple[str, str]]] = {}
        steps = [s for s, r in done.receipts.items() if r.details.get("verdicts")]
        for step in steps:
            for receipt in reversed(self._parts.ledger.receipts(step=step, limit=_HISTORY)):
                for v in receipt.details.get("verdicts", ()):
                    past.setdefault((step, v["rule"]), []).append((v["outcome"], receipt.run))
        return [
            {"step": step, "history": past[step, v["rule"]], **v}
            for step in steps
            for v in done.receipts[step].details["verdicts"]
        ]

    def profile(self, source: str) -> dict[str, Any]:
        """The columns of a source before and after cleaning, with the profile of the pull before
        it, so that drift is seen. Raises UsageError for an unknown source."""
        receipt = self._prepared(source)
        older = [
            r
            for r in self._parts.ledger.receipts(step=f"prepare/{source}", limit=_HISTORY)
            if r.outcome is Outcome.DONE and r.run != receipt.run
        ]
        before = older[0].details["profile"] if older else {"before": [], "after": []}
        return {
            "source": source,
            "sources": sorted(self._parts.folder.recipes),
            "rows_in": receipt.rows_in,
            "rows_out": receipt.rows_out,
            "columns": receipt.details["profile"]["after"],
            "raw": receipt.details["profile"]["before"],
            "drift": _drift(receipt.details["profile"]["after"], before["after"]),
            "older": older[0].run if older else "",
        }

    def recipe(self, source: str) -> dict[str, Any]:
        """The steps of a recipe, with the rows and cells each changed the last time."""
        receipt = self._prepared(source)
        recipe = self._parts.folder.recipes[source]
        effects = receipt.details["effects"]
        return {
            "source": source,
            "sources": sorted(self._parts.folder.recipes),
            "description": recipe.description,
            "steps": [
                {
                    "number": at + 1,
                    "operation": step.operation,
                    "parameters": step.parameters,
                    "why": step.why,
                    "effect": effects[at] if at < len(effects) else {},
                }
                for at, step in enumerate(recipe.steps)
            ],
            "reasons": receipt.details["reasons"],
            "totals": receipt.details["totals"],
        }

    def settings(self) -> list[tuple[str, str, str]]:
        """(key, value, where it comes from) of every setting. No setting holds a secret."""
        folder = self._parts.folder
        environment = folder.environment
        file = f"environments/{environment.name}.toml"
        found = [("home", str(_shown(self._parts.home)), "flag, CITYLINE_HOME or " + file)]
        found += _told(environment, file)
        for field in type(folder.city).model_fields:
            if field != "events":
                given = field in folder.city.model_fields_set
                value = str(getattr(folder.city, field))
                found.append((f"city.{field}", value, "city.toml" if given else "default"))
        return found

    def steps(self) -> tuple[str, ...]:
        """Every step of the way, in order."""
        return plan(self._parts.folder)

    def _prepared(self, source: str) -> Receipt:
        receipt = self._done().receipts.get(f"prepare/{source}")
        if receipt is None:
            known = ", ".join(sorted(self._parts.folder.recipes))
            raise UsageError(f"there is no source {source!r}", hint=f"known: {known}")
        return receipt

    def _done(self) -> Done:
        release = self._parts.ledger.current()
        if release is None:
            raise UsageError("there is nothing to read yet", hint="cityline run")
        return Done(release.receipts.values())


def _step(receipt: Receipt, began: float) -> dict[str, Any]:
    return {
        "step": receipt.step,
        "outcome": receipt.outcome.value,
        "from": max(0.0, _seconds(receipt.started) - began),
        "seconds": receipt.seconds,
        "rows_in": receipt.rows_in,
        "rows_out": receipt.rows_out,
        "reads": dict(receipt.reads),
        "writes": dict(receipt.writes),
        "bytes": sum(v.bytes for v in receipt.versions),
        "sql": receipt.details.get("sql", ""),
        "warnings": list(receipt.details.get("warnings", ())),
        "error": receipt.details.get("error", ""),
        "code": receipt.details.get("code", ""),
        "where": receipt.details.get("where", ""),
    }


def _node(address: str, makers: Mapping[str, Receipt]) -> dict[str, Any]:
    receipt = makers[address]
    return {
        "address": address,
        "version": receipt.writes[address],
        "step": receipt.step,
        "run": receipt.run,
        "rows": next(v.rows for v in receipt.versions if str(v.address) == address),
    }


def _address(read: str) -> str:
    zones = ("raw", "landing", "curated", "answers", "quarantine")
    return str(Address.parse(read)) if read.startswith(zones) else ""


def _drift(now: list[dict[str, Any]], before: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each column what differs from the pull before: {figure: [before, now]}."""
    old = {c["name"]: c for c in before}
    keys = ("type", "valid", "missing", "distinct", "min", "median", "max")
    return {
        c["name"]: {
            k: [old[c["name"]].get(k), c.get(k)] for k in keys if old[c["name"]].get(k) != c.get(k)
        }
        for c in now
        if c["name"] in old
    }


def _told(environment: Environment, file: str) -> list[tuple[str, str, str]]:
    return [
        (name, str(value), file if name in environment.model_fields_set else "default")
        for name, value in environment.model_dump(exclude={"name", "home", "serve"}).items()
    ] + [
        (
            f"serve.{name}",
            str(value),
            file if name in environment.serve.model_fields_set else "default",
        )
        for name, value in environment.serve.model_dump().items()
    ]


def _shown(path: Path) -> Path:
    """A path without the folders above the city's."""
    return Path("…", *path.parts[-2:])


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
