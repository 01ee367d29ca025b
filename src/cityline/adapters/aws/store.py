"""A bucket as a store, or a bucket for each zone: S3, or a server that speaks like it.

An object appears complete or not at all, which is S3's own promise. What is read or written stays
in a cache on this machine's disk: a key's content never changes, so a copy is never old. What
readers are shown does change in place, and is asked for each time.
"""

from __future__ import annotations

import mimetypes
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cityline.adapters.aws.buckets import Buckets
from cityline.adapters.aws.refusals import bucket_errors
from cityline.adapters.formats.folders import store_errors
from cityline.errors import StoreError

if TYPE_CHECKING:
    from cityline.declarations.environment import Lake

_CHUNK = 1 << 20
_PART = 64 << 20
"""Bytes from which a file travels in parts."""
_CHANGING = "site/"
_AT_ONCE = 1000
"""Keys one request may delete."""


class S3Store:
    """Implements `ports.store.Store` below a bucket's prefix; `cache` is a folder of this machine,
    `places` the buckets of zones that have their own, by a key's first segment.

    Nothing is asked before the first use. Raises MissingExtra without boto3.
    """

    def __init__(self, lake: Lake, cache: Path, places: Mapping[str, str] | None = None) -> None:
        self.buckets = Buckets(lake, places)
        self._cache = cache.absolute()

    def locate(self, key: str) -> str:
        """The URI of a key."""
        return self.buckets.locate(key)

    def key(self, location: str) -> str:
        """The key at a URI. Raises StoreError for one of another lake."""
        prefix = self.buckets.lake.prefix
        key = "/".join(location.split("/")[3:]).removeprefix(f"{prefix}/" if prefix else "")
        if not location.startswith("s3://") or self.locate(key) != location:
            what = "the table's files lie in another lake than this environment's"
            hint = "give an environment with a lake of its own a home of its own"
            raise StoreError(what, where=f"{location}, not below {self.locate('')}", hint=hint)
        return key

    def read(self, key: str) -> bytes:
        """The bytes at a key."""
        path = self.fetch(key)
        with store_errors(key):
            return path.read_bytes()

    def fetch(self, key: str) -> Path:
        """A copy of a key on this machine's disk, brought here when it is not yet."""
        kept = self._kept(key)
        if key.startswith(_CHANGING) or not kept.is_file():
            self.buckets.patiently(key, lambda client: self._bring(client, key, kept))
        return kept

    def write(self, key: str, data: bytes) -> None:
        """Put bytes at a key: one request, which is done or not."""
        put = {**self.buckets.at(key), "Body": data, **self._told(key)}
        self.buckets.patiently(key, lambda client: client.put_object(**put))
        with store_errors(key):
            temporary = self._aside(self._kept(key))
            temporary.write_bytes(data)
            temporary.replace(self._kept(key))

    def adopt(self, path: Path, key: str) -> None:
        """Move a finished file to a key; in parts when it is large, and then aborted when one
        fails."""
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415 - an extra

        at = self.buckets.at(key)
        sizes = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        self.buckets.patiently(
            key,
            lambda client: client.upload_file(
                str(path), at["Bucket"], at["Key"], ExtraArgs=self._told(key) or None, Config=sizes
            ),
        )
        with store_errors(key):
            temporary = self._aside(self._kept(key))
            shutil.move(path, temporary)
            temporary.replace(self._kept(key))

    def keys(self, prefix: str) -> list[str]:
        """All keys below a prefix, sorted."""
        asked = self.buckets
        found = asked.patiently(prefix, lambda client: list(asked.below(client, prefix)))
        return sorted(key for key in found if not key.endswith("/"))  # Hadoop's marks of folders

    def remove(self, prefix: str) -> None:
        """Delete everything below a prefix. In a bucket with versions, the old ones stay there."""
        self.buckets.patiently(prefix, lambda client: self._delete(client, prefix))
        kept = self._kept(prefix)
        with store_errors(prefix):
            if kept.is_dir():
                shutil.rmtree(kept)
            else:
                kept.unlink(missing_ok=True)

    # -- the bucket -----------------------------------------------------------------------------

    def _bring(self, client: Any, key: str, kept: Path) -> None:
        body = client.get_object(**self.buckets.at(key))["Body"]
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

    def _delete(self, client: Any, prefix: str) -> None:
        # deleting what is not there would leave a marker in a bucket with versions
        whole, bucket = self.buckets.name(prefix).rstrip("/"), self.buckets.bucket(prefix)
        first = client.list_objects_v2(Bucket=bucket, Prefix=whole, MaxKeys=1)
        names = [o["Key"] for o in first.get("Contents", ()) if o["Key"] == whole]
        below = self.buckets.below(client, prefix)
        names = names or [self.buckets.name(key) for key in below]
        for at in range(0, len(names), _AT_ONCE):
            asked = {"Objects": [{"Key": n} for n in names[at : at + _AT_ONCE]], "Quiet": True}
            told = client.delete_objects(Bucket=bucket, Delete=asked)
            for failed in told.get("Errors", ()):
                raise _failed(failed)

    def _told(self, key: str) -> dict[str, str]:
        """What a write says beside its bytes: who reads a site from its bucket must be told what
        each file is."""
        kind = mimetypes.guess_type(key)[0] if key.startswith("site/") else None
        return {**self.buckets.sealed(), **({"ContentType": kind} if kind else {})}

    # -- the cache ------------------------------------------------------------------------------

    def _kept(self, key: str) -> Path:
        self.buckets.name(key)
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
