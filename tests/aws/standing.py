"""A city's platform standing in an emulator: its buckets, keys, roles and policies from the
templates themselves, its databases, and an environment by which the product finds it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cityline.declarations.access import AccessZone
from cityline.declarations.folder import Folder, read_folder
from cityline.deploy.estate import Estate
from cityline.deploy.naming import Names
from tests.aws.applier import Applier
from tests.aws.emulator import ACCOUNT, ROOT, Emulator, Keys
from tests.conftest import lean


@dataclass
class Standing:
    """One city's platform; `folder` are its declarations."""

    emulator: Emulator
    root: Path
    folder: Folder
    names: Names

    def bucket(self, zone: AccessZone) -> str:
        """A zone's bucket."""
        return self.names.bucket_of(zone, ACCOUNT)

    def environment(self, keys: Keys | None = None) -> Mapping[str, str]:
        """What a machine's environment says when it acts as the holder of the keys."""
        key, secret, token = keys or self.emulator.assume(self.names.role("structure"))
        told = {
            "AWS_ENDPOINT_URL": self.emulator.tls,
            "AWS_CA_BUNDLE": str(self.emulator.certificate),
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {name: text for name, text in told.items() if text}

    def role(self, role: str) -> Keys:
        """The keys of a session of a declared role."""
        return self.emulator.assume(self.names.role(role))

    def act(self, patch: pytest.MonkeyPatch, role: str) -> None:
        """From now on this process acts as a role."""
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        for name, text in self.environment(self.role(role)).items():
            patch.setenv(name, text)


def stand(emulator: Emulator, root: Path, prefix: str, *, engine: str = "duckdb") -> Standing:
    """Make the platform of a copy of Vancouver, under a prefix of its own."""
    shutil.copytree(ROOT / "cities" / "vancouver", root, ignore=shutil.ignore_patterns(".*"))
    (root / "facets" / "types.toml").unlink()
    lean(root)
    settings = root / "environments" / "aws.toml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace('prefix = "cityline-vancouver"', f'prefix = "{prefix}"')
    text = text.replace('engine = "spark"', f'engine = "{engine}"')
    text = text.replace('questions = "athena"', 'questions = "duckdb"')
    settings.write_text(text, encoding="utf-8")
    folder = read_folder(root, "aws")
    estate = Estate(folder, {})
    Applier(emulator, estate).apply()
    glue = emulator.client("glue")
    for zone in (AccessZone.LANDING, AccessZone.CURATED):
        glue.create_database(DatabaseInput={"Name": estate.names.database(zone)})
    return Standing(emulator, root, folder, estate.names)
