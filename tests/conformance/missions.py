"""The mission queries: what analysts ask of the curated tables, read from `missions.sql`."""

from __future__ import annotations

from pathlib import Path

_FILE = Path(__file__).with_name("missions.sql")


def missions() -> dict[str, str]:
    """SQL by the name of the mission."""
    _, *told = ("\n" + _FILE.read_text("utf-8")).split("\n--# ")
    named = (part.partition("\n") for part in told)
    return {name.strip(): sql.strip() for name, _, sql in named}
