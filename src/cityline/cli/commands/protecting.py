"""Protecting: who may do what, where, and how long things are kept, as one table to read."""

from __future__ import annotations

from typing import Any

import rich_click as click

from cityline.cli.opening import Asked, shared
from cityline.cli.output import table
from cityline.declarations.access import Access, AccessZone, Verb
from cityline.declarations.reading import nearest
from cityline.declarations.retention import Retention
from cityline.errors import UsageError
from cityline.guards.protect import Reach, decide, matrix, reach

_LETTERS = {Verb.READ: "r", Verb.WRITE: "w", Verb.PUBLISH: "p", Verb.DELETE: "d"}
_LEGEND = "r read · w write · p publish · d delete · a administer · ( ) some datasets only"


@click.command()
@click.argument("role", required=False)
@shared
def access(asked: Asked, role: str | None) -> None:
    """Who may do what in which zone; with a ROLE, each cell with the line that decides it."""
    folder = asked.folder()
    if folder.access is None:
        what = "the city has no access policy, so nobody is granted anything"
        raise UsageError(what, where="policies/access.toml", hint="copy one from cityline init")
    policy, roles = folder.access, list(folder.access.roles)
    if role is not None and role not in roles:
        raise UsageError(f"no role {role!r}", hint=nearest(role, roles))
    cells = [c for c in matrix(policy) if role in (None, c.role)]
    data = {
        "roles": {n: r.says for n, r in policy.roles.items() if role in (None, n)},
        "cells": [
            {
                "role": c.role, "zone": c.zone.value, "verb": c.verb.value,
                "dataset": c.dataset or "*", "allowed": c.decision.allowed,
                "reason": c.decision.reason,
            }
            for c in cells
        ],
        "kept": _kept(folder.retention),
    }  # fmt: skip
    text = _one(policy, role) if role else _all(policy, folder.retention)
    asked.output.done(data, text)


def _all(policy: Access, retention: Retention | None) -> str:
    headers = ["role", *AccessZone]
    rows = [[r, *(_cell(policy, r, z) for z in AccessZone)] for r in policy.roles]
    shown = table(headers, rows, [False] * len(headers))
    kept = [
        [k["zone"], k["class"], str(k["at_least"]), str(k["at_most"] or "while current"), k["lock"]]
        for k in _kept(retention)
    ]
    heads = ["zone", "class", "days at least", "days at most", "lock"]
    days = table(heads, kept, [False, False, True, True, False]) if kept else ""
    return "\n".join([shown, _LEGEND, *(["", days] if days else [])])


def _cell(policy: Access, role: str, zone: AccessZone) -> str:
    told = "".join(_letter(verb, reach(policy, role, verb, zone)) for verb in Verb)
    return told or "·"


def _letter(verb: Verb, found: Reach) -> str:
    letter = _LETTERS.get(verb, "a")
    if found.all_others and not found.without:
        return letter
    return f"({letter})" if found.any else ""


def _one(policy: Access, role: str) -> str:
    """One role: every zone and verb that is allowed, with the reason, then what denials say."""
    rows = []
    for zone in AccessZone:
        for verb in Verb:
            found = reach(policy, role, verb, zone)
            if found.any:
                of = found.only[0] if found.only else ""
                which = ", ".join(found.only) or "all"
                if found.without:
                    which += f" but {', '.join(found.without)}"
                rows.append([zone, verb, which, decide(policy, role, verb, zone, of).reason])
    says = policy.roles[role].says
    door = policy.roles[role].through
    if not rows:
        return f"{says}\nNothing is granted{f'; it asks {door}' if door else ''}."
    heads = ["zone", "verb", "datasets", "because"]
    return f"{says}\n{table(heads, rows, [False] * 4)}\nEverything else is denied."


def _kept(retention: Retention | None) -> list[dict[str, Any]]:
    return [
        {
            "zone": k.zone.value, "class": k.data_class.value if k.data_class else "*",
            "at_least": k.minimum_days, "at_most": k.maximum_days, "lock": k.lock or "",
            "held": [h.id for h in retention.held(k.zone)], "why": k.why,
        }
        for k in retention.keep
    ] if retention else []  # fmt: skip
