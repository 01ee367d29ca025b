"""What goes wrong with a bucket is told by its kind, in time, and a refusal is not asked again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from cityline.adapters.aws.store import S3Store
from cityline.declarations.environment import Lake
from cityline.errors import (
    MissingExtra,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
)
from tests.buckets import lake
from tests.ports import free_port
from tests.s3server import REGION, Server

pytestmark = pytest.mark.engines


@pytest.fixture
def bucket(s3: Server) -> str:
    return s3.bucket(f"refused-{uuid4().hex[:8]}")


def store_of(declared: Lake, tmp_path: Path) -> S3Store:
    return S3Store(declared, tmp_path / "cache")


class Answering(BaseHTTPRequestHandler):
    """Answers every request with one status, and keeps what it was asked."""

    status = 200
    code = ""
    asked: list[dict[str, str]]

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append({k.lower(): v for k, v in self.headers.items()})
        text = f"<Error><Code>{self.code}</Code><Message>told</Message></Error>"
        body = text.encode() if self.code else b""
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


@pytest.fixture
def answering(s3: Server) -> Iterator[tuple[type[Answering], Lake]]:
    """A store that gives one answer; its credentials are the environment's."""
    assert s3.process
    handler = type("Once", (Answering,), {"asked": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        declared = {"endpoint": endpoint, "region": REGION, "path_style": True}
        yield handler, Lake(address="s3://lake/a", deadline=3, **declared)
        server.shutdown()


def test_no_such_bucket(s3: Server, tmp_path: Path) -> None:
    store = store_of(lake(s3, "no-such-bucket"), tmp_path)
    acts: list[Callable[[], object]] = [
        lambda: store.write("a", b""), lambda: store.read("a"), lambda: store.keys("")
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(StoreRefused, match="no such bucket"):
            act()
    (tmp_path / "x").write_bytes(b"1")
    with pytest.raises(StoreRefused, match="no such bucket"):
        store.adopt(tmp_path / "x", "a")
    assert (tmp_path / "x").read_bytes() == b"1", "what was not taken is still there"


def test_keys_nobody_knows(
    s3: Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with pytest.raises(StoreRefused, match="does not know these credentials"):
        store_of(lake(s3, bucket), tmp_path).keys("")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(StoreRefused, match="does not know these credentials"):
        store_of(lake(s3, bucket), tmp_path).keys("")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreRefused, match="no credentials") as caught:
        store_of(lake(s3, bucket), tmp_path).keys("")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_policy_denies_each_act(
    s3: Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = store_of(lake(s3, bucket), tmp_path)
    root.write("a/old", b"old")
    name = f"reader-{uuid4().hex[:6]}"
    for variable, value in s3.user(name).items():
        monkeypatch.setenv(variable, value)
    s3.policy(bucket, name, allow=["s3:GetObject", "s3:ListBucket"], deny=[])
    store = S3Store(lake(s3, bucket), tmp_path / "own")
    assert store.keys("a") == ["a/old"]
    assert store.read("a/old") == b"old"
    began = time.monotonic()
    acts: list[Callable[[], object]] = [
        lambda: store.write("a/old", b"new"), lambda: store.remove("a")
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(StoreRefused, match="denies"):
            act()
    assert time.monotonic() - began < 10, "a refusal is not asked again"
    assert root.keys("a") == ["a/old"]
    s3.policy(bucket, name, allow=["s3:ListBucket"], deny=["s3:GetObject"])
    with pytest.raises(StoreRefused, match="denies"):
        S3Store(lake(s3, bucket), tmp_path / "other").read("a/old")


def test_an_old_version_is_there_after_a_removal(s3: Server, bucket: str, tmp_path: Path) -> None:
    store = store_of(lake(s3, bucket), tmp_path)
    store.write("a/b", b"precious")
    store.remove("a")
    store.remove("a")
    store.remove("nothing")
    told = s3.client().list_object_versions(Bucket=bucket, Prefix="city/lake/a/")
    assert len(told["DeleteMarkers"]) == 1
    (old,) = told["Versions"]
    body = s3.client().get_object(Bucket=bucket, Key=old["Key"], VersionId=old["VersionId"])["Body"]
    assert body.read() == b"precious"


def test_a_large_file_goes_in_parts_and_comes_back(s3: Server, bucket: str, tmp_path: Path) -> None:
    data = os.urandom(1 << 20) * 70
    (tmp_path / "large").write_bytes(data)
    store = store_of(lake(s3, bucket), tmp_path)
    store.adopt(tmp_path / "large", "a/large")
    etag = s3.client().head_object(Bucket=bucket, Key="city/lake/a/large")["ETag"]
    assert etag.strip('"').endswith("-2")
    fresh = S3Store(lake(s3, bucket), tmp_path / "fresh")
    assert fresh.fetch("a/large").read_bytes() == data
    assert not s3.client().list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_more_keys_than_a_page_are_listed_and_removed(
    s3: Server, bucket: str, tmp_path: Path
) -> None:
    client = s3.client()
    for n in range(1005):
        client.put_object(Bucket=bucket, Key=f"city/lake/a/{n:04}", Body=b"")
    store = store_of(lake(s3, bucket), tmp_path)
    assert store.keys("a") == [f"a/{n:04}" for n in range(1005)]
    store.remove("a")
    assert store.keys("a") == []


def test_a_mark_of_a_folder_is_no_key_and_goes_with_it(
    s3: Server, bucket: str, tmp_path: Path
) -> None:
    s3.client().put_object(Bucket=bucket, Key="city/lake/a/", Body=b"")
    store = store_of(lake(s3, bucket), tmp_path)
    store.write("a/b", b"1")
    assert store.keys("a") == ["a/b"]
    store.remove("a")
    assert s3.client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_nobody_answers(s3: Server, tmp_path: Path) -> None:
    assert s3.process
    nowhere = lake(s3, "lake", deadline=2).model_copy(
        update={"endpoint": f"http://127.0.0.1:{free_port()}"}
    )
    began = time.monotonic()
    with pytest.raises(StoreUnreachable, match="does not answer") as caught:
        store_of(nowhere, tmp_path).write("a", b"")
    assert caught.value.passing
    assert 0.2 < time.monotonic() - began < 6


def test_a_silent_server_is_given_up_in_time(s3: Server, bucket: str, tmp_path: Path) -> None:
    store = store_of(lake(s3, bucket, deadline=3), tmp_path)
    store.write("a", b"1")
    s3.pause()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnreachable):
            store.keys("")
        assert time.monotonic() - began < 3 + 3 + 4, "the deadline, one request, and some air"
        threading.Timer(1, s3.resume).start()
        assert store_of(lake(s3, bucket), tmp_path).keys("") == ["a"], "it is asked again"
    finally:
        s3.resume()


@pytest.mark.parametrize(
    ("status", "code", "kind", "attempts"),
    [
        (503, "SlowDown", StoreUnreachable, 2),
        (500, "InternalError", StoreUnreachable, 2),
        (400, "ExpiredToken", StoreRefused, 1),
        (403, "AccessDenied", StoreRefused, 1),
        (301, "PermanentRedirect", StoreRefused, 1),
        (400, "AuthorizationHeaderMalformed", StoreRefused, 1),
        (507, "XMinioStorageFull", StoreFull, 1),
        (400, "EntityTooLarge", StoreError, 1),
    ],
)
def test_each_answer_has_its_kind(
    answering: tuple[type[Answering], Lake],
    tmp_path: Path,
    status: int,
    code: str,
    kind: type[StoreError],
    attempts: int,
) -> None:
    handler, declared = answering
    handler.status, handler.code = status, code
    with pytest.raises(StoreError) as caught:
        store_of(declared, tmp_path).write("b", b"1")
    assert type(caught.value) is kind
    assert code in caught.value.what or kind is StoreFull
    assert caught.value.where == "s3://lake/a/b"
    assert len(handler.asked) >= attempts if attempts > 1 else len(handler.asked) == 1


def test_a_key_of_ours_encrypts_what_is_written(
    answering: tuple[type[Answering], Lake], tmp_path: Path
) -> None:
    handler, declared = answering
    plain = store_of(declared, tmp_path)
    sealed = store_of(declared.model_copy(update={"kms_key": "alias/lake"}), tmp_path)
    (tmp_path / "x").write_bytes(b"1")
    plain.write("b", b"1")
    sealed.write("b", b"1")
    sealed.adopt(tmp_path / "x", "c")
    wanted = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
    told = [tuple(headers.get(name) for name in wanted) for headers in handler.asked]
    assert told == [(None, None), ("aws:kms", "alias/lake"), ("aws:kms", "alias/lake")]


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingExtra) as caught:
        store_of(Lake(address="s3://lake"), tmp_path).keys("")
    assert "cityline[aws]" in caught.value.hint
