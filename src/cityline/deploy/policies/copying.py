"""Copying: which roles copy, and what is copied into the second region."""

from __future__ import annotations

from cityline.declarations.access import Access, AccessZone, Verb
from cityline.guards.protect import may


def roles_that_copy(access: Access) -> list[str]:
    """The roles that S3 takes on to copy versions into the second region."""
    return [n for n, r in access.roles.items() if "s3" in r.assumed_by]


def replicated(access: Access) -> list[AccessZone]:
    """The zones of which a copy is kept in the second region: those the copying role may read."""
    copying = roles_that_copy(access)
    return [z for z in AccessZone if any(may(access, r, Verb.READ, z) for r in copying)]
