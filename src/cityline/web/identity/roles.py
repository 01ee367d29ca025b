"""Roles, and what each may do. Whoever has none reads what is public and nothing else."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """One person has exactly one role."""

    VIEWER = "viewer"
    ANALYST = "analyst"
    STEWARD = "steward"
    ADMIN = "admin"
    AUDITOR = "auditor"


PUBLIC = None
"""The role of a route that needs no sign-in."""

_LADDER = (Role.VIEWER, Role.ANALYST, Role.STEWARD, Role.ADMIN)


def allows(have: Role | None, need: Role | None) -> bool:
    """Whether a role suffices. Each step of the ladder includes those below; the auditor reads and
    audits, and nobody else audits, so that who runs the place does not judge it."""
    if need is PUBLIC:
        return True
    if have is None:
        return False
    if need is Role.AUDITOR or have is Role.AUDITOR:
        return need in (have, Role.VIEWER)
    return _LADDER.index(have) >= _LADDER.index(need)
