"""The step `visualise/<question>`: an answer into a drawing, kept beside it."""

from __future__ import annotations

from collections.abc import Mapping

from cityline.flow.parts import Parts
from cityline.flow.steps.answer import load
from cityline.flow.steps.outcome import Done, Made
from cityline.lake.address import Address, Zone
from cityline.lake.version import DataFile, Version
from cityline.stages.visualise import chart, look


def inputs(parts: Parts, question: str, done: Done) -> Mapping[str, str]:
    """The answer, and the translations of names."""
    address = f"answers/{question}"
    return {address: done.version(address).id, "names": parts.folder.digest("languages/")}


def perform(parts: Parts, question: str, done: Done, _run: str) -> Made:
    """Draw the picture in the city's first language; pages derive their files from it."""
    answer = load(parts, question, done)
    address = Address(Zone.ANSWERS, f"{question}-picture")
    identity = done.version(f"answers/{question}").id
    files: tuple[DataFile, ...] = ()
    if not answer.refused:
        language = parts.folder.city.language
        told = parts.folder.languages.get(language)
        style = look(language, told.values if told else None)
        body = parts.figures.draw([chart(answer, style)], language)[0].encode()
        key = address.key(identity, "page.svg")
        parts.store.write(key, body)
        files = (DataFile(key, 0, len(body)),)
    return Made((Version(address, identity, 0, files),), 0, 0, answer.generated, {})
