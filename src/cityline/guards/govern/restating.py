"""Restatements: what an extract says differently from the one before it, figure by figure.

A publisher corrects old months without saying so. Each pull is compared with the last one by the
key of its rows and, for readers, by fewer columns; nothing here changes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from cityline.lake.version import Version
from cityline.ports.engine import Engine

_MOST = 500
"""Changed figures kept in a receipt, the largest first; how many more there are is kept too."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure: its `by` values as texts in the declared order, and the measure before and after;
    None where the figure was not there."""

    by: tuple[str, ...]
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Restatements:
    """Two versions compared. Rows are counted by the whole key; `new` are (period, total) of
    periods the older version did not have, which are news and no restatement."""

    against: str
    by: tuple[str, ...]
    measure: str
    added: int
    removed: int
    restated: int
    same: int
    total_before: int
    total_after: int
    new: tuple[tuple[str, int], ...]
    changes: tuple[Change, ...]
    more: int

    def to_json(self) -> dict[str, Any]:
        """A plain object for receipts."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            **{
                **data,
                "by": tuple(data["by"]),
                "new": tuple((p, n) for p, n in data["new"]),
                "changes": tuple(
                    Change(tuple(c["by"]), c["before"], c["after"]) for c in data["changes"]
                ),
            }
        )


def compare(
    engine: Engine,
    before: Version,
    after: Version,
    *,
    key: Sequence[str],
    by: Sequence[str],
    measure: str,
) -> Restatements:
    """Compare two versions of a landing table. `by[0]` is the period. Raises EngineError."""
    tables = {"restated.before": before, "restated.after": after}
    rows = engine.query(_rows_sql(key, measure), tables).to_pylist()[0]
    found = engine.query(_figures_sql(by, measure), tables).to_pylist()
    old = {str(r["p"]) for r in engine.query(_periods_sql(by[0]), tables).to_pylist()}
    new: dict[str, int] = {}
    changes: list[Change] = []
    for row in found:
        told = tuple(str(row[f"k{i}"]) for i in range(len(by)))
        if told[0] not in old:
            new[told[0]] = new.get(told[0], 0) + int(row["after"] or 0)
        else:
            changes.append(Change(told, _whole(row["before"]), _whole(row["after"])))
    changes.sort(key=lambda c: (-abs((c.after or 0) - (c.before or 0)), c.by))
    return Restatements(
        against=before.id,
        by=tuple(by),
        measure=measure,
        new=tuple(sorted(new.items())),
        changes=tuple(changes[:_MOST]),
        more=max(0, len(changes) - _MOST),
        **{name: int(value or 0) for name, value in rows.items()},
    )


def _rows_sql(key: Sequence[str], measure: str) -> str:
    columns = ", ".join(map(_quote, key))
    value = _quote(measure)
    return f"""
WITH b AS (SELECT {columns}, sum({value}) AS v FROM restated.before GROUP BY {columns}),
a AS (SELECT {columns}, sum({value}) AS v FROM restated.after GROUP BY {columns}),
j AS (
  SELECT b.v AS was, a.v AS now, b.present AS in_b, a.present AS in_a
  FROM (SELECT *, true AS present FROM b) AS b
  FULL JOIN (SELECT *, true AS present FROM a) AS a
    ON {" AND ".join(f"b.{_quote(k)} IS NOT DISTINCT FROM a.{_quote(k)}" for k in key)}
)
SELECT
  count(*) FILTER (WHERE in_b IS NULL) AS added,
  count(*) FILTER (WHERE in_a IS NULL) AS removed,
  count(*) FILTER (WHERE in_a AND in_b AND was IS DISTINCT FROM now) AS restated,
  count(*) FILTER (WHERE in_a AND in_b AND was IS NOT DISTINCT FROM now) AS same,
  sum(was) AS total_before,
  sum(now) AS total_after
FROM j"""


def _figures_sql(by: Sequence[str], measure: str) -> str:
    value = _quote(measure)
    named = ", ".join(f"CAST({_quote(c)} AS VARCHAR) AS k{i}" for i, c in enumerate(by))
    keys = ", ".join(f"k{i}" for i in range(len(by)))
    same = " AND ".join(f"b.k{i} IS NOT DISTINCT FROM a.k{i}" for i in range(len(by)))
    either = ", ".join(f"coalesce(b.k{i}, a.k{i}) AS k{i}" for i in range(len(by)))
    return f"""
WITH b AS (SELECT {named}, sum({value}) AS v FROM restated.before GROUP BY {keys}),
a AS (SELECT {named}, sum({value}) AS v FROM restated.after GROUP BY {keys})
SELECT {either}, b.v AS before, a.v AS after
FROM b FULL JOIN a ON {same}
WHERE b.v IS DISTINCT FROM a.v
ORDER BY {keys}"""


def _periods_sql(period: str) -> str:
    return f"SELECT DISTINCT CAST({_quote(period)} AS VARCHAR) AS p FROM restated.before"


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
