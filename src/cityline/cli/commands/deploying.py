"""AWS on the command line: what would be made and what it costs; making, seeing, removing it."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cityline.cli.opening import Asked, shared
from cityline.cli.output import table
from cityline.errors import UsageError

if TYPE_CHECKING:
    from cityline.deploy.cost import Bill
    from cityline.deploy.estate import Estate
    from cityline.deploy.planning import Plan
    from cityline.deploy.template import Template
    from cityline.ports.stacks import Stacks

_SHOWN = 8
"""Lines of the bill a terminal shows; `--json` has them all."""


_only = click.option("--only", multiple=True, metavar="STACK", help="Only this stack; repeatable.")


@click.group()
def deploy() -> None:
    """The city's platform in a cloud, from the same declarations."""


@deploy.group()
def aws() -> None:
    """Amazon Web Services: needs an environment of kind aws and, but for --offline, credentials."""


@aws.command()
@click.option("--offline", is_flag=True, help="Ask no account: everything is new.")
@_only
@shared
def plan(asked: Asked, only: tuple[str, ...], *, offline: bool) -> None:
    """What would be created, changed and deleted, and the estimated monthly charge."""
    from cityline.deploy import deploying, planning  # noqa: PLC0415 - heavy
    from cityline.wiring import cloud_stacks  # noqa: PLC0415

    estate, templates = _estate(asked)
    chosen = deploying.selected(templates, estate.settings, only)
    stacks = None if offline else cloud_stacks()
    found = planning.plan(chosen, estate.settings, stacks)
    asked.output.done(_plan_json(found), _plan_text(found, estate))
    for name, bill in found.bills.items():
        if name == "expected" and bill.unverified:
            asked.output.warn(
                f"{len(bill.unverified)} prices are not verified: {', '.join(bill.unverified)}"
            )


