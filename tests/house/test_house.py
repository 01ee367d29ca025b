"""The house rules, held to the code: sizes, names, imports, documents, and what is shipped."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from cityline.lake.wording import catalogue_text
from cityline.stages.publish.site import SAMPLE
from tests.conftest import ROOT
from tests.house.reference import FOLDER, PAGES

SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_modules_and_functions_stay_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert text.count("\n") <= 400, "a module of 400 lines has two subjects"
    assert path.stem not in {"utils", "common", "helpers", "misc", "core", "pipeline", "context"}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or 0) - node.lineno + 1
            assert size <= 40, f"{node.name} has {size} lines"


def test_a_fresh_interpreter_loads_nothing_heavy_to_open_a_city() -> None:
    code = (
        "import sys; from pathlib import Path; from cityline.wiring import open_city;"
        f"open_city(Path({str(ROOT / 'cities' / 'vancouver')!r}));"
        "bad = {'boto3', 'pyspark', 'aws_cdk', 'statsforecast', 'pandas', 'pyiceberg', 'vl_convert'};"
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told_without_loading_anything() -> None:
    code = (
        "import sys; sys.argv = ['cityline', '--version']\n"
        "from cityline.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'click', 'duckdb', 'pyarrow', 'pydantic', 'httpx', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_no_file_names_a_machine_or_a_registry() -> None:
    hosts = "|".join(
        ("py" + r"pi\.org", r"files\.pythonhosted", r"registry\.npmjs", r"repo1?\.maven")
    )
    bad = re.compile(rf"{hosts}|^--index-url|^--find-links|/wor" + r"k/|/roo" + "t/", re.MULTILINE)
    for path in tracked():
        if path.suffix in {".png", ".woff2", ".otf"} or "vendor" in path.parts:
            continue
        found = bad.search(path.read_text(encoding="utf-8"))
        assert not found, f"{path}: {found[0] if found else ''}"


def test_dependencies_are_locked_with_hashes() -> None:
    for name in ("run", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==", text, re.MULTILINE)
        assert len(pins) > 15
        assert text.count("--hash=sha256:") >= len(pins)


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_in_documents_resolve(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\"]+)\"", text):
        target = link[0] or link[1]
        if not target.startswith(("http", "mailto:")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("name", sorted(PAGES))
def test_reference_pages_are_fresh(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "run `make docs`"


def test_decisions_have_a_status_and_a_date() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    assert len(decisions) >= 8
    for path in decisions:
        assert re.search(
            r"^Status: accepted, \d{4}-\d{2}-\d{2}$", path.read_text(), re.MULTILINE
        ), path


def test_the_changelog_has_room_for_the_next_change() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_wheel_holds_the_city_the_pages_and_the_fonts(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(argv, cwd=ROOT, check=True, capture_output=True)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    for wanted in (
        "cityline/cities/vancouver/city.toml",
        "cityline/cities/vancouver/questions/departments.sql",
        "cityline/cities/vancouver/policies/quality/landing/inquiry-volume.dqdl",
        "cityline/stages/publish/templates/base.html",
        "cityline/stages/publish/static/site.css",
        "cityline/stages/publish/static/vendor/vega.js",
        "cityline/stages/publish/static/vendor/vega.LICENSE.txt",
        "cityline/adapters/formats/fonts/Inter-Regular.otf",
        "cityline/declarations/dqdl.lark",
    ):
        assert wanted in names
    assert not [n for n in names if ".cityline/" in n]


@pytest.mark.parametrize(
    "folder", [ROOT / "src/cityline/stages/publish/static/vendor", ROOT / "src/cityline/web/static/vendor"]
)  # fmt: skip
def test_what_is_vendored_is_what_it_says(folder: Path) -> None:
    entries = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))["vendored"]
    known = {"vendor.toml"}
    for entry in entries:
        body = (folder / entry["file"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == entry["sha256"]
        assert (folder / entry["licence_file"]).stat().st_size > 200
        known |= {entry["file"], entry["licence_file"], entry.get("built_from", entry["file"])}
    assert {p.name for p in folder.iterdir()} == known


def test_every_phrase_of_the_pages_is_in_french() -> None:
    methods = [("**/templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
    options = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
    found = extract_from_dir(
        str(ROOT / "src" / "cityline"),
        method_map=methods,
        options_map=options,
        keywords={"_": None, "gettext": None, "text": None},
    )
    said = {message for _, _, message, _, _ in found if isinstance(message, str)} | {SAMPLE}
    assert len(said) > 150
    catalogue = read_po(io.StringIO(catalogue_text("fr")), locale="fr")
    told = {m.id: m.string for m in catalogue if m.id}
    assert said - {k for k, v in told.items() if v} == set(), "not translated yet"
    assert set(told) - said == set(), "said nowhere"
    for source, translation in ((str(k), str(v)) for k, v in told.items()):
        fields = re.compile(r"\{\w+\}")
        assert set(fields.findall(source)) == set(fields.findall(translation)), source
