"""Looking for differences: a random query on several engines, and the smallest that still differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cityline.errors import EngineError
from cityline.ports.engine import Engine, Tables
from tests.conformance.generator import Maker, Query
from tests.conformance.matrix import LOUD, plain, same

_TRIES = 80
"""Queries a shrinking may ask."""


@dataclass(slots=True)
class Found:
    """What a number of random queries came to. `refused` were stopped by the linter, `raised` were
    an error on every engine, such as an overflow."""

    asked: int = 0
    told: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def search(
    seed: str, numbers: Sequence[int], reference: Engine, engines: Sequence[Engine], tables: Tables
) -> Found:
    """Ask the queries of a seed by their numbers. The same seed and number make the same query."""
    found = Found()
    asker = Asker(reference, engines, tables)
    for number in numbers:
        query = Maker(f"{seed}-{number}").query()
        found.asked += 1
        for verdict, told in asker.verdicts(query):
            found.told[verdict] += 1
            if verdict == "different":
                least, why = asker.shrunk(query, told)
                found.differences.append(
                    f"seed {seed}-{number} ({query.shape}): {why}\n  {least.sql()}"
                )
                break
    return found


class Asker:
    """Asks one query on every engine."""

    def __init__(self, reference: Engine, engines: Sequence[Engine], tables: Tables) -> None:
        self._reference = reference
        self._engines = engines
        self._tables = tables

    def verdicts(self, query: Query) -> Iterator[tuple[str, str]]:
        """One verdict for a query, or one per item when an error hides the other items."""
        verdict, told = self.verdict(query)
        if verdict in ("alike", "tolerance") or len(query.items) == 1 or query.shape == "set":
            yield verdict, told
            return
        yield from (self.verdict(q) for q in query.alone())

    def verdict(self, query: Query, *engines: Engine) -> tuple[str, str]:
        """How the engines' answers compare, and what differs."""
        sql = query.sql()
        expected = _rows(lambda: self._reference.query(sql, self._tables))
        worst = "alike"
        for engine in engines or self._engines:
            rows = _rows(lambda e=engine: e.query(sql, self._tables))  # type: ignore[misc]
            verdict, told = _compared(expected, rows)
            if verdict == "different":
                return verdict, f"{engine.name}: {told}"
            worst = verdict if verdict != "identical" else worst
        return worst, ""

    def shrunk(self, query: Query, told: str) -> tuple[Query, str]:
        """A simpler query that still differs."""
        tries = _TRIES
        least, why = query, told
        wrong = [e for e in self._engines if told.startswith(f"{e.name}:")]
        smaller: Iterator[Query] = least.alone() if query.shape != "set" else least.smaller()
        while tries:
            candidate = next(smaller, None)
            if candidate is None:
                break
            tries -= 1
            verdict, reason = self.verdict(candidate, *wrong)
            if verdict == "different":
                least, why, smaller = candidate, reason, candidate.smaller()
        return least, why


def _compared(
    expected: list[list[Any]] | EngineError, found: list[list[Any]] | EngineError
) -> tuple[str, str]:
    if isinstance(found, EngineError):
        if found.what.startswith(LOUD):
            return "refused", found.what
        if isinstance(expected, EngineError):
            return "raised", ""
        return "different", f"fails: {found.what}"
    if isinstance(expected, EngineError):
        return "different", f"DuckDB fails: {expected.what}; found {found[:2]}"
    verdict, told = same("", expected, found)
    return ("alike" if verdict == "identical" else verdict), told


def _rows(ask: Callable[[], Any]) -> list[list[Any]] | EngineError:
    try:
        table = ask()
    except EngineError as error:
        return error
    return [[plain(v) for v in row.values()] for row in table.to_pylist()]


def functions_asked(rules: Mapping[str, Sequence[str]]) -> set[str]:
    """Names that stand before a bracket in a grammar's rules."""
    import re  # noqa: PLC0415

    every = " ".join(r for rs in rules.values() for r in rs)
    return {m.lower() for m in re.findall(r"([A-Za-z_0-9]+)\(", every)}
