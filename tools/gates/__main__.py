"""Run the gates over a city's committed templates.

    python -m tools.gates [--city CITY] [GATE …]

Ends with 1 when a finding is not acknowledged, an acknowledgement has expired or is not needed, or
a gate finds nothing in the canary.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tools.gates.canary import STACK, TEMPLATE, sung
from tools.gates.findings import Finding, judge, read
from tools.gates.resolved import resolved
from tools.gates.tools import GATES, ROOT, SPEAKS, Given, NotThere
from tools.templates import ORDER, folder_of

HOME = "ca-central-1"
"""Where the canary would be deployed."""


def given(city: Path) -> Given:
    """The committed templates of a city."""
    folder = folder_of(city)
    order = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    regions = {entry["stack"]: entry["region"] for entry in order}
    committed = {s: json.loads((folder / f"{s}.json").read_text(encoding="utf-8")) for s in regions}
    filled = resolved(committed, regions)
    canary = {STACK: TEMPLATE}
    return Given({**committed, **canary}, {**filled, **canary}, {**regions, STACK: HOME})


def main(argv: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tools.gates")
    parser.add_argument("gates", nargs="*", choices=[*GATES, []], metavar="GATE")
    parser.add_argument("--city", type=Path, default=ROOT / "cities" / "vancouver")
    asked = parser.parse_args(argv)
    chosen = asked.gates or list(GATES)
    templates = given(asked.city)
    found: list[Finding] = []
    for name in chosen:
        began = time.monotonic()
        try:
            told = list(GATES[name](templates))
        except (NotThere, RuntimeError) as error:
            print(f"error: {name}: {error}", file=sys.stderr)
            return 2
        found += told
        real = sum(not f.where.startswith(STACK) for f in told)
        print(f"{name:<11}{real:>4} findings {time.monotonic() - began:6.1f} s")
    speaks = {voice for name in chosen for voice in SPEAKS.get(name, (name,))}
    acknowledged = read()
    found, silent = sung(found, speaks)
    faults, count = judge(found, acknowledged, speaks, datetime.now(UTC).date())
    faults += silent
    for fault in faults:
        print(f"  {fault}", file=sys.stderr)
    print(f"{count} findings acknowledged by {len(acknowledged)} reasons, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
