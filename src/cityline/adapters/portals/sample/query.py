"""The part of ODSQL that the sample portal understands; anything else is refused as malformed.

`select` takes fields, `count(*)`, `sum(f)`, `avg(f)`, `min(f)` and `max(f)`, each with `as name`;
`where` takes comparisons joined by `and`; `group_by` takes fields; `order_by` fields and names.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cityline.adapters.portals.sample.tables import Table

_AGGREGATE = re.compile(r"(count|sum|avg|min|max)\((\*|\w+)\)", re.IGNORECASE)
_COMPARISON = re.compile(
    r"""\s*(\w+)\s*(>=|<=|!=|=|>|<)\s*(?:date)?(?:"([^"]*)"|'([^']*)'|(-?\d+(?:\.\d+)?))\s*\Z"""
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
MAX_LIMIT = 100
MAX_WINDOW = 10_000
MAX_GROUPS = 20_000


@dataclass(slots=True)
class Refusal(Exception):
    """The portal's answer no, as `error_code` and `message`."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Selected:
    """One output column: a field, or an aggregate of one (`*` for all rows)."""

    name: str
    field: str
    aggregate: str = ""


def run(table: Table, asked: Mapping[str, str], *, paged: bool) -> tuple[int, list[dict[str, Any]]]:
    """Records that answer a query, and how many there are before limit and offset.

    `paged` applies the caps of the records endpoint; exports have none. Raises Refusal.
    """
    grouped = [g.strip() for g in asked.get("group_by", "").split(",") if g.strip()]
    for name in grouped:
        _known(table, name, "group_by")
    selected = _select(table, asked.get("select", ""), grouped)
    rows = _where(table, asked.get("where", ""))
    if grouped or any(s.aggregate for s in selected):
        records = _aggregate(table, rows, grouped, selected)
        total = len(records) if grouped else len(rows)
        rows = list(range(len(records)))
    else:
        records, total = [], len(rows)
    order = asked.get("order_by", "")
    limit, offset = _window(asked, grouped=bool(grouped)) if paged else _export_window(asked)
    if records:
        records = _ordered(records, order)
        return total, records[offset:][:limit]
    rows = _ordered_rows(table, rows, order)[offset:][:limit]
    return total, [{s.name: table.record(r)[s.field] for s in selected} for r in rows]


def _select(table: Table, text: str, grouped: list[str]) -> list[Selected]:
    parts = [p.strip() for p in text.split(",") if p.strip()]
    if not parts or parts == ["*"]:
        return [Selected(f.name, f.name) for f in table.fields]
    chosen = []
    for part in parts:
        expression, _, name = part.partition(" as ")
        expression = expression.strip()
        match = _AGGREGATE.fullmatch(expression)
        if match is None:
            _known(table, expression, "select")
            chosen.append(Selected(name.strip() or expression, expression))
            continue
        if match[2] != "*":
            _known(table, match[2], "select")
        chosen.append(Selected(name.strip() or expression, match[2], match[1].lower()))
    return [Selected(g, g) for g in grouped] + [s for s in chosen if s.field not in grouped]


def _where(table: Table, text: str) -> list[int]:
    rows = list(range(len(table)))
    for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else []:
        match = _COMPARISON.match(part)
        if match is None:
            raise Refusal(400, "ODSQLError", f"ODSQL query is malformed: {part.strip()[:120]}")
        column = _known(table, match[1], "where")
        number = match[5]
        value: Any = (match[3] or match[4] or "") if number is None else float(number)
        test = _OPERATORS[match[2]]
        cells = table.columns[column]
        if number is not None:
            rows = [r for r in rows if test(float(cells[r]), value)]
        else:
            rows = [r for r in rows if test(str(cells[r]), value)]
    return rows


def _aggregate(
    table: Table, rows: list[int], grouped: list[str], selected: list[Selected]
) -> list[dict[str, Any]]:
    keys = [table.columns[_known(table, g, "group_by")] for g in grouped]
    groups: dict[tuple[Any, ...], list[int]] = {} if grouped else {(): rows}
    if grouped:
        for row in rows:
            groups.setdefault(tuple(k[row] for k in keys), []).append(row)
    made = []
    for key, members in groups.items():
        record: dict[str, Any] = dict(zip(grouped, key, strict=True))
        for item in selected:
            if item.aggregate:
                record[item.name] = _value(table, item, members)
        made.append(record)
    return made


def _value(table: Table, item: Selected, rows: list[int]) -> Any:
    if item.aggregate == "count":
        return len(rows)
    column = _known(table, item.field, "select")
    kind = table.fields[column].type
    values: list[Any] = [table.columns[column][r] for r in rows]
    if kind == "double":
        values = [float(v) for v in values]
    if not values:
        return None
    if item.aggregate in ("sum", "avg"):
        if kind not in ("int", "double"):
            told = f"ODSQL query is malformed: {item.aggregate} of a {kind}."
            raise Refusal(400, "ODSQLError", told)
        return sum(values) / len(values) if item.aggregate == "avg" else sum(values)
    return min(values) if item.aggregate == "min" else max(values)


def _ordered(records: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    for name, reverse in reversed(_order(text)):
        if name not in records[0]:
            raise _unknown(name, "order_by")
        records = sorted(records, key=lambda r: r[name], reverse=reverse)
    return records


def _ordered_rows(table: Table, rows: list[int], text: str) -> list[int]:
    for name, reverse in reversed(_order(text)):
        column = _known(table, name, "order_by")
        cells = table.columns[column]
        numeric = table.fields[column].type in ("int", "double")
        kind: Callable[[Any], Any] = float if numeric else str
        key = {row: kind(cells[row]) for row in rows}
        rows = sorted(rows, key=key.__getitem__, reverse=reverse)
    return rows


def _order(text: str) -> list[tuple[str, bool]]:
    parts = [p.split() for p in text.split(",") if p.strip()]
    return [(p[0], len(p) > 1 and p[1].lower() == "desc") for p in parts]


def _window(asked: Mapping[str, str], *, grouped: bool) -> tuple[int, int]:
    most = MAX_GROUPS if grouped else MAX_LIMIT
    limit, offset = _number(asked, "limit", 10), _number(asked, "offset", 0)
    if not -1 <= limit <= most:
        told = f"{limit} was found but -1 <= limit <= {most} is expected."
        raise Refusal(
            400, "InvalidRESTParameterError", f"Invalid value for limit API parameter: {told}"
        )
    if offset < 0 or (not grouped and offset + max(limit, 0) > MAX_WINDOW):
        told = f"{offset} was found but offset + limit <= {MAX_WINDOW} is expected."
        raise Refusal(
            400, "InvalidRESTParameterError", f"Invalid value for offset API parameter: {told}"
        )
    return (most if limit < 0 else limit), offset


def window(asked: Mapping[str, str]) -> tuple[int, int]:
    """`limit` and `offset` of a list, within the portal's caps. Raises Refusal."""
    return _window(asked, grouped=False)


def _export_window(asked: Mapping[str, str]) -> tuple[int | None, int]:
    limit = _number(asked, "limit", -1)
    return (None if limit < 0 else limit), 0


def _number(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    try:
        return int(asked.get(name, otherwise))
    except ValueError:
        told = f"Invalid value for {name} API parameter: an integer is expected."
        raise Refusal(400, "InvalidRESTParameterError", told) from None


def _known(table: Table, name: str, clause: str) -> int:
    for at, field in enumerate(table.fields):
        if field.name == name:
            return at
    raise _unknown(name, clause)


def _unknown(name: str, clause: str) -> Refusal:
    told = f"ODSQL query is malformed: Unknown field: {name}. "
    return Refusal(400, "ODSQLError", f"{told}Clause(s) containing the error(s): {clause}.")
