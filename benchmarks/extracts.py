"""Generated files for the volume job: the inquiry volume of any size, and the centre's metrics."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import httpx

from cityline.adapters.portals.sample import SamplePortal
from cityline.adapters.portals.sample.bulk import Wrote, write_volume

VOLUME, CENTRE = "3-1-1-inquiry-volume", "3-1-1-contact-centre-metrics"


def write_extracts(folder: Path, rows: int) -> tuple[Path, Wrote]:
    """Write both files into a folder; the first one's path, and what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    wrote = write_volume(folder / f"{VOLUME}.csv", rows)
    with SamplePortal(today=date(2026, 8, 17)) as portal:
        url = f"{portal.base_url}/catalog/datasets/{CENTRE}/exports/csv?use_labels=true"
        (folder / f"{CENTRE}.csv").write_bytes(httpx.get(url).content)
    beside = {"generated": True, "data_processed": "2026-08-12T13:50:39+00:00"}
    for name in (VOLUME, CENTRE):
        (folder / f"{name}.csv.json").write_text(json.dumps(beside))
    return folder / f"{VOLUME}.csv", wrote
