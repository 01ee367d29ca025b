"""A finding of any gate, and the one file in which findings are acknowledged."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).with_name("acknowledgements.toml")
_LONGEST_DAYS = 400


@dataclass(frozen=True, slots=True)
class Finding:
    """What a gate says: its rule's id, and `where` as `stack/Resource`."""

    gate: str
    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.gate} {self.rule} {self.where}: {self.what}"


@dataclass(slots=True)
class Acknowledgement:
    """A reason why findings stay, by whom, and until when.

    `rules` are regular expressions over `gate rule`; `resources` patterns over `stack/Resource`.
    """

    id: str
    rules: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
    owner: str
    expires: date
    used: set[str] = field(default_factory=set)

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is one of these; remembers which of its rules was needed."""
        if not any(fnmatchcase(finding.where, p) for p in self.resources):
            return False
        for rule in self.rules:
            if re.fullmatch(rule, f"{finding.gate} {finding.rule}"):
                self.used.add(rule)
                return True
        return False


def read(path: Path = FILE) -> list[Acknowledgement]:
    """Read the file. Raises ValueError for an entry that lacks a part, or two of one id."""
    found: list[Acknowledgement] = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["acknowledgements"]:
        missing = {"id", "rules", "resources", "reason", "owner", "expires"} - set(entry)
        if missing:
            told = ", ".join(sorted(missing))
            raise ValueError(f"{path.name}: {entry.get('id', 'an entry')} has no {told}")
        if len(entry["reason"]) < 20 or any(a.id == entry["id"] for a in found):  # noqa: PLR2004
            raise ValueError(f"{path.name}: {entry['id']} needs a reason and an id of its own")
        rules, resources = tuple(entry.pop("rules")), tuple(entry.pop("resources"))
        found.append(Acknowledgement(rules=rules, resources=resources, **entry))
    return found


def judge(
    findings: Iterable[Finding], acknowledged: list[Acknowledgement], gates: set[str], today: date
) -> tuple[list[str], int]:
    """What fails, as lines, and how many findings are acknowledged.

    A finding nobody acknowledged fails; so does an acknowledgement that has expired, runs longer
    than a year or so, or covers nothing that the gates which ran still say.
    """
    faults: list[str] = []
    count = 0
    for finding in findings:
        covering = [a for a in acknowledged if a.covers(finding)]  # each must see it
        if covering:
            count += 1
        else:
            faults.append(str(finding))
    for entry in acknowledged:
        if entry.expires < today:
            faults.append(f"acknowledgement {entry.id} expired on {entry.expires}: {entry.owner}")
        if (entry.expires - today).days > _LONGEST_DAYS:
            faults.append(f"acknowledgement {entry.id} runs to {entry.expires}: look again sooner")
        for rule in entry.rules:
            if rule.split(" ")[0] in gates and rule not in entry.used:
                faults.append(f"acknowledgement {entry.id} covers nothing any more: {rule}")
    return faults, count