@aws.command()
@click.option(
    "--parameter", "given", multiple=True, metavar="NAME=VALUE",
    help="A parameter of the templates; others come from [aws].",
)  # fmt: skip
@click.option(
    "--wheels", type=click.Path(path_type=Path), metavar="FILE",
    help="The zip of wheels the jobs install, from tools/wheels.py.",
)  # fmt: skip
@click.option(
    "--server-wheels", type=click.Path(path_type=Path), metavar="FILE",
    help="The one the server installs, from tools/wheels.py --machine aarch64.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
@_only
@shared
def apply(
    asked: Asked,
    only: tuple[str, ...],
    given: tuple[str, ...],
    wheels: Path | None,
    server_wheels: Path | None,
    *,
    yes: bool,
) -> None:
    """Create or update every stack, in order; asks before anything is changed. The jobs' script
    and the city's declarations are put up with them, and wheels when some are given."""
    from cityline.declarations.access import AccessZone  # noqa: PLC0415 - heavy
    from cityline.deploy import code, deploying, planning  # noqa: PLC0415
    from cityline.wiring import cloud_stacks  # noqa: PLC0415

    estate, templates = _estate(asked)
    chosen = deploying.selected(templates, estate.settings, only)
    stacks = cloud_stacks()
    found = planning.plan(chosen, estate.settings, stacks)
    bucket = estate.names.bucket_of(AccessZone.CODE, found.account)
    pieces = code.pieces(estate.folder, wheels, server_wheels)
    put = deploying.Code(bucket, estate.settings.home_region, pieces)
    parameters = {**_from_settings(estate, stacks), **_parsed(given)}
    late = deploying.unfinished(chosen, estate.settings, parameters, stacks, put)
    if not any(found.counts().values()) and not late:
        asked.output.done({"stacks": [], "changes": 0}, "Nothing to do: AWS is as declared.")
        return
    asked.output.talk(_plan_text(found, estate))
    _confirm(f"Deploy this to account {found.account}?", yes=yes)
    made = deploying.apply(chosen, estate.settings, parameters, stacks, asked.output.talk, put)
    data = {"stacks": [{"stack": d.name, "status": d.status, **d.outputs} for d in made]}
    asked.output.done(data, f"{len(made)} stacks stand.\nNext:  cityline deploy aws status")


@aws.command()
@shared
def status(asked: Asked) -> None:
    """Every stack: whether it stands, and whether it is what the declarations say."""
    from cityline.deploy import deploying  # noqa: PLC0415 - heavy
    from cityline.wiring import cloud_stacks  # noqa: PLC0415

    estate, templates = _estate(asked)
    found = deploying.status(templates, estate.settings, cloud_stacks())
    rows = [[s.stack, s.region, s.status, "yes" if s.as_declared else "no", s.why] for s in found]
    headers = ["stack", "region", "status", "as declared", "why"]
    data = [dict(zip(headers, row, strict=True)) for row in rows]
    asked.output.done(data, table(headers, rows, [False] * 5))


@aws.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
def destroy(asked: Asked, *, yes: bool) -> None:
    """Delete every stack with its buckets and keys, and look for what is left. Refused while a
    version in a bucket is locked."""
    from cityline.deploy import deploying  # noqa: PLC0415 - heavy
    from cityline.wiring import cloud_leftovers, cloud_stacks  # noqa: PLC0415

    estate, templates = _estate(asked)
    stacks = cloud_stacks()
    told = f"Delete {estate.settings.prefix} and all its data from account {stacks.account()}?"
    _confirm(told, yes=yes)
    removed = deploying.destroy(
        templates, estate.settings, stacks, cloud_leftovers(), asked.output.talk
    )
    text = f"All gone: {len(removed)} buckets with {sum(removed.values()):,} versions."
    asked.output.done({"versions_deleted": removed}, text)


def _estate(asked: Asked) -> tuple[Estate, dict[str, Template]]:
    from cityline.deploy.render import render  # noqa: PLC0415 - heavy
    from cityline.wiring import open_estate  # noqa: PLC0415

    here = asked.environment == "local"  # the default of every command, which is no cloud
    estate = open_estate(asked.city, "aws" if here else asked.environment)
    return estate, render(estate)


def _confirm(question: str, *, yes: bool) -> None:
    """Ask, unless told not to. Raises UsageError when nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", hint="--yes, when you have read the plan")
    click.confirm(question, abort=True, err=True)


def _from_settings(estate: Estate, stacks: Stacks) -> dict[str, str]:
    """Parameters that the environment, or the account, already has an answer for."""
    settings = estate.settings
    told = {
        "AlarmEmail": settings.alarm_email,
        "Domain": settings.domain,
        "CertificateArn": settings.certificate_arn,
    }
    if settings.site == "server":
        told["S3PrefixList"] = stacks.storage_addresses(settings.home_region)
    return told


def _parsed(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for name, found, _ in pairs:
        if not found or not name:
            raise UsageError(f"--parameter takes NAME=VALUE, not {name!r}")
    return {name: value for name, _, value in pairs}


def _plan_json(found: Plan) -> dict[str, Any]:
    return {
        "account": found.account,
        "counts": found.counts(),
        "changes": [
            {"stack": c.stack, "region": c.region, "action": c.action, "resource": c.resource,
             "type": c.type}
            for c in found.changes
        ],
        "monthly_usd": {name: bill.usd for name, bill in found.bills.items()},
        "bill": {name: _bill_json(bill) for name, bill in found.bills.items()},
    }  # fmt: skip


def _bill_json(bill: Bill) -> list[dict[str, Any]]:
    return [
        {"what": x.what, "item": x.price.item, "region": x.price.region, "quantity": x.quantity,
         "unit": x.price.unit, "usd": round(x.usd, 4), "price_date": x.price.date.isoformat(),
         "basis": x.price.basis, "source": x.price.source}
        for x in bill.lines
    ]  # fmt: skip


def _plan_text(found: Plan, estate: Estate) -> str:
    settings = estate.settings
    by_stack: dict[tuple[str, str], Counter[str]] = {}
    for change in found.changes:
        by_stack.setdefault((change.stack, change.region), Counter())[change.action] += 1
    actions = ("create", "change", "delete")
    rows = [[*key, *(str(told[a] or "") for a in actions)] for key, told in by_stack.items()]
    counts = found.counts()
    lines = [
        f"Account {found.account or 'not asked'} · home {settings.home_region} · "
        f"replica {settings.replica_region}",
        table(["stack", "region", *actions], rows, [False, False, True, True, True]),
        " · ".join(f"{counts[a]} to {a}" for a in actions),
        "",
        *_bill_text(found),
    ]
    return "\n".join(lines)


def _bill_text(found: Plan) -> list[str]:
    expected = found.bills["expected"]
    told = " · ".join(f"{name} {bill.usd:,.2f}" for name, bill in found.bills.items())
    largest = sorted(expected.lines, key=lambda line: -line.usd)
    rows = [
        [line.what, f"{line.quantity:,.1f} {line.price.unit}", f"{line.usd:,.2f}",
         f"{line.price.date} {line.price.basis}"]
        for line in largest[:_SHOWN]
    ]  # fmt: skip
    rest = sum(line.usd for line in largest[_SHOWN:])
    if largest[_SHOWN:]:
        rows.append([f"{len(largest) - _SHOWN} more", "", f"{rest:,.2f}", ""])
    old = expected.old(datetime.now(UTC).date())
    return [
        f"Estimated monthly charge in USD, before tax: {told}",
        table(["expected", "quantity", "USD", "price of"], rows, [False, True, True, False]),
        f"The oldest price is of {expected.oldest}; {len(old)} are older than half a year.",
        "An estimate, not an offer: requests, retries and free tiers of the account differ.",
    ]
