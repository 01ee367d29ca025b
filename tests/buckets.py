"""A city whose lake lies in a bucket of the tests' server."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from cityline.adapters.portals.sample import SamplePortal
from cityline.declarations.environment import Lake
from cityline.flow.parts import Parts
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city
from tests.conftest import copy_vancouver
from tests.s3server import REGION, Server


def lake(server: Server, bucket: str, prefix: str = "/city/lake", deadline: float = 20) -> Lake:
    """What an environment would say of it."""
    return Lake(
        address=f"s3://{bucket}{prefix}",
        endpoint=server.endpoint,
        region=REGION,
        path_style=True,
        deadline=deadline,
    )


def bucket_city(folder: Path, server: Server, *, deadline: float = 20, more: str = "") -> Path:
    """Vancouver with an environment `bucket`, and a bucket of its own."""
    copy_vancouver(folder)
    declared = lake(server, server.bucket(f"lake-{uuid4().hex[:8]}"), deadline=deadline)
    (folder / "environments" / "bucket.toml").write_text(
        f"""kind = "local"
home = ".cityline-bucket"
{more}
[lake]
address = "{declared.address}"
endpoint = "{declared.endpoint}"
region = "{declared.region}"
path_style = true
deadline = {declared.deadline}
""",
        encoding="utf-8",
    )
    return folder


def opened(folder: Path, portal: SamplePortal) -> Parts:
    """The city where its lake is the bucket."""
    return open_city(folder, environment="bucket", portal=portal.base_url)


def same_tables(left: tuple[Parts, Done], right: tuple[Parts, Done]) -> None:
    """Every table has the same rows, however its files are laid out."""
    parts, done = left
    assert set(done.tables()) == set(right[1].tables())
    for name, version in done.tables().items():
        there = right[1].tables()[name]
        whole = f"SELECT * FROM {name}"
        tables = {
            "found": parts.asking.query(whole, {name: version}),
            "wanted": right[0].asking.query(whole, {name: there}),
        }
        columns = ", ".join(
            f'round("{f.name}", 6) AS "{f.name}"' if str(f.type) == "double" else f'"{f.name}"'
            for f in tables["wanted"].schema
        )
        sql = (
            f"SELECT count(*) AS n FROM (SELECT {columns} FROM found EXCEPT ALL "
            f"SELECT {columns} FROM wanted)"
        )
        assert version.rows == there.rows, name
        assert parts.asking.query(sql, tables).to_pylist() == [{"n": 0}], name
