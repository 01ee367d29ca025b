"""Fixtures every kind of test may use."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from cityline.adapters.formats.figures import VegaFigures
from cityline.adapters.local.engine import DuckEngine
from cityline.adapters.local.store import FolderStore
from cityline.adapters.portals.sample import SamplePortal
from cityline.flow.parts import Parts
from cityline.flow.run import Finished, run
from cityline.flow.steps.outcome import Done
from cityline.wiring import open_city

if TYPE_CHECKING:
    from tests.s3server import Server

ROOT = Path(__file__).resolve().parent.parent
DRAWN = Path(os.environ.get("CITYLINE_DRAWN") or tempfile.mkdtemp(prefix="cityline-drawn-"))
"""Pictures drawn in this session, by all its workers: many tests run the same city, and drawing is
the slowest part."""
if "CITYLINE_DRAWN" not in os.environ:
    os.environ["CITYLINE_DRAWN"] = str(DRAWN)
    atexit.register(shutil.rmtree, DRAWN, ignore_errors=True)
TODAY = date(2026, 8, 17)
"""The day of the portal's real catalogue export; the sample portal's extracts are made for it."""


@pytest.fixture(scope="session", autouse=True)
def _pictures_are_shared() -> Iterator[None]:
    """Every city of this session keeps its pictures in one place."""
    own = VegaFigures.__init__

    def shared(self: VegaFigures, kept: Path | None = None) -> None:
        own(self, DRAWN if kept and kept.parent.name == "cache" else kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VegaFigures, "__init__", shared)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files of cities, read-only, when they lie beside the checkout."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data files are not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real server that speaks S3; its root's keys are in the environment while it lives."""
    from tests.s3server import BUILT, s3_server  # noqa: PLC0415 - an extra

    wanted = "python tools/engines/fetch.py, and pip install -r requirements/engines.txt"
    if not BUILT.is_file() or not find_spec("boto3"):
        absent(f"the server that speaks S3, or its client, is not there: {wanted}")
    with (
        s3_server(tmp_path_factory.mktemp("s3")) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in server.keys.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        yield server


def absent(told: str) -> None:
    """Skipped on a laptop, an error where everything must run."""
    if os.environ.get("CITYLINE_ENGINES") == "all":
        pytest.fail(told)
    pytest.skip(told)


@pytest.fixture
def engine(tmp_path: Path) -> DuckEngine:
    """The product's engine over a store of its own."""
    return DuckEngine(FolderStore(tmp_path / "lake"))


@pytest.fixture(scope="session")
def portal() -> Iterator[SamplePortal]:
    """One sample portal for all tests that only read from it."""
    with SamplePortal(today=TODAY) as opened:
        yield opened


VOLUME = "3-1-1-inquiry-volume"
CENTRE = "3-1-1-contact-centre-metrics"


def exported(portal: SamplePortal, dataset: str) -> bytes:
    """A dataset's CSV as the portal sends it, asked over HTTP."""
    url = f"{portal.base_url}/catalog/datasets/{dataset}/exports/csv"
    asked = {"use_labels": "true", "delimiter": ";", "with_bom": "true"}
    answer = httpx.get(url, params=asked)
    answer.raise_for_status()
    return answer.content


@dataclass(frozen=True)
class Ran:
    """A city that has been run once."""

    folder: Path
    parts: Parts
    finished: Finished

    @property
    def done(self) -> Done:
        """What stands."""
        return Done(self.finished.receipts)

    @property
    def site(self) -> Path:
        """What readers see."""
        return self.parts.site / "current"


def copy_vancouver(target: Path, *, whole: bool = False) -> Path:
    """A city's folder of its own, to be changed by a test. Without `whole` it has one language and
    no pages of facets or pairs of years, so that a run takes seconds."""
    shutil.copytree(ROOT / "cities" / "vancouver", target, ignore=shutil.ignore_patterns(".*"))
    (target / "facets" / "types.toml").unlink()  # 167 more pages of the same template
    if not whole:
        lean(target)
    return target


def lean(city: Path) -> None:
    """Leave a city one language, and no pages of facets or pairs of years."""
    shutil.rmtree(city / "facets")
    shutil.rmtree(city / "languages")
    _edit(city / "city.toml", 'languages = ["en", "fr"]', 'languages = ["en"]')
    for name in ("departments", "compare-years"):
        path = city / "questions" / f"{name}.sql"
        text = path.read_text(encoding="utf-8")
        lines = [x for x in text.splitlines() if not x.startswith("prebuild")]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def run_city(folder: Path, portal: SamplePortal) -> Ran:
    """Run a city's folder from a sample portal."""
    parts = open_city(folder, portal=portal.base_url)
    return Ran(folder, parts, run(parts, lambda _: None))


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory, portal: SamplePortal) -> Ran:
    """Vancouver with everything but pages of types, run once for all who only look."""
    folder = copy_vancouver(tmp_path_factory.mktemp("city") / "vancouver", whole=True)
    with (DRAWN / "lock").open("w") as lock:  # one worker draws, the others find the pictures
        fcntl.flock(lock, fcntl.LOCK_EX)
        return run_city(folder, portal)
