"""What DataBrew is given to read is what a run writes: the data files, and nothing beside them."""

from __future__ import annotations

import re
from pathlib import Path

from cityline.adapters.portals.sample import SamplePortal
from cityline.declarations.folder import read_folder
from cityline.deploy.estate import Estate
from cityline.deploy.stacks import databrew
from cityline.flow.run import run
from cityline.wiring import open_city
from tests.conftest import copy_vancouver


def test_the_keys_mean_the_data_files_of_a_run_and_nothing_else(
    tmp_path: Path, portal: SamplePortal
) -> None:
    city = copy_vancouver(tmp_path / "vancouver")
    recipe = city / "recipes" / "inquiry-volume.toml"
    recipe.write_text('partition_by = ["channel"]\n' + recipe.read_text(encoding="utf-8"))
    parts = open_city(city, portal=portal.base_url)
    run(parts, lambda _: None, until="prepare")
    keys = {str(p.relative_to(parts.home / "lake")) for p in (parts.home / "lake").rglob("*.*")}
    template = databrew.build(Estate(read_folder(city, "aws"), {}))
    read = set()
    for dataset in template.resources.values():
        if dataset["Type"] == "AWS::DataBrew::Dataset":
            has = dataset["Properties"]
            key, options = has["Input"]["S3InputDefinition"]["Key"], has["PathOptions"]
            named = [p["PathParameterName"] for p in options["Parameters"]]
            assert re.findall(r"\{(\w+)\}", key) == named
            assert options["FilesLimit"]["MaxFiles"] == 1
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(key))
            found = {k for k in keys if re.fullmatch(pattern, k)}
            assert found, key
            read |= found
    data = {
        k for k in keys if k.startswith(("raw/", "landing/")) and k.endswith((".csv", ".parquet"))
    }
    assert read == data
    assert {Path(k).suffix for k in keys - read} >= {".json", ".avro"}
