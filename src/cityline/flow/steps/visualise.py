"""The step `visualise/<question>`: an answer into pictures, kept beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cityline.flow.parts import Parts
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.lake.version import DataFile, Version
from cityline.stages.publish.site import Pictures
from cityline.stages.visualise import chart, literal_palette, page_palette


def inputs(_parts: Parts, question: str, done: Done) -> Mapping[str, str]:
    """The answer."""
    address = f"answers/{question}"
    return {address: done.version(address).id}


def perform(parts: Parts, question: str, done: Done, _run: str) -> Made:
    """Draw the picture three times: for pages, and as SVG and PNG files."""
    answer = load(parts, question, done)
    address = Address(Zone.ANSWERS, f"{question}-picture")
    identity = done.version(f"answers/{question}").id
    files: list[DataFile] = []
    if not answer.refused:
        literal = chart(answer, literal_palette())
        drawn = {
            "page.svg": parts.figures.svg(chart(answer, page_palette())).encode(),
            "file.svg": parts.figures.svg(literal).encode(),
            "file.png": parts.figures.png(literal),
        }
        for name, body in drawn.items():
            key = address.key(identity, name)
            parts.store.write(key, body)
            files.append(DataFile(key, 0, len(body)))
    version = Version(address, identity, 0, tuple(files))
    return Made((version,), 0, 0, answer.generated, {})


def pictures(parts: Parts, question: str, done: Done) -> Pictures | None:
    """The pictures of an answer as they were drawn; none for a refused one."""
    version = done.version(Address(Zone.ANSWERS, f"{question}-picture"))
    bodies = {f.key.rpartition("/")[2]: parts.store.read(f.key) for f in version.files}
    if not bodies:
        return None
    return Pictures(bodies["page.svg"].decode(), bodies["file.svg"], bodies["file.png"])
