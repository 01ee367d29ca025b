"""The generator's parameters: rounded figures and word lists of this package, typed.

They describe the published dataset; they are not a part of it. Months are counted from 0 for
January of year 0, so that a difference of two is a number of months.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


def month_number(text: str) -> int:
    """`2009-02` → months since January of year 0."""
    year, month = text.split("-")
    return int(year) * 12 + int(month) - 1


def month_text(number: int) -> str:
    """Months since January of year 0 → `2009-02`."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A type of a department: its share of all inquiries in per cent (2023; 2024 January to July),
    its season's twelve weights, and the months between which it exists."""

    department: int
    type: str
    share_2023: float
    share_2024: float
    season: tuple[float, ...]
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything the volume generator knows. Curves are knots (month or year number → values)."""

    seed: int
    first: int
    channels: tuple[str, ...]
    departments: tuple[str, ...]
    department_shares: tuple[tuple[float, float], ...]
    pairs: tuple[Pair, ...]
    old_names: Mapping[int, tuple[str, int]]
    """Department → the name it was published under, and the last month of it."""
    rows: Mapping[int, float]
    row_shares: Mapping[int, Sequence[float]]
    inquiry_shares: Mapping[int, Sequence[float]]
    mean: Mapping[int, float]
    maximum: Mapping[int, float]
    months: Mapping[str, Sequence[float]]


@cache
def read_parameters() -> Parameters:
    """Read the package's parameter files."""
    data = tomllib.loads(_text("volume.toml"))
    departments = _table("departments.csv")
    names = tuple(d["department"] for d in departments)
    return Parameters(
        seed=data["seed"],
        first=month_number(data["first_month"]),
        channels=tuple(data["channels"]),
        departments=names,
        department_shares=tuple(
            (float(d["share_2023_pct"]), float(d["share_2024_jan_jul_pct"])) for d in departments
        ),
        pairs=_pairs(departments, data["seasons"]),
        old_names={
            names.index(r["current"]): (r["published"], month_number(r["until"]))
            for r in _table("renames.csv")
        },
        rows={month_number(k): float(v) for k, v in data["rows"].items()},
        row_shares={month_number(k): v for k, v in data["row_shares"].items()},
        inquiry_shares={int(k): v for k, v in data["inquiry_shares"].items()},
        mean={int(k): float(v) for k, v in data["mean"].items()},
        maximum={int(k): float(v) for k, v in data["maximum"].items()},
        months=data["months"],
    )


def read_centre_parameters() -> dict[str, Any]:
    """Read the parameters of the contact centre metrics."""
    return tomllib.loads(_text("centre.toml"))


def _pairs(departments: list[dict[str, str]], seasons: Mapping[str, Any]) -> tuple[Pair, ...]:
    types = _table("types.csv")
    pairs = []
    for number, department in enumerate(departments):
        own = [t for t in types if t["department"] == department["department"]]
        total = sum(float(t["weight"]) for t in own)
        for entry in own:
            part = float(entry["weight"]) / total
            pairs.append(
                Pair(
                    department=number,
                    type=entry["type"],
                    share_2023=float(department["share_2023_pct"]) * part,
                    share_2024=float(department["share_2024_jan_jul_pct"]) * part,
                    season=tuple(seasons[entry["season"]]),
                    since=month_number(department["since"] or "0001-01"),
                    until=month_number(department["until"] or "9999-12"),
                )
            )
    return tuple(pairs)


def _text(name: str) -> str:
    folder = resources.files("cityline.adapters.portals.sample") / "fitted"
    return (folder / name).read_text(encoding="utf-8")


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(_text(name).splitlines(), delimiter=";"))
