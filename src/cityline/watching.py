"""From declarations and an environment to what tells how the platform does: gauges, keys
and the trail.

A part of wiring, apart because only those who watch need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cityline.errors import DeclarationError
from cityline.wiring import open_estate, own_home, workgroup

if TYPE_CHECKING:
    from cityline.declarations.environment import Usage
    from cityline.declarations.folder import Folder
    from cityline.ports.gauges import Gauges
    from cityline.ports.keys import Keys
    from cityline.ports.trail import Event, Trail

_MEASURED_DAYS = 30


def open_gauges(folder: Folder, home: Path | None = None) -> Gauges:
    """What tells how the platform does, where the environment runs."""
    if folder.environment.kind == "aws":
        from cityline.adapters.aws.gauges import CloudWatchGauges, Watched  # noqa: PLC0415
        from cityline.deploy.estate import Estate  # noqa: PLC0415
        from cityline.deploy.watched import watched  # noqa: PLC0415

        estate = Estate(folder, {})
        return CloudWatchGauges(lambda account: Watched(**watched(estate, account)))
    return _local_gauges(folder, home, lambda: _estimated(folder, home))


def tell_of_job(folder: Folder, part: str, figures: Mapping[str, float]) -> None:
    """Write what a job did where gauges are read; on one machine the ledger has it already. Raises
    CloudError."""
    if folder.environment.kind == "aws":
        from cityline.adapters.aws.gauges import tell  # noqa: PLC0415 - an extra
        from cityline.deploy.estate import Estate  # noqa: PLC0415
        from cityline.deploy.jobs import role_of  # noqa: PLC0415

        names = Estate(folder, {}).names
        tell(names.home, names.job(role_of(part)), figures)


def open_keys(folder: Folder) -> Keys:
    """Who keeps the zones' keys, where the environment runs."""
    if folder.environment.kind == "aws":
        from cityline.adapters.aws.keys import KmsKeys  # noqa: PLC0415 - an extra
        from cityline.deploy.estate import Estate  # noqa: PLC0415
        from cityline.deploy.watched import keys_of  # noqa: PLC0415

        return KmsKeys(keys_of(Estate(folder, {})))
    from cityline.adapters.local.keys import NoKeys  # noqa: PLC0415

    return NoKeys()


def open_trail(
    folder: Folder, access: Callable[[], Iterable[Event]], home: Path | None = None
) -> Trail:
    """Who did what, where the environment runs. `access` are this machine's events of sign-in."""
    if folder.environment.kind == "aws":
        from cityline.adapters.aws.queries import Queries  # noqa: PLC0415 - an extra
        from cityline.adapters.aws.trail import CloudTrail  # noqa: PLC0415
        from cityline.declarations.access import AccessZone  # noqa: PLC0415
        from cityline.deploy.auditing import AUDITS, TABLE  # noqa: PLC0415
        from cityline.deploy.estate import BILLING_REGION, Estate  # noqa: PLC0415

        estate = Estate(folder, {})
        settings = estate.settings
        table = f"{estate.names.database(AccessZone.TRAIL)}.{TABLE}"
        asked = {a.name: (a.title, a.saved(table, settings.prefix)) for a in AUDITS}
        regions = dict.fromkeys((settings.home_region, settings.replica_region, BILLING_REGION))
        return CloudTrail(list(regions), asked, Queries(workgroup(folder, "audit")))
    from cityline.adapters.local.ledger import SqliteLedger  # noqa: PLC0415
    from cityline.adapters.local.trail import LocalTrail  # noqa: PLC0415

    return LocalTrail(SqliteLedger(own_home(folder, home)), access)


def measured_use(folder: Folder, home: Path | None, declared: Usage) -> Usage | None:
    """A month's use as it was measured here; None before the first release."""
    from cityline.adapters.local.ledger import SqliteLedger  # noqa: PLC0415
    from cityline.deploy.measuring import measured  # noqa: PLC0415

    ledger = SqliteLedger(own_home(folder, home))
    if ledger.current() is None:
        return None
    since = datetime.now(UTC) - timedelta(days=_MEASURED_DAYS)
    receipts = ledger.receipts(limit=1_000_000)
    runs = {r.run for r in receipts if datetime.fromisoformat(r.started) >= since}
    readings = _local_gauges(folder, home, lambda: (None, "")).read(_MEASURED_DAYS)
    return measured(readings, declared, _MEASURED_DAYS, len(runs))


def _local_gauges(
    folder: Folder, home: Path | None, estimate: Callable[[], tuple[float | None, str]]
) -> Gauges:
    from cityline.adapters.local.gauges import LocalGauges  # noqa: PLC0415
    from cityline.adapters.local.ledger import SqliteLedger  # noqa: PLC0415

    at = own_home(folder, home)
    lake = at / "lake" if folder.environment.lake is None else None
    return LocalGauges(lake, SqliteLedger(at), estimate)


def _estimated(folder: Folder, home: Path | None) -> tuple[float | None, str]:
    """What the same work would be charged a month on AWS, as declared in environments/aws.toml."""
    from cityline.deploy.measuring import estimates  # noqa: PLC0415 - only those who deploy need it

    try:
        estate = open_estate(folder.root)
    except DeclarationError as error:
        return None, f"no estimate: {error.what}"
    use = measured_use(folder, home, estate.settings.usage.expected)
    if use is None:
        return None, "no estimate before the first release"
    return estimates(estate, use)["measured"].usd, "estimate of a month of the same work on AWS"
