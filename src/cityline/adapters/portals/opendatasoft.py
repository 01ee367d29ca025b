"""The Explore API v2.1 of Opendatasoft (Huwise) portals, Vancouver's among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from cityline.adapters.portals.http import HttpClient, Timing
from cityline.errors import SourceDamaged
from cityline.ports.portal import Dataset, Download, PortalField

SAMPLE_HEADER = "x-cityline-sample"
_INVISIBLE = re.compile("[\u200b\u200c\u200d\ufeff]")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the portal is. The key goes into a header, never into an address or a log."""

    base_url: str
    timing: Timing = field(default_factory=Timing)
    key: SecretStr | None = None


class OpendatasoftPortal:
    """Implements `ports.portal.Portal`."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.base_url.rstrip("/")
        secret = settings.key.get_secret_value() if settings.key else ""
        headers = {"Authorization": f"Apikey {secret}"} if secret else {}
        self._http = HttpClient(settings.timing, headers)

    def search(self, text: str, limit: int) -> tuple[int, list[Dataset]]:
        """Datasets whose texts match, as the portal ranks them (its matching is by prefix)."""
        parameters = {"limit": str(min(limit, 100)), "lang": "en"}
        if text:
            quoted = text.replace("\\", " ").replace('"', " ")
            parameters["where"] = f'search("{quoted}")'
        url = f"{self._base}/catalog/datasets"
        data, headers = self._http.json(url, parameters)
        if not isinstance(data, dict) or "results" not in data:
            raise SourceDamaged(f"not a catalogue: {str(data)[:120]}", where=url)
        return int(data["total_count"]), [self._dataset(d, headers) for d in data["results"]]

    def describe(self, dataset: str) -> Dataset:
        """One dataset."""
        url = f"{self._base}/catalog/datasets/{quote(dataset, safe='')}"
        data, headers = self._http.json(url, {"lang": "en"})
        if not isinstance(data, dict) or "dataset_id" not in data:
            what = f"the portal sent no description of {dataset} but: {str(data)[:120]}"
            raise SourceDamaged(what, where=url, hint="try again later")
        return self._dataset(data, headers)

    def export(self, dataset: str, into: Path, max_bytes: int) -> Download:
        """The whole table as CSV with labels; paging would not be repeatable."""
        url = f"{self._base}/catalog/datasets/{quote(dataset, safe='')}/exports/csv"
        parameters = {
            "lang": "en",
            "use_labels": "true",
            "delimiter": ";",
            "with_bom": "true",
        }
        return self._http.download(url, parameters, into, max_bytes)

    def _dataset(self, data: Mapping[str, Any], headers: Mapping[str, str]) -> Dataset:
        default = (data.get("metas") or {}).get("default") or {}
        identity = str(data["dataset_id"])
        return Dataset(
            id=identity,
            title=_clean(default.get("title")),
            description=_clean(default.get("description")),
            licence=_clean(default.get("license")),
            fields=tuple(_field(f) for f in data.get("fields") or ()),
            records_count=int(default.get("records_count") or 0),
            data_processed=str(default.get("data_processed") or ""),
            modified=str(default.get("modified") or ""),
            address=f"{self._base}/catalog/datasets/{identity}",
            generated=headers.get(SAMPLE_HEADER, "") == "generated",
            metadata=data,
        )


def _field(data: Mapping[str, Any]) -> PortalField:
    return PortalField(
        name=str(data["name"]),
        label=_clean(data.get("label") or data["name"]),
        type=str(data.get("type") or ""),
        description=_clean(data.get("description")),
    )


def _clean(text: Any) -> str:
    """Catalogue texts hold zero-width characters; labels may begin with a BOM."""
    return _INVISIBLE.sub("", str(text or "")).strip()
