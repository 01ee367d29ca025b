"""How fresh the data are: what readers see on every page and operators in `cityline status`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cityline.flow.parts import Parts
from cityline.flow.steps.answer import CALENDAR
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address
from cityline.lake.wording import month

_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}
_GRACE = 7
"""Days after the expected time before a source counts as late: portals keep no exact day."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Dates as ISO texts; `state` is fresh or late; checks count rules of every step."""

    data_to: str
    last_complete_month: str
    last_month: str
    """The same as an ISO date, the first day; empty when there is none."""
    refreshed_at: str
    next_due: str
    state: str
    checks_passed: int
    checks_total: int

    def to_json(self) -> dict[str, Any]:
        """A plain object."""
        return asdict(self)


def freshness(parts: Parts, done: Done, today: date | None = None) -> Freshness:
    """Read freshness off the receipts, for the first source that is declared.

    `today` is given only by tests. A static page states dates; whether they are late is judged
    when somebody asks.
    """
    source = next(iter(parts.folder.sources))
    newest, complete = (date.fromisoformat(m) if m else None for m in months(parts, done).values())
    facts = done.details(f"ingest/{source}")
    processed = datetime.fromisoformat(facts["data_processed"] or facts["retrieved_at"])
    days = _DAYS.get(parts.folder.sources[source].cadence)
    due = (processed + timedelta(days=days)).date() if days else None
    zone = ZoneInfo(parts.folder.city.time_zone)
    now = today or datetime.now(zone).date()
    late = due is not None and now > due + timedelta(days=_GRACE)
    verdicts = [v for r in done.receipts.values() for v in r.details.get("verdicts", ())]
    return Freshness(
        data_to=_month_end(newest).isoformat() if newest else "",
        last_complete_month=month(complete) if complete else "none",
        last_month=complete.isoformat() if complete else "",
        refreshed_at=facts["retrieved_at"],
        next_due=due.isoformat() if due else "",
        state="late" if late else "fresh",
        checks_passed=sum(v["outcome"] == "passed" for v in verdicts),
        checks_total=len(verdicts),
    )


def months(parts: Parts, done: Done) -> dict[str, str]:
    """The first source's newest month and its last complete one, as ISO dates of their first days.

    A published state kept them in its receipt, so that who follows runs and may see no data can
    tell how fresh they are; before that the calendar is asked.
    """
    published = done.receipts.get("publish/site")
    if published is not None and "months" in published.details:
        return dict(published.details["months"])
    found = parts.asking.query(
        f"SELECT max(month) FILTER (WHERE has_rows) AS newest, "
        f"max(month) FILTER (WHERE month_complete) AS complete FROM {CALENDAR} "
        f"WHERE source = $source",
        {CALENDAR: done.version(Address.parse(CALENDAR))},
        {"source": next(iter(parts.folder.sources))},
    ).to_pylist()[0]
    return {name: found[name].isoformat() if found[name] else "" for name in ("newest", "complete")}


def _month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
