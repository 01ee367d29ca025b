"""Watching: how much, who did what, and what it costs; the same look here and on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cityline.cli.opening import Asked, shared
from cityline.cli.output import table
from cityline.errors import UsageError
from cityline.lake.wording import number

if TYPE_CHECKING:
    import pyarrow as pa

    from cityline.deploy.cost import Bill
    from cityline.ports.gauges import Alarm, Reading
    from cityline.ports.trail import Event

NO_DATA = "no data"
_AGO = {"h": "hours", "d": "days", "w": "weeks"}
_OPEN = "alarms live on AWS; here cityline status and cityline quality tell what is wrong"


@click.command()
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True)
@shared
def monitor(asked: Asked, days: int) -> None:
    """Every gauge with CloudWatch's name beside it, and the alarms. What has no figure says so."""
    from cityline.watching import open_gauges  # noqa: PLC0415 - heavy

    gauges = open_gauges(asked.folder(), asked.home)
    readings, alarms = gauges.read(days), gauges.alarms()
    data = {
        "days": days,
        "gauges": [_reading(r) for r in readings],
        "alarms": [
            {"name": a.name, "region": a.region, "state": a.state, "since": a.since,
             "says": a.says, "why": a.why}
            for a in alarms
        ],
    }  # fmt: skip
    rows = [
        [r.gauge, r.of, NO_DATA if r.value is None else _figure(r), str(r.metric), r.note]
        for r in readings
    ]
    heads = ["gauge", "of", f"last {days} days", "CloudWatch", "note"]
    shown = table(heads, rows, [False, False, True, False, False])
    asked.output.done(data, "\n".join([shown, "", _alarms(alarms)]))


def _reading(reading: Reading) -> dict[str, Any]:
    metric = reading.metric
    return {
        "gauge": reading.gauge,
        "of": reading.of,
        "value": reading.value,
        "unit": reading.unit,
        "note": reading.note,
        "cloudwatch": {
            "namespace": metric.namespace, "metric": metric.name, "unit": metric.unit,
            "dimensions": list(metric.dimensions), "statistic": metric.statistic,
        },
    }  # fmt: skip


def _figure(reading: Reading) -> str:
    """A figure as people read it: whole bytes and counts, dollars with cents."""
    value = reading.value or 0.0
    if reading.unit == "USD":
        return f"{value:,.2f} USD"
    short = {"Bytes": "B", "Milliseconds": "ms", "Seconds": "s", "Count": ""}[reading.unit]
    return f"{number(value)} {short}".rstrip()


def _alarms(alarms: list[Alarm]) -> str:
    if not alarms:
        return f"No alarms: {_OPEN}."
    loud = [a for a in alarms if a.state != "OK"]
    rows = [[a.name, a.state, a.region, a.since, a.says] for a in loud]
    told = f"{len(alarms) - len(loud)} of {len(alarms)} alarms are OK"
    return "\n".join(
        [table(["alarm", "state", "region", "since", "says"], rows, [False] * 5), told]
        if rows
        else [told]
    )


@click.command()
@click.option("--who", default="", help="Only events of whose name holds this.")
@click.option("--what", default="", help="Only events whose act holds this.")
@click.option("--since", default="7d", show_default=True, help="A date, or 12h, 7d, 4w ago.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=200, show_default=True)
@click.option("--ask", "question", default="", metavar="QUESTION", help="A named audit question.")
@shared
def audit(asked: Asked, who: str, what: str, since: str, limit: int, question: str) -> None:
    """Who did what, when, on what, and whether it was allowed; newest first."""
    from cityline.ports.trail import Look  # noqa: PLC0415 - heavy
    from cityline.watching import open_trail  # noqa: PLC0415
    from cityline.wiring import own_home  # noqa: PLC0415

    folder = asked.folder()
    trail = open_trail(folder, lambda: _access(own_home(folder, asked.home)), asked.home)
    if question:
        found = trail.ask(question)
        data = {"question": question, "rows": found.to_pylist()}
        asked.output.done(data, _plain(found))
        return
    events = trail.events(Look(_moment(since), who, what, limit))
    heads = ["when", "who", "what", "on", "outcome", "why"]
    rows = [
        [f"{e.at:%Y-%m-%d %H:%M:%S}", e.who or "not recorded", e.what, e.on, e.outcome, e.why]
        for e in events
    ]
    lines = [table(heads, rows, [False] * 6) if rows else "No such event."]
    lines += [f"Note: {gap}" for gap in trail.gaps]
    lines += [f"--ask {name}: {title}" for name, title in trail.questions.items()]
    data = {
        "events": [_event(e) for e in events],
        "gaps": list(trail.gaps),
        "questions": dict(trail.questions),
    }
    asked.output.done(data, "\n".join(lines))


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": event.at.isoformat(), "who": event.who, "what": event.what, "on": event.on,
        "outcome": event.outcome, "why": event.why, "where": event.where, "id": event.id,
    }  # fmt: skip


