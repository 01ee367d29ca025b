"""The matrix as a page: docs/reference/conformance.md, made from the cells of a run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.conformance.matrix import Cell

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "conformance.md"
FOUND = ROOT / "build" / "conformance"
"""A file of each engine, so that runs side by side do not write over each other."""
_KINDS = {
    "function": "Functions",
    "construct": "Constructs",
    "operation": "Operations of recipes",
    "rule": "Rules (DQDL)",
    "model": "Models",
    "question": "Questions",
    "mission": "Missions",
    "random": "Random queries",
}
_ENGINES = {"spark": "Spark 3.5.6", "spark4": "Spark 4.1.4", "trino": "Trino 476"}
_SIGNS = {
    "identical": "=",
    "tolerance": "≈",
    "raised": "error on both",
    "refused": "refused",
    "different": "DIFFERENT",
}


def record(cells: Sequence[Cell]) -> None:
    """Keep the verdicts of a run, beside those of its other tests."""
    FOUND.mkdir(parents=True, exist_ok=True)
    for engine in {cell.engine for cell in cells}:
        file = FOUND / f"{engine}.json"
        known = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        for cell in cells:
            if cell.engine == engine:
                known.setdefault(cell.kind, {})[cell.case] = cell.verdict
        file.write_text(json.dumps(known, ensure_ascii=False, sort_keys=True), "utf-8")


def written(day: str) -> str:
    """The page of a run on a day."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for engine in _ENGINES:
        told = json.loads((FOUND / f"{engine}.json").read_text("utf-8"))
        for kind, cases in told.items():
            for case, verdict in cases.items():
                found.setdefault(kind, {}).setdefault(case, {})[engine] = verdict
    lines = [
        _HEAD.replace("{day}", day),
        "| kind | engine | identical | within 1e-9 | error on both | refused | different |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for kind, title in _KINDS.items():
        for engine, name in _ENGINES.items():
            counted = Counter(v[engine] for v in found.get(kind, {}).values() if engine in v)
            if counted:
                counts = " | ".join(str(counted[v]) for v in _SIGNS)
                asked = f", {_asked(found[kind], engine)}" if kind == "random" else ""
                lines.append(f"| {title}{asked} | {name} | {counts} |")
    for kind, title in _KINDS.items():
        if kind == "random":  # one line says it: the cases are a seed's
            continue
        lines += [
            "",
            f"## {title}",
            "",
            f"| case | {' | '.join(_ENGINES.values())} |",
            "|---" * (len(_ENGINES) + 1) + "|",
        ]
        for case, verdicts in sorted(found.get(kind, {}).items()):
            signs = " | ".join(_SIGNS.get(verdicts.get(e, ""), "") for e in _ENGINES)
            lines.append(
                f"| `{case}` | {signs} |".replace("`|", "`\\|")
                if "|" not in case
                else f"| `{case.replace('|', chr(92) + '|')}` | {signs} |"
            )
    return "\n".join(lines) + "\n"


def _asked(cases: dict[str, dict[str, str]], engine: str) -> str:
    return "; ".join(case for case, verdicts in sorted(cases.items()) if engine in verdicts)


_HEAD = """# Conformance matrix

The same cases run on DuckDB 2.0 (the reference), Spark and Trino, over the same rows (nulls, ties,
empty groups, other scripts, leap days, month ends, decimals, NaN, limits, overflow), compared value by value and in order.
`=` is identical; `≈` is identical but for the last digits of a decimal number (relative 1e-9);
*refused* is an error that says what to write instead, where DuckDB answers; *error on both* is a
case that DuckDB refuses too, such as a remainder by zero. An empty cell was not run: operations and
rules run where tables are prepared, which Trino does not do. Nothing may be different: the tests fail. The page is written by `python -m tests.conformance.page` after a run of
those tests, which compare it with what they found.

Run on {day}: DuckDB 2.0, Spark 3.5.6 with Iceberg 1.10.0, Spark 4.1.4 with Iceberg 1.12.0 (both with
their driver in the process of the tests, on two threads), Trino 476. Beside the matrix, a whole city was
prepared, structured and asked on a Spark Connect server of each Spark, and in a session of a job's own.
"""

if __name__ == "__main__":
    PAGE.write_text(written(datetime.now(UTC).date().isoformat()), "utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
