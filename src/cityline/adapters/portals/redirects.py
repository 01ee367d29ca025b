"""Which redirects are followed: the same place, its safer twin, or hosts a person has named.

A portal must not be able to send the program to this machine, to a cloud's metadata address, to a
file, or to somebody else's server.
"""

from __future__ import annotations

from collections.abc import Collection

import httpx

from cityline.errors import SourceRefused


def next_address(
    current: httpx.URL, location: str, allowed_hosts: Collection[str], where: str
) -> httpx.URL:
    """The address a redirect leads to. Raises SourceRefused for one that is not allowed."""
    try:
        target = current.join(location)
    except httpx.InvalidURL:
        target = httpx.URL("")
    if location and (_same_place(current, target) or _named(target, allowed_hosts)):
        return target
    what = f"the portal redirects elsewhere, which is not followed: {location[:200] or 'nowhere'}"
    hint = "declare the new address in the source if it is right"
    raise SourceRefused(what, where=where, hint=hint)


def keeps_key(start: httpx.URL, target: httpx.URL) -> bool:
    """Whether a secret sent to one address may go to another: only to the same place."""
    return target == start or _same_place(start, target)


def _same_place(current: httpx.URL, target: httpx.URL) -> bool:
    if target.host != current.host or target.userinfo:
        return False
    if target.scheme == current.scheme:
        return target.port == current.port
    default = current.port is None and target.port is None
    return default and (current.scheme, target.scheme) == ("http", "https")


def _named(target: httpx.URL, allowed_hosts: Collection[str]) -> bool:
    plain = target.port is None and not target.userinfo
    return plain and target.scheme == "https" and target.host in allowed_hosts
