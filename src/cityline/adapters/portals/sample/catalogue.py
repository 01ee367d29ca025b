"""The sample portal's catalogue entries, in the shape and wording of the real ones.

Titles and texts say that the data are generated; everything else a client reads is as published.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from cityline.adapters.portals.sample.tables import CENTRE, VOLUME, Table

_GENERATED = (
    "<p><strong>Generated sample data, not the City's figures.</strong> Cityline's sample portal "
    "made them to resemble the published dataset.</p>"
)
_TEXTS = {
    VOLUME: (
        "3-1-1 inquiry volume",
        "<div><p>\u200bVolume of inquiries that come into the 3-1-1 Contact Centre via many "
        "channels.<br></p></div> <h3>Note</h3><div><p>\u200bCaller may have more than one inquiry "
        "during a call.</p></div> <h3>Data currency</h3><div><p>The extract on this website is "
        "updated monthly.</p></div>",
    ),
    CENTRE: (
        "3-1-1 contact centre metrics",
        "<div><p>\u200bContact Centre Metrics refer to the number of calls presented, handled, and "
        "abandoned at the Centre.</p></div> <h3>Data currency</h3><div><p>Data extract on this "
        "website is updated monthly.</p></div>",
    ),
}
_DAY_OF_EXTRACT = {VOLUME: (12, 39, 50), CENTRE: (1, 9, 49)}
"""Day of the month, second and minute of an extract, as seen in August 2026."""
_NO_DCAT = ("created", "issued", "creator", "contributor", "accrualperiodicity", "spatial")


def processed_at(dataset: str, today: date) -> datetime:
    """When the extract that holds the last finished month was made.

    Before its usual day of the month the extract counts as made in the month's first hour.
    """
    day, second, minute = _DAY_OF_EXTRACT[dataset]
    usual = datetime(today.year, today.month, day, 13, minute, second, tzinfo=UTC)
    if today > usual.date():
        return usual
    return datetime(today.year, today.month, 1, 0, minute, second, tzinfo=UTC)


def entry(table: Table, today: date) -> dict[str, Any]:
    """`GET /catalog/datasets/{id}`."""
    title, text = _TEXTS[table.id]
    processed = processed_at(table.id, today).isoformat()
    checked = datetime(today.year, today.month, today.day, 0, 49, 31, 460000, tzinfo=UTC)
    return {
        "visibility": "domain",
        "fields": [f.as_json() for f in table.fields],
        "dataset_id": table.id,
        "dataset_uid": f"da_{table.id.replace('-', '')[3:9]}",
        "has_records": True,
        "features": ["analyze", "timeserie"],
        "attachments": [],
        "alternative_exports": [],
        "data_visible": True,
        "metas": {
            "dcat": dict.fromkeys(_NO_DCAT),
            "default": {
                "title": f"{title} (generated sample)",
                "description": _GENERATED + text,
                "theme": ["Government and finance"],
                "keyword": None,
                "license": "Open Government Licence - Vancouver",
                "license_url": "https://opendata.vancouver.ca/pages/licence/",
                "language": "en",
                "metadata_languages": ["en"],
                "timezone": None,
                "modified": processed,
                "modified_updates_on_metadata_change": False,
                "modified_updates_on_data_change": True,
                "data_processed": processed,
                "metadata_processed": checked.isoformat(),
                "publisher": "Cityline sample portal",
                "records_count": len(table),
                "federated": False,
                "update_frequency": None,
            },
            "custom": {"generated": True, "data-team": ["Generated sample"]},
        },
    }


def quota_reset(now: datetime) -> str:
    """Midnight UTC as the portal writes it: a date text, not an epoch."""
    return f"{now.astimezone(UTC).date() + timedelta(days=1)} 00:00:00+00:00"
