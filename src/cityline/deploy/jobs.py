"""The way as jobs: which there are, in what order, and what each may write."""

from __future__ import annotations

from cityline.declarations.access import AccessZone

WAY = {
    "ingest": AccessZone.RAW,
    "prepare": AccessZone.LANDING,
    "structure": AccessZone.CURATED,
    "publisher": AccessZone.SITE,
}
"""The jobs in order, each by the role it takes and the zone it writes."""

BAD_ENDS = ("ERROR", "FAILED", "TIMEOUT")
"""How a run of a job ends badly. Who stops one knows."""

LOG_STREAMS = ("error", "output")
"""What Glue keeps of a run: Spark's and Python's own lines, and what the job says."""

_PARTS = {"publisher": "publish", "server": "serve"}


def part_of(role: str) -> str:
    """The part of the way a role's job does."""
    return _PARTS.get(role, role)


def role_of(part: str) -> str:
    """The role that does a part of the way, or serves."""
    return next((role for role, does in _PARTS.items() if does == part), part)


def written_by(part: str) -> AccessZone:
    """The zone that a part of the way writes; curated for whoever does no part."""
    return next((z for role, z in WAY.items() if part_of(role) == part), AccessZone.CURATED)
