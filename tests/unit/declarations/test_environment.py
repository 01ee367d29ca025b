"""Where a lake may lie, and what is refused before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityline.declarations.environment import Lake
from cityline.declarations.folder import read_folder
from cityline.errors import DeclarationError
from tests.conftest import copy_vancouver


@pytest.mark.parametrize(
    ("address", "bucket", "prefix"),
    [
        ("s3://lake", "lake", ""),
        ("s3://city.lake-2/a", "city.lake-2", "a"),
        ("s3://lake/vancouver/v=1", "lake", "vancouver/v=1"),
    ],
)
def test_an_address_is_a_bucket_and_a_prefix(address: str, bucket: str, prefix: str) -> None:
    lake = Lake(address=address)
    assert (lake.bucket, lake.prefix) == (bucket, prefix)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('address = "lake"', "lake.address"),
        ('address = "s3://L"', "lake.address"),
        ('address = "s3://lake/"', "lake.address"),
        ('address = "s3://lake/a/../b"', "step up"),
        ('address = "s3://lake"\nendpoint = "http://store.example"', "must be https"),
        ('address = "s3://lake"\nendpoint = "store.example:9000"', "https://host"),
        ('address = "s3://lake"\nendpoint = "https://me:secret@store.example"', "never stand"),
        ('address = "s3://lake"\nsecret_key = "x"', "secret_key"),
        ('address = "s3://lake"\ndeadline = 0', "deadline"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, settings: str, told: str) -> None:
    city = copy_vancouver(tmp_path / "city")
    file = city / "environments" / "bucket.toml"
    file.write_text(f'kind = "local"\n[lake]\n{settings}\n', encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        read_folder(city, "bucket")
    (problem,) = caught.value.problems
    assert problem.file == "environments/bucket.toml"
    assert told in f"{problem.key} {problem.what} {problem.hint}"


@pytest.mark.parametrize(
    "endpoint",
    ["https://store.example", "http://127.0.0.1:9", "http://localhost", "http://[::1]:9"],
)
def test_plain_http_is_for_this_machine_alone(endpoint: str) -> None:
    assert Lake(address="s3://lake", endpoint=endpoint).endpoint == endpoint
