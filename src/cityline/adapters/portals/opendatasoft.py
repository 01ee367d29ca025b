"""The Explore API v2.1 of Opendatasoft (Huwise) portals, Vancouver's among them.

Tables come through exports: paging is not repeatable there and ends at 10,000 rows. The language
is always asked for, because the API's own default is French.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from cityline.adapters.portals.http import HttpClient, Timing
from cityline.adapters.portals.refusals import as_object, excerpt, message
from cityline.errors import SourceDamaged
from cityline.ports.portal import Dataset, Download, PortalField

SAMPLE_HEADER = "x-cityline-sample"
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_PAGE = 100
_WINDOW = 10_000
_EXPORT = {"lang": "en", "use_labels": "true", "delimiter": ";", "with_bom": "true"}
_LATER = "the portal may be at work on it; try again later"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the portal is. The key goes into a header, never into an address or a log.

    `allowed_hosts` are other hosts to which the portal may redirect, over https.
    """

    base_url: str
    timing: Timing = field(default_factory=Timing)
    key: SecretStr | None = None
    allowed_hosts: tuple[str, ...] = ()


class OpendatasoftPortal:
    """Implements `ports.portal.Portal`."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.base_url.rstrip("/")
        secret = settings.key.get_secret_value() if settings.key else ""
        secrets = {"Authorization": f"Apikey {secret}"} if secret else {}
        self._http = HttpClient(self._base, settings.timing, secrets, settings.allowed_hosts)

    def search(self, text: str, limit: int) -> tuple[int, list[Dataset]]:
        """Datasets whose texts match, as the portal ranks them (its matching is by prefix)."""
        found: dict[str, Dataset] = {}
        total = offset = 0
        while offset < min(limit, _WINDOW):
            size = min(_PAGE, limit - offset, _WINDOW - offset)
            total, page = self._page(text, size, offset)
            found |= {d.id: d for d in page}
            offset += size
            if len(page) < size:
                break
        return total, list(found.values())

    def describe(self, dataset: str) -> Dataset:
        """One dataset."""
        url = f"{self._base}/catalog/datasets/{quote(dataset, safe='')}"
        data, headers = self._http.json(url, {"lang": "en"})
        return self._dataset(data, headers, url)

    def export(self, dataset: str, into: Path, max_bytes: int) -> Download:
        """The whole table as CSV, its header the portal's labels."""
        url = f"{self._base}/catalog/datasets/{quote(dataset, safe='')}/exports/csv"

        def check(content_type: str, first: bytes) -> None:
            _check_table(content_type, first, url)

        return self._http.download(url, _EXPORT, into, max_bytes, check)

    def _page(self, text: str, size: int, offset: int) -> tuple[int, list[Dataset]]:
        parameters = {"limit": str(size), "offset": str(offset), "lang": "en"}
        if text.strip():
            quoted = re.sub(r'[\\"]', " ", text)
            parameters["where"] = f'search("{quoted}")'
        url = f"{self._base}/catalog/datasets"
        data, headers = self._http.json(url, parameters)
        match data:
            case {"total_count": int(total), "results": list(results)}:
                return total, [self._dataset(r, headers, url) for r in results]
        raise _not(data, "a list of datasets", url)

    def _dataset(self, data: Any, headers: Mapping[str, str], url: str) -> Dataset:
        match data:
            case {"dataset_id": str(identity), "fields": list(fields)}:
                default = _object(_object(data.get("metas")).get("default"))
            case _:
                raise _not(data, "a description of a dataset", url)
        count = default.get("records_count")
        return Dataset(
            id=identity,
            title=_clean(default.get("title")),
            description=_clean(default.get("description")),
            licence=_clean(default.get("license")),
            fields=tuple(_field(f, url) for f in fields),
            records_count=count if isinstance(count, int) else None,
            data_processed=_clean(default.get("data_processed")),
            modified=_clean(default.get("modified")),
            address=f"{self._base}/catalog/datasets/{quote(identity, safe='')}",
            generated=headers.get(SAMPLE_HEADER, "") == "generated",
            metadata=data,
        )


def _field(data: Any, url: str) -> PortalField:
    match data:
        case {"name": str(name)}:
            return PortalField(
                name=name,
                label=_clean(data.get("label") or name),
                type=_clean(data.get("type")),
                description=_clean(data.get("description")),
            )
    raise _not(data, "a description of a field", url)


def _check_table(content_type: str, first: bytes, url: str) -> None:
    """Refuse what is plainly no table: nothing, a web page, or an error with status 200."""
    kind = content_type.partition(";")[0].strip().lower()
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise SourceDamaged("the portal sent an empty body", where=url, hint=_LATER)
    if kind.endswith("json") or start.startswith((b"{", b"[")):
        told = message(first) if as_object(first) else excerpt(first)
        raise SourceDamaged(f"the portal sent JSON, not a table: {told}", where=url, hint=_LATER)
    if kind in ("text/html", "application/xhtml+xml") or start.startswith(b"<"):
        what = f"the portal sent a web page, not a table: {excerpt(first)}"
        raise SourceDamaged(what, where=url, hint=_LATER)


def _not(data: Any, wanted: str, url: str) -> SourceDamaged:
    told = message(json.dumps(data).encode())
    return SourceDamaged(f"the portal sent not {wanted} but: {told}", where=url, hint=_LATER)


def _object(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _clean(text: Any) -> str:
    """Catalogue texts hold zero-width characters; labels may begin with a byte order mark."""
    return _INVISIBLE.sub("", str(text or "")).strip()
