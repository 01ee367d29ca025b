"""Discover: a dataset's description as a draft source, for a person to read and sign."""

from __future__ import annotations

import json
import re

from cityline.ports.portal import Dataset, PortalField

_TYPES = {"int": "integer", "double": "decimal", "date": "date", "datetime": "timestamp"}


def draft_source(dataset: Dataset) -> str:
    """A source declaration in TOML with what the portal says, and TODOs where only a person knows.

    It is a draft: `ingest` refuses it until somebody sets `status = "signed"`.
    """
    columns = [f for f in dataset.fields if _TYPES.get(f.type, "text") == "text"]
    grain = ", ".join(_text(_name(f)) for f in columns) or _text(_name(dataset.fields[0]))
    portal = dataset.address.partition("/catalog/")[0]
    lines = [
        "#:schema ../schemas/source.schema.json",
        "# A draft from the portal's catalogue. Read every line, then sign it.",
        'status = "draft"',
        'signed_by = ""',
        f"title = {_text(dataset.title or dataset.id)}",
        f"description = {_text(_plain(dataset.description))}",
        f"portal = {_text(portal)}",
        f"dataset = {_text(dataset.id)}",
        f"licence = {_text(dataset.licence)}",
        'licence_url = ""  # where the licence can be read',
        'attribution = ""  # the sentence the licence asks for, to the letter',
        'cadence = "irregular"  # daily, weekly, monthly, yearly or irregular',
        f"grain = [{grain}]  # the columns that together name one row",
        '# measure = "…"  # the column that is counted, if there is one',
        "",
        "[format]",
        'delimiter = ";"',
        'encoding = "utf-8"',
        f"# {dataset.records_count} rows, data processed {dataset.data_processed}",
    ]
    for field in dataset.fields:
        lines += ["", *_field(field)]
    return "\n".join(lines) + "\n"


def _field(field: PortalField) -> list[str]:
    return [
        "[[fields]]",
        f"name = {_text(_name(field))}",
        f"label = {_text(field.label)}",
        f"type = {_text(_TYPES.get(field.type, 'text'))}",
        f"description = {_text(_plain(field.description))}",
    ]


def _name(field: PortalField) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", field.name.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"c_{plain}"


def _plain(text: str) -> str:
    """Portal descriptions are HTML; a declaration holds their words."""
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def _text(value: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(value, ensure_ascii=False)