def _plain(found: pa.Table) -> str:
    texts = [["" if v is None else str(v) for v in row.values()] for row in found.to_pylist()]
    return table(found.column_names, texts, [False] * found.num_columns)


def _moment(text: str) -> datetime:
    """A date or a time ago. Raises UsageError for anything else."""
    now = datetime.now(UTC)
    if text[-1:] in _AGO and text[:-1].isdigit():
        try:
            return now - timedelta(**{_AGO[text[-1]]: int(text[:-1])})
        except OverflowError:
            return datetime.min.replace(tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "2026-08-17, 2026-08-17T09:30, 12h, 7d or 4w"
        raise UsageError(f"{text!r} is no time", where="--since", hint=hint) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _access(home: Path) -> Iterator[Event]:
    """What the server's sign-in keeps of people and tokens; nothing where nobody serves."""
    from cityline.ports.trail import Event  # noqa: PLC0415 - heavy
    from cityline.web.identity.accounts import Accounts  # noqa: PLC0415

    if not (home / "access.db").is_file():
        return
    accounts = Accounts(home / "access.db")
    for p in accounts.people():
        acts = {"account made": p["created"], "last seen": p["last_seen"]}
        for act, at in acts.items():
            if at:
                yield Event(_at(at), p["name"], act, f"account of {p['role']}", "allowed",
                            id=f"{act} {p['name']}")  # fmt: skip
    for t in accounts.tokens():
        acts = {"token made": t["created"], "token last used": t["last_used"]}
        for act, at in acts.items():
            if at:
                yield Event(_at(at), t["person"], act, f"token {t['id']}", "allowed",
                            id=f"{act} {t['id']}")  # fmt: skip


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@click.command()
@shared
def cost(asked: Asked) -> None:
    """What a month on AWS is estimated to cost and, on AWS, what was charged so far."""
    from cityline.deploy.measuring import estimates  # noqa: PLC0415 - heavy
    from cityline.watching import measured_use, open_gauges  # noqa: PLC0415
    from cityline.wiring import open_estate  # noqa: PLC0415

    folder = asked.folder()
    there = folder.environment.kind == "aws"
    estate = open_estate(asked.city, folder.environment.name if there else "aws")
    use = None if there else measured_use(folder, asked.home, estate.settings.usage.expected)
    bills = estimates(estate, use)
    charged = open_gauges(folder).read(1) if there else []
    today = datetime.now(UTC).date()
    expected = bills["expected"]
    old = expected.old(today)
    data = {
        "monthly_usd": {name: bill.usd for name, bill in bills.items()},
        "by_service": {name: _cents(bill) for name, bill in bills.items()},
        "so_far_usd": {r.of: r.value for r in charged if r.gauge.startswith("charges")},
        "oldest_price": expected.oldest.isoformat(),
        "old_prices": list(old),
        "unverified_prices": list(expected.unverified),
    }
    asked.output.done(data, _bill_text(bills, charged))
    if old:
        asked.output.warn(f"{len(old)} prices are older than half a year: {', '.join(old)}")
    if expected.unverified:
        told = ", ".join(expected.unverified)
        asked.output.warn(f"{len(expected.unverified)} prices are not verified: {told}")


def _cents(bill: Bill) -> dict[str, float]:
    return {service: round(usd, 2) for service, usd in bill.by_service().items()}


def _bill_text(bills: dict[str, Bill], charged: list[Reading]) -> str:
    """Services down, estimates and the charge so far across."""
    so_far = {r.of: r.value for r in charged if r.gauge.startswith("charges")}
    columns = {name: bill.by_service() for name, bill in bills.items()}
    services = dict.fromkeys([*columns["expected"], *(s for s in so_far if s != "all")])
    heads = ["service", *columns, *(["so far"] if charged else [])]
    rows = [
        [service, *(f"{c.get(service, 0):,.2f}" for c in columns.values())]
        + ([_dollars(so_far.get(service))] if charged else [])
        for service in services
    ]
    total = ["all", *(f"{bill.usd:,.2f}" for bill in bills.values())]
    rows.append(total + ([_dollars(so_far.get("all"))] if charged else []))
    lines = [
        "Estimated monthly charge in USD, before tax",
        table(heads, rows, [False, *(True for _ in heads[1:])]),
        f"The oldest price is of {bills['expected'].oldest}.",
        "An estimate, not an offer: requests, retries and free tiers of the account differ.",
    ]
    if charged:
        lines.append("so far: charged this month, of the whole account, hours late")
    return "\n".join(lines)


def _dollars(value: float | None) -> str:
    return NO_DATA if value is None else f"{value:,.2f}"
