"""Discover: what a portal offers, and a draft of a source for a person to read and sign.

A draft holds what the portal says and guesses that follow from it; it is never signed here, and
`ingest` refuses it until somebody has put a name to it.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cityline.ports.portal import Dataset, Portal, PortalField

_TYPES = {
    "text": "text",
    "int": "integer",
    "double": "decimal",
    "date": "date",
    "datetime": "timestamp",
}
"""The portal's words for types and ours; what is not among them comes as text."""
_CADENCES = {
    "daily": r"\bdaily\b|\bevery (week)?day\b",
    "weekly": r"\bweekly\b|\bevery week\b",
    "monthly": r"\bmonthly\b|\bevery month\b",
    "yearly": r"\b(yearly|annually|annual)\b|\bevery year\b",
}
_ROW_NUMBERS = ("bi_id", "objectid", "rowid", "row_number", "fid")
_ATTRIBUTIONS = {
    "Open Government Licence - Vancouver": (
        "Contains information licensed under the Open Government Licence – Vancouver."
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A dataset in a list: `rows` is None when nobody has counted."""

    id: str
    title: str
    rows: int | None
    data_processed: str
    licence: str
    generated: bool


@dataclass(frozen=True, slots=True)
class Described:
    """A dataset in full: its row, where it is, what the portal says of it in plain text, fields."""

    row: Row
    address: str
    text: str
    fields: tuple[PortalField, ...]


def search(portal: Portal, text: str, limit: int) -> tuple[int, list[Row]]:
    """Datasets matching a text, best first, and how many match in all. Raises SourceError."""
    total, found = portal.search(text, limit)
    return total, [_row(d) for d in found]


def describe(portal: Portal, dataset: str) -> Described:
    """One dataset. Raises SourceError."""
    found = portal.describe(dataset)
    return Described(_row(found), found.address, plain_text(found.description), found.fields)


def draft_source(dataset: Dataset) -> str:
    """A source declaration as TOML, marked as a draft, with a comment where a person must judge."""
    names = _names(dataset.fields)
    types = {f.name: _type(f, dataset.metadata) for f in dataset.fields}
    numbers = {f.name for f in dataset.fields if _is_row_number(f)}
    measure = _measure(dataset.fields, types, numbers)
    grain = [
        names[f.name]
        for f in dataset.fields
        if types[f.name] not in ("integer", "decimal") and f.name not in numbers
    ]
    lines = [*_head(dataset), *_key(grain, names.get(measure, "")), *_FORMAT]
    for field in dataset.fields:
        lines += ["", "[[fields]]", f"name = {_toml(names[field.name])}"]
        lines += [f"label = {_toml(field.label)}", f'type = "{types[field.name]}"']
        if names[field.name] in grain or field.name == measure:
            lines.append("required = true")
        if field.name in numbers:
            lines.append("row_number = true")
        if field.description:
            lines.append(f"description = {_toml(plain_text(field.description))}")
    return "\n".join([*lines, ""])


def plain_text(text: str) -> str:
    """HTML from a catalogue as one line of text."""
    return " ".join(html.unescape(re.sub(r"<[^<>]*>", " ", text)).split())


_FORMAT = ("", "[format]", 'delimiter = ";"', 'encoding = "utf-8"', "max_bytes = 200_000_000")


def _row(dataset: Dataset) -> Row:
    return Row(
        dataset.id,
        dataset.title,
        dataset.records_count,
        dataset.data_processed,
        dataset.licence,
        dataset.generated,
    )


def _head(dataset: Dataset) -> list[str]:
    default = _default(dataset.metadata)
    portal = dataset.address.partition("/catalog/datasets/")[0]
    attribution = _ATTRIBUTIONS.get(dataset.licence, "")
    lines = [
        "# A draft made from the portal's catalogue. Read it, mend what is wrong, then sign:",
        '# set status = "signed" and put your name into signed_by.',
    ]
    if dataset.generated:
        lines.append("# This portal serves GENERATED data, not a city's.")
    if not attribution:
        lines.append("# attribution: write the sentence that the licence asks for.")
    return [
        *lines,
        'status = "draft"',
        'signed_by = ""',
        f"title = {_toml(dataset.title or dataset.id)}",
        f"description = {_toml(plain_text(dataset.description))}",
        f"portal = {_toml(portal)}",
        f"dataset = {_toml(dataset.id)}",
        f"licence = {_toml(dataset.licence)}",
        f"licence_url = {_toml(str(default.get('license_url') or ''))}",
        f"attribution = {_toml(attribution)}",
        f'cadence = "{_cadence(dataset, default)}"          # a guess from the portal\'s words',
    ]


def _key(grain: list[str], measure: str) -> list[str]:
    listed = ", ".join(_toml(name) for name in grain)
    lines = [f"grain = [{listed}]          # a guess: the columns that make a row unique"]
    if measure:
        lines.append(f"measure = {_toml(measure)}          # a guess: the column that is summed")
    return lines


def _cadence(dataset: Dataset, default: Mapping[str, Any]) -> str:
    told = f"{default.get('update_frequency') or ''} {plain_text(dataset.description)}".lower()
    for cadence, pattern in _CADENCES.items():
        if re.search(pattern, told):
            return cadence
    return "irregular"


def _names(fields: tuple[PortalField, ...]) -> dict[str, str]:
    """The portal's names as names here: lower case, digits not first, none twice."""
    made: dict[str, str] = {}
    for field in fields:
        plain = re.sub(r"[^a-z0-9]+", "_", field.name.lower()).strip("_") or "column"
        name = plain if plain[0].isalpha() else f"column_{plain}"
        taken, stem, number = set(made.values()), name, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        made[field.name] = name
    return made


def _type(field: PortalField, metadata: Mapping[str, Any]) -> str:
    kind = _TYPES.get(field.type, "text")
    if kind == "date" and _precision(field, metadata) == "month":
        return "month"
    return kind


def _precision(field: PortalField, metadata: Mapping[str, Any]) -> str:
    """The portal's own word for a date's precision; else what the name says."""
    for entry in metadata.get("fields") or ():
        if isinstance(entry, dict) and entry.get("name") == field.name:
            told = (entry.get("annotations") or {}).get("timeserie_precision")
            if told:
                return str(told)
    return "month" if re.search(r"(^|_)month$", field.name) else "day"


def _is_row_number(field: PortalField) -> bool:
    return field.type == "int" and field.name.lower() in _ROW_NUMBERS


def _measure(fields: tuple[PortalField, ...], types: Mapping[str, str], numbers: set[str]) -> str:
    """The one whole number of a table; nothing when there are several or none."""
    whole = [f.name for f in fields if types[f.name] == "integer" and f.name not in numbers]
    return whole[0] if len(whole) == 1 else ""


def _default(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    default = (metadata.get("metas") or {}).get("default") or {}
    return default if isinstance(default, dict) else {}


def _toml(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's but for one character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
