"""The page where an analyst types SQL. It reads; each query runs in a process of its own."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from cityline.errors import CitylineError, QueryStopped
from cityline.lake.cost import PRICE_DATE, athena_cost
from cityline.lake.wording import number, size
from cityline.ports.engine import Explored, Limits
from cityline.web.here import client
from cityline.web.routes import Asked

_ROWS = 1000
_EXAMPLE = """SELECT department, sum(inquiries) AS inquiries
FROM curated.department_month
GROUP BY department
ORDER BY inquiries DESC
LIMIT 10"""


def page(asked: Asked) -> Response:
    """An empty page with an example."""
    return _page(asked, _EXAMPLE, None, "", 200)


def run(asked: Asked) -> Response:
    """Run what was typed; as JSON for programs."""
    assert asked.person is not None  # noqa: S101 - the route asks for a role
    here, text = asked.here, asked.form.get("sql", "")
    wait = here.queries.take(asked.person.name)
    if wait:
        answer = _failed(asked, text, "Too many queries. Please wait a moment.", 429)
        answer.headers["retry-after"] = str(int(wait) + 1)
        return answer
    limits = Limits(
        rows=_ROWS,
        seconds=here.settings.query_seconds,
        memory_mb=here.settings.query_memory_mb,
    )
    try:
        found = here.service.explore(text, limits)
    except CitylineError as error:
        _event(asked, text, error.code)
        status = 503 if isinstance(error, QueryStopped) else 400
        hint = f" Try: {error.hint}." if error.hint else ""
        return _failed(asked, text, f"{error.what}.{hint}", status)
    _event(asked, text, "done", rows=found.table.num_rows, bytes=found.bytes_scanned)
    if _wants_json(asked):
        return JSONResponse({"ok": True, **_data(found)})
    return _page(asked, text, found, "", 200)


def _failed(asked: Asked, text: str, problem: str, status: int) -> Response:
    if _wants_json(asked):
        return JSONResponse({"ok": False, "error": problem}, status)
    return _page(asked, text, None, problem, status)


def _page(asked: Asked, text: str, found: Explored | None, problem: str, status: int) -> Response:
    rows = [["" if v is None else str(v) for v in r.values()] for r in _rows(found)]
    tables = asked.here.service.done().tables()
    return asked.here.page(
        asked.request,
        asked.person,
        "sql.html",
        status=status,
        title="SQL",
        sql=text,
        problem=problem,
        columns=found.table.column_names if found else [],
        rows=rows,
        told=_told(found) if found else "",
        tables={n: v.rows for n, v in sorted(tables.items())},
        seconds=asked.here.settings.query_seconds,
        most=_ROWS,
    )


def _rows(found: Explored | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = found.table.to_pylist() if found else []
    return rows


def _told(found: Explored) -> str:
    cut = f", only the first {number(_ROWS)} are shown" if found.truncated else ""
    return (
        f"{number(found.table.num_rows)} rows{cut} · {number(found.rows_scanned)} rows and "
        f"{size(found.bytes_scanned)} scanned · {number(found.milliseconds)} ms · would cost "
        f"US$ {athena_cost(found.bytes_scanned)} on Athena (price of {PRICE_DATE})"
    )


def _data(found: Explored) -> dict[str, Any]:
    texts = [
        {k: v if isinstance(v, int | float | str | bool | None) else str(v) for k, v in r.items()}
        for r in _rows(found)
    ]
    return {
        "columns": found.table.column_names,
        "rows": texts,
        "truncated": found.truncated,
        "statistics": {
            "milliseconds": found.milliseconds,
            "rows_scanned": found.rows_scanned,
            "bytes_scanned": found.bytes_scanned,
            "athena_usd": str(athena_cost(found.bytes_scanned)),
        },
    }


def _wants_json(asked: Asked) -> bool:
    return "application/json" in asked.request.headers.get("accept", "")


def _event(asked: Asked, text: str, result: str, **more: Any) -> None:
    assert asked.person is not None  # noqa: S101 - the route asks for a role
    asked.here.events.write(
        "query",
        asked.person.name,
        text,
        result,
        asked.request.state.request,
        client=client(asked.request),
        **more,
    )
