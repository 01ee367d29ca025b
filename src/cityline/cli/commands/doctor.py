"""The doctor on the command line."""

from __future__ import annotations

import rich_click as click

from cityline.cli.opening import Asked, pulling, shared
from cityline.cli.output import table
from cityline.errors import StepError


@click.command()
@pulling
@shared
def doctor(asked: Asked) -> None:
    """Look at the environment, the folder, the disk, the portal and the keys of the zones, and say
    what is missing."""
    from cityline.flow.doctoring import examine, examine_keys, look_at  # noqa: PLC0415 - heavy
    from cityline.watching import open_keys  # noqa: PLC0415

    found = [look_at("declarations", lambda: f"{len(asked.folder().digests)} files, no problems")]
    if found[0].fine:
        found += examine(asked.parts()) + examine_keys(open_keys(asked.folder()))
    told = [
        {"check": f.check, "ok": "yes" if f.fine else "", "told": f.told, "try": f.hint}
        for f in found
    ]
    rows = [["✓" if f.fine else "✗", f.check, f.told, f.hint] for f in found]
    asked.output.done(told, table(["", "check", "found", "try"], rows, [False] * 4))
    bad = [f.check for f in found if not f.fine]
    if bad:
        raise StepError(f"not in order: {', '.join(bad)}", hint="see the last column")
