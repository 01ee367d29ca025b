"""What it costs to say a question in another engine's SQL: milliseconds per query, by target."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from sqlglot import exp

from cityline.declarations.folder import read_folder
from cityline.dialect import emit
from cityline.dialect.syntax import parse
from cityline.errors import EngineError

_KINDS = {
    **dict.fromkeys(("source", "department", "department_current", "department_code"), "VARCHAR"),
    **dict.fromkeys(("channel", "inquiry_type"), "VARCHAR"),
    **dict.fromkeys(("month", "date", "extracted_on", "collection_began"), "DATE"),
    **dict.fromkeys(("first_month", "last_month"), "DATE"),
    **dict.fromkeys(("month_complete", "year_complete", "has_rows"), "BOOLEAN"),
}
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Every model of Vancouver, twenty times."""
    folder = read_folder(ROOT / "cities" / "vancouver", "local")
    for target in ("spark", "trino"):
        spent = []
        for model in folder.models.values():
            schemas = {r: _columns(model.sql) for r in model.reads}
            for _ in range(20):
                began = time.perf_counter()
                try:
                    emit(model.sql, target, schemas)
                except EngineError as error:
                    print(model.name, error)
                    break
                spent.append((time.perf_counter() - began) * 1000)
        print(f"{target}: median {statistics.median(spent):.1f} ms, longest {max(spent):.1f} ms")


def _columns(sql: str) -> dict[str, str]:
    """The columns a model reads, with types by their names, as Vancouver's have them."""
    names = sorted({c.name for c in parse(sql).find_all(exp.Column)})
    return {name: _KINDS.get(name, "BIGINT") for name in names}


if __name__ == "__main__":
    main()
