"""Buckets and the way to ask them: which bucket a key lies in, one client, one patience."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cityline.adapters.aws.clients import session
from cityline.adapters.aws.refusals import bucket_errors
from cityline.errors import StoreError, StoreUnreachable

if TYPE_CHECKING:
    from cityline.declarations.environment import Lake

_T = TypeVar("_T")


class Buckets:
    """A lake's bucket, or several: `places` names the bucket of each first segment of a key that
    does not lie in the lake's own.

    Nothing is asked before the first use. Raises MissingExtra without boto3.
    """

    def __init__(self, lake: Lake, places: Mapping[str, str] | None = None) -> None:
        self.lake = lake
        self._places = dict(places or {})
        self._opened: Any = None
        self._lock = threading.Lock()

    @property
    def roots(self) -> list[str]:
        """Every bucket, the lake's own first."""
        return list(dict.fromkeys((self.lake.bucket, *self._places.values())))

    def bucket(self, key: str) -> str:
        """The bucket that holds a key."""
        return self._places.get(key.partition("/")[0], self.lake.bucket)

    def name(self, key: str) -> str:
        """The object's whole name. Raises StoreError for a key that would leave the prefix."""
        if key.startswith("/") or ".." in key.split("/"):
            raise StoreError("a key may not leave the store", where=key)
        prefix = self.lake.prefix
        return f"{prefix}/{key}" if prefix else key

    def locate(self, key: str) -> str:
        """The URI of a key."""
        return f"s3://{self.bucket(key)}/{self.name(key)}"

    def at(self, key: str) -> dict[str, str]:
        """The key as a request names it."""
        return {"Bucket": self.bucket(key), "Key": self.name(key)}

    def patiently(self, key: str, ask: Callable[[Any], _T]) -> _T:
        """Ask until it is done, is refused for good, or the time is up; what may pass is asked
        again after a pause."""
        from tenacity import (  # noqa: PLC0415 - only a bucket is asked again
            Retrying,
            retry_if_exception_type,
            stop_before_delay,
            wait_random_exponential,
        )

        client = self._client()
        retrying = Retrying(
            stop=stop_before_delay(self.lake.deadline),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            retry=retry_if_exception_type(StoreUnreachable),
            reraise=True,
        )

        def once() -> _T:
            with bucket_errors(self.locate(key)):
                return ask(client)

        return retrying(once)

    def sealed(self) -> dict[str, str]:
        """What a write says of encryption; without a key of ours the bucket's own rule holds."""
        if not self.lake.kms_key:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.lake.kms_key}

    def below(self, client: Any, prefix: str) -> Iterator[str]:
        """Keys below a prefix, in the order of their names; all buckets' for none."""
        whole = self.name(prefix).rstrip("/")
        start = len(self.name(""))
        for bucket in self.roots if not prefix else [self.bucket(prefix)]:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=f"{whole}/" if whole else ""
            )
            for page in pages:
                for found in page.get("Contents", ()):
                    key = found["Key"][start:]
                    if self.bucket(key) == bucket:
                        yield key

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                lake = self.lake
                with bucket_errors(lake.address):
                    from botocore.config import Config  # noqa: PLC0415 - an extra

                    self._opened = session().client(
                        "s3",
                        endpoint_url=lake.endpoint or None,
                        region_name=lake.region or None,
                        config=Config(
                            connect_timeout=min(5.0, lake.deadline),
                            read_timeout=min(20.0, lake.deadline),
                            retries={"total_max_attempts": 1},
                            s3={"addressing_style": "path" if lake.path_style else "auto"},
                        ),
                    )
            return self._opened
