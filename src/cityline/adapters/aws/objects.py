"""Objects that change: read with their tag and age, written under a condition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from cityline.adapters.aws.buckets import Buckets
from cityline.errors import StoreError, StoreUnreachable

_NOT_SO = ("PreconditionFailed", "412")
_AT_ONCE = ("ConditionalRequestConflict", "409")
"""Another write to it has not ended: perhaps an earlier try of this one, whose answer was lost."""


class Lost(StoreError):
    """Another writer was there first; nothing was written."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it stands: its bytes, its tag, and its age in seconds by the bucket's clock."""

    data: bytes
    tag: str
    age: float


class Objects:
    """Small objects of a lake, never taken from a copy. Raises StoreError and its children."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def get(self, key: str) -> Found | None:
        """An object, or None when there is none."""
        return self._buckets.patiently(key, lambda client: self._get(client, key))

    def put(self, key: str, data: bytes, *, match: str | None = None) -> str:
        """Write an object; returns its tag. `match` is the tag it must still have, and an empty one
        says that there must be none yet. Raises Lost when that is not so."""
        condition = {} if match is None else {"IfMatch": match} if match else {"IfNoneMatch": "*"}
        asked = {**self._buckets.at(key), "Body": data, **condition, **self._buckets.sealed()}
        return self._buckets.patiently(key, lambda client: self._put(client, key, asked))

    def names(self, prefix: str, wanted: Callable[[str], bool], most: int) -> list[str]:
        """The first `most` keys below a prefix that are wanted, in the order of their names."""

        def ask(client: Any) -> list[str]:
            return list(islice(filter(wanted, self._buckets.below(client, prefix)), most))

        return self._buckets.patiently(prefix, ask)

    def _get(self, client: Any, key: str) -> Found | None:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        try:
            told = client.get_object(**self._buckets.at(key))
        except ClientError as error:
            if self._is_none(client, key, error.response.get("Error", {}).get("Code")):
                return None
            raise
        headers = told["ResponseMetadata"]["HTTPHeaders"]
        now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        age = max(0.0, (now - told["LastModified"]).total_seconds())
        return Found(told["Body"].read(), told["ETag"], age)

    def _is_none(self, client: Any, key: str, code: str | None) -> bool:
        """Whether a refusal says that there is no such object. To a role that may list only a part
        of the bucket S3 says `AccessDenied` of what is not there; so it is looked for."""
        if code in ("AccessDenied", "403"):
            at = self._buckets.at(key)
            asked = {"Bucket": at["Bucket"], "Prefix": at["Key"], "MaxKeys": 1}
            found = client.list_objects_v2(**asked).get("Contents", ())
            return at["Key"] not in [o["Key"] for o in found]
        return code in ("NoSuchKey", "404")

    def _put(self, client: Any, key: str, asked: dict[str, Any]) -> str:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

        try:
            tag: str = client.put_object(**asked)["ETag"]
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code not in (*_NOT_SO, *_AT_ONCE):
                raise
            there = self._get(client, key)
            # a first try whose answer was lost has written it: that is no other writer
            if there is not None and there.data == asked["Body"]:
                return there.tag
            where = self._buckets.locate(key)
            if code in _AT_ONCE:
                told, hint = "another write to it is under way", "run again in a minute"
                raise StoreUnreachable(told, where=where, hint=hint) from error
            raise Lost("another writer was there first", where=where) from error
        return tag
