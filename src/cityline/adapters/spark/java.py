"""The Java that Spark runs on when it runs in this process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from cityline.errors import EngineError

LEAST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_HINT = f"Java {LEAST}: on Debian apt-get install openjdk-{LEAST}-jre-headless, or set JAVA_HOME"


def find_java() -> int:
    """The version of the Java that Spark will start. Raises EngineError when it is absent or too
    old."""
    home = os.environ.get("JAVA_HOME", "")
    java = shutil.which("java", path=os.path.join(home, "bin") if home else None)  # noqa: PTH118
    if java is None:
        where = f"JAVA_HOME={home}" if home else "PATH"
        raise EngineError("Java is not there, which Spark runs on", where=where, hint=_HINT)
    try:
        asked = subprocess.run(  # noqa: S603 - the program was looked up just now
            [java, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"Java does not start: {error}", where=java, hint=_HINT) from error
    found = _VERSION.search(asked.stderr + asked.stdout)
    if found is None:
        told = f"Java does not say its version: {(asked.stderr + asked.stdout)[:200].strip()}"
        raise EngineError(told, where=java, hint=_HINT)
    version = int(found[1])
    if version < LEAST:
        raise EngineError(f"Java {version} is too old for Spark here", where=java, hint=_HINT)
    return version
