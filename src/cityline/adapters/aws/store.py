"""A bucket as a store: S3, or a server that speaks like it.

An object appears complete or not at all, which is S3's own promise. What is read or written stays
in a cache on this machine's disk: a key's content never changes, so a copy is never old.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cityline.adapters.aws.refusals import bucket_errors
from cityline.adapters.formats.folders import store_errors
from cityline.errors import MissingExtra, StoreError, StoreUnreachable

if TYPE_CHECKING:
    from cityline.declarations.environment import Lake

_T = TypeVar("_T")
_CHUNK = 1 << 20
_PART = 64 << 20
"""Bytes from which a file travels in parts."""
_AT_ONCE = 1000
"""Keys one request may delete."""


class S3Store:
    """Implements `ports.store.Store` below a bucket's prefix; `cache` is a folder of this machine.

    Nothing is asked before the first use. Raises MissingExtra without boto3.
    """

    def __init__(self, lake: Lake, cache: Path) -> None:
        self._lake = lake
        self._cache = cache.absolute()
        self._opened: Any = None
        self._lock = threading.Lock()

    def locate(self, key: str) -> str:
        """The URI of a key."""
        return f"s3://{self._lake.bucket}/{self._name(key)}"

    def read(self, key: str) -> bytes:
        """The bytes at a key."""
        path = self.fetch(key)
        with store_errors(key):
            return path.read_bytes()

    def fetch(self, key: str) -> Path:
        """A copy of a key on this machine's disk, brought here when it is not yet."""
        kept = self._kept(key)
        if not kept.is_file():
            self._patiently(key, lambda client: self._bring(client, key, kept))
        return kept

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key: one request, which is done or not."""
        name = self._name(key)
        put = {"Bucket": self._lake.bucket, "Key": name, "Body": data, **self._sealed()}
        self._patiently(key, lambda client: client.put_object(**put))
        with store_errors(key):
            temporary = self._aside(self._kept(key))
            temporary.write_bytes(data)
            temporary.replace(self._kept(key))

    def adopt(self, path: Path, key: str) -> None:
        """Move a finished file to a key; in parts when it is large, and then aborted when one
        fails."""
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - an extra

        name = self._name(key)
        sizes = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        self._patiently(
            key,
            lambda client: client.upload_file(
                str(path), self._lake.bucket, name, ExtraArgs=self._sealed() or None, Config=sizes
            ),
        )
        with store_errors(key):
            temporary = self._aside(self._kept(key))
            shutil.move(path, temporary)
            temporary.replace(self._kept(key))

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        found = self._patiently(prefix, lambda client: list(self._below(client, prefix)))
        return sorted(key for key in found if not key.endswith("/"))  # Hadoop's marks of folders

    def remove(self, prefix: str) -> None:
        """Delete everything below a prefix. In a bucket with versions, the old ones stay there."""
        self._patiently(prefix, lambda client: self._delete(client, prefix))
        kept = self._kept(prefix)
        with store_errors(prefix):
            if kept.is_dir():
                shutil.rmtree(kept)
            else:
                kept.unlink(missing_ok=True)

    # -- the bucket -----------------------------------------------------------------------------

    def _patiently(self, key: str, ask: Callable[[Any], _T]) -> _T:
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
            stop=stop_before_delay(self._lake.deadline),
            wait=wait_random_exponential(multiplier=0.2, max=5),
            retry=retry_if_exception_type(StoreUnreachable),
            reraise=True,
        )

        def once() -> _T:
            with bucket_errors(self.locate(key)):
                return ask(client)

        return retrying(once)

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                try:
                    import boto3  # noqa: PLC0415 - an extra, and heavy
                    from botocore.config import Config  # noqa: PLC0415
                except ImportError as error:
                    told = "Amazon's Python package is not installed"
                    raise MissingExtra(told, hint="pip install 'cityline[aws]'") from error
                lake = self._lake
                with bucket_errors(lake.address):
                    self._opened = boto3.Session().client(
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

    def _bring(self, client: Any, key: str, kept: Path) -> None:
        body = client.get_object(Bucket=self._lake.bucket, Key=self._name(key))["Body"]
        # bucket_errors within: some of botocore's errors are the operating system's as well
        with store_errors(key), bucket_errors(self.locate(key)):
            temporary = self._aside(kept)
            try:
                with temporary.open("wb") as file:
                    for chunk in body.iter_chunks(_CHUNK):
                        file.write(chunk)
                temporary.replace(kept)
            finally:
                temporary.unlink(missing_ok=True)

    def _below(self, client: Any, prefix: str) -> Iterator[str]:
        whole = self._name(prefix).rstrip("/")
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=self._lake.bucket, Prefix=f"{whole}/" if whole else ""
        )
        start = len(self._name(""))
        for page in pages:
            for found in page.get("Contents", ()):
                yield found["Key"][start:]

    def _delete(self, client: Any, prefix: str) -> None:
        # deleting what is not there would leave a marker in a bucket with versions
        whole = self._name(prefix).rstrip("/")
        first = client.list_objects_v2(Bucket=self._lake.bucket, Prefix=whole, MaxKeys=1)
        names = [o["Key"] for o in first.get("Contents", ()) if o["Key"] == whole]
        names = names or [self._name(key) for key in self._below(client, prefix)]
        for at in range(0, len(names), _AT_ONCE):
            asked = {"Objects": [{"Key": n} for n in names[at : at + _AT_ONCE]], "Quiet": True}
            told = client.delete_objects(Bucket=self._lake.bucket, Delete=asked)
            for failed in told.get("Errors", ()):
                raise _failed(failed)

    def _sealed(self) -> dict[str, str]:
        """What a write says of encryption; without a key of ours the bucket's own rule holds."""
        if not self._lake.kms_key:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._lake.kms_key}

    def _name(self, key: str) -> str:
        """The object's whole name. Raises StoreError for a key that would leave the prefix."""
        if key.startswith("/") or ".." in key.split("/"):
            raise StoreError("a key may not leave the store", where=key)
        prefix = self._lake.prefix
        return f"{prefix}/{key}" if prefix else key

    # -- the cache ------------------------------------------------------------------------------

    def _kept(self, key: str) -> Path:
        self._name(key)
        return self._cache / key

    def _aside(self, kept: Path) -> Path:
        """A place beside a copy, to be written before it gets its name."""
        kept.parent.mkdir(parents=True, exist_ok=True)
        return kept.with_name(f".{kept.name}.{uuid.uuid4().hex[:8]}")


def _failed(told: dict[str, str]) -> Exception:
    """One object's refusal inside a request that was granted."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - an extra

    error: Exception = ClientError({"Error": dict(told)}, "DeleteObjects")
    return error
