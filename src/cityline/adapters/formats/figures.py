"""Pictures from Vega-Lite without a browser and without a network."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cityline.adapters.formats.drawing import converter, draw
from cityline.errors import EngineError

_WEIGHT = re.compile(r' font-weight="[^"]*"')
"""A PDF has one weight of one font: with two, the library orders them by a random hash, and the
same picture would be another file each time."""
_WORTH = 12
"""From so many pictures on, starting processes of a second each pays."""


class VegaFigures:
    """Implements `ports.figures.Figures` with vl-convert. `kept` is a folder of drawings by the
    hash of what was drawn; it may be emptied at any time. None keeps nothing."""

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        self._lock = threading.Lock()

    def draw(self, specs: Sequence[Mapping[str, Any]], language: str = "en") -> list[str]:
        """Each picture as SVG text."""
        texts = [json.dumps(s, ensure_ascii=False) for s in specs]
        found = {t: self._old(t, language) for t in dict.fromkeys(texts)}
        missing = [t for t, svg in found.items() if svg is None]
        for text, svg in zip(missing, self._drawn(missing, language), strict=True):
            found[text] = svg.encode()
            self._keep(text, language, svg.encode())
        return [(found[t] or b"").decode() for t in texts]

    def png(self, svg: str, scale: float = 2.0) -> bytes:
        """The drawing as PNG."""
        return self._converted(
            svg, f"png {scale}", lambda: converter().svg_to_png(svg, scale=scale)
        )

    def pdf(self, svg: str) -> bytes:
        """The drawing as PDF."""
        plain = _WEIGHT.sub("", svg)
        return self._converted(plain, "pdf", lambda: converter().svg_to_pdf(plain))

    def _converted(self, svg: str, kind: str, convert: Callable[[], bytes]) -> bytes:
        """A drawing as another kind of file, from the kept ones when it was made before."""
        found = self._old(svg, kind)
        if found is None:
            with self._lock, _drawing_errors():
                found = bytes(convert())
            self._keep(svg, kind, found)
        return found

    def _drawn(self, texts: Sequence[str], language: str) -> list[str]:
        cores = min(os.cpu_count() or 1, 4)
        if len(texts) < _WORTH or cores == 1:
            with self._lock, _drawing_errors():
                return [draw(t, language) for t in texts]
        shares = [texts[i::cores] for i in range(cores)]
        with ThreadPoolExecutor(cores) as pool:
            parts = list(pool.map(lambda share: _elsewhere(share, language), shares))
        return [parts[i % cores][i // cores] for i in range(len(texts))]

    def _old(self, text: str, kind: str) -> bytes | None:
        path = self._path(text, kind)
        try:
            return path.read_bytes() if path else None
        except OSError:  # not drawn yet, or swept away: draw it
            return None

    def _keep(self, text: str, kind: str, body: bytes) -> None:
        path = self._path(text, kind)
        if path is None:
            return
        temporary = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        with suppress(OSError):  # no room to keep a drawing is no reason not to have drawn it
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(body)
            temporary.replace(path)

    def _path(self, text: str, kind: str) -> Path | None:
        if self._kept is None:
            return None
        name = hashlib.sha256(f"{_engine()}\n{kind}\n{text}".encode()).hexdigest()
        return self._kept / name[:2] / name


@cache
def _engine() -> str:
    return version("vl-convert-python")


def _elsewhere(texts: Sequence[str], language: str) -> list[str]:
    """Draw in a process of its own."""
    command = [sys.executable, "-m", "cityline.adapters.formats.drawing"]
    asked = "".join(json.dumps({"spec": t, "language": language}) + "\n" for t in texts)
    done = subprocess.run(  # noqa: S603 - our own module
        command, input=asked, capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    problems = [t["error"] for t in told if "error" in t]
    if problems or len(told) != len(texts):
        why = problems[0] if problems else f"the drawing process ended with {done.returncode}"
        raise EngineError(f"the chart cannot be drawn: {why}", where="vega-lite")
    return [t["svg"] for t in told]


@contextmanager
def _drawing_errors() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise EngineError(f"the chart cannot be drawn: {first}", where="vega-lite") from error
