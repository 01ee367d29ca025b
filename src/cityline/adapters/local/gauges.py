"""Gauges of one machine: from the lake's own files and the ledger's receipts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cityline.adapters.formats.folders import store_errors
from cityline.lake.address import Address, Zone
from cityline.lake.receipt import Outcome, Receipt
from cityline.ports.gauges import Alarm, Reading, figures_of_job
from cityline.ports.ledger import Ledger

_ALL = 1_000_000
_P95 = 0.95
_JOBS = ("ingest", "prepare", "structure")
_QUERIES = "analyse"
Sizes = Mapping[tuple[str, str], int]
"""Bytes by address and version."""


class LocalGauges:
    """Implements `ports.gauges.Gauges` over the folder of a lake and a ledger. `estimate` is what a
    month of the same work would be charged on AWS, where that can be told, and what to know of it.
    """

    def __init__(
        self, lake: Path | None, ledger: Ledger, estimate: Callable[[], tuple[float | None, str]]
    ) -> None:
        self._lake = lake
        self._ledger = ledger
        self._estimate = estimate

    def read(self, days: int) -> list[Reading]:
        """What lies in the zones now, and what ran in the last days."""
        since = datetime.now(UTC) - timedelta(days=days)
        every = self._ledger.receipts(limit=_ALL)
        recent = [r for r in every if datetime.fromisoformat(r.started) >= since]
        sizes = {(str(v.address), v.id): v.bytes for r in every for v in r.versions}
        return [
            *self._charges(),
            *self._stored(),
            *_moved(recent),
            *_asked(recent, sizes),
            *_ran(recent),
        ]

    def alarms(self) -> list[Alarm]:
        """None: nothing rings on this machine."""
        return []

    def _charges(self) -> Iterator[Reading]:
        usd, note = self._estimate()
        yield Reading("charges", "all", usd, note)

    def _stored(self) -> Iterator[Reading]:
        """Everything in the folder counts: older snapshots and what nothing names any more too."""
        for zone in Zone:
            sizes = self._sizes(zone)
            none = sizes is None
            note = "the lake is not a folder of this machine" if none else "with older snapshots"
            yield Reading("stored", zone, None if sizes is None else sum(sizes), note)
            yield Reading("objects", zone, None if sizes is None else len(sizes), note)

    def _sizes(self, zone: Zone) -> list[int] | None:
        if self._lake is None:
            return None
        with store_errors(zone):
            folder = self._lake.parent / zone if zone is Zone.SITE else self._lake / zone
            files = folder.rglob("*")
            return [p.stat().st_size for p in files if p.is_file() and not p.is_symlink()]


def _moved(recent: Sequence[Receipt]) -> Iterator[Reading]:
    pulled = [r for r in recent if r.stage == "ingest" and r.outcome is Outcome.DONE]
    yield Reading("received", Zone.RAW, float(sum(v.bytes for r in pulled for v in r.versions)))
    yield Reading("sent", Zone.SITE, None, "downloads of readers are not recorded here")
    yield Reading("requests", Zone.SITE, None, "requests of readers are not counted here")
    for gauge in ("copy lag", "copies pending"):
        yield Reading(gauge, Zone.RAW, None, "there is no second region")


def _asked(recent: Sequence[Receipt], sizes: Sizes) -> Iterator[Reading]:
    """Questions; what a person typed leaves no receipt."""
    asked = [r for r in recent if r.stage == _QUERIES and r.outcome is Outcome.DONE]
    note = "questions of runs; what a person types is not recorded"
    yield Reading("queries", "publishing", float(len(asked)), note)
    times = sorted(r.seconds * 1000 for r in asked)
    worst = times[math.ceil(_P95 * len(times)) - 1] if times else None
    yield Reading("query time", "publishing", worst, "" if times else "no question was asked")
    yield Reading("query wait", "publishing", None, "nothing waits on one machine")
    upper = "whole tables that were read: an upper bound"
    yield Reading("scanned", "publishing", _read(asked, sizes), upper)


def _ran(recent: Sequence[Receipt]) -> Iterator[Reading]:
    for job in _JOBS:
        for gauge, value in figures_of_job([r for r in recent if r.stage == job]).items():
            yield Reading(gauge, job, value)


def _read(receipts: Sequence[Receipt], sizes: Sizes) -> float:
    """Bytes of everything that was read, whole."""
    return float(sum(sizes.get((_address(a), v), 0) for r in receipts for a, v in r.reads.items()))


def _address(read: str) -> str:
    """A receipt names what it read as an address or as SQL does; anything else stays itself."""
    zone = read.partition(".")[0]
    return str(Address.parse(read)) if zone in set(Zone) else read
