"""Every step of the way: what each depends on, and how it is done.

A step is `stage/subject`. `inputs` names everything its outcome depends on; when that is the same
as last time, the step is not done again. `perform` does it and returns what it wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cityline.flow.parts import Parts
from cityline.flow.steps import answer, ingest, prepare, publish, structure, visualise
from cityline.flow.steps.outcome import Done, Made

Inputs = Callable[[Parts, str, Done], Mapping[str, str]]
Perform = Callable[[Parts, str, Done, str], Made]


@dataclass(frozen=True, slots=True)
class Stage:
    """How the steps of one stage work. `asks` is true for a stage that must always look, because
    what it depends on is outside the lake."""

    inputs: Inputs
    perform: Perform
    asks: bool = False


STAGES: Mapping[str, Stage] = {
    "ingest": Stage(ingest.inputs, ingest.perform, asks=True),
    "prepare": Stage(prepare.inputs, prepare.perform),
    "structure": Stage(structure.inputs, structure.perform),
    "analyse": Stage(answer.inputs, answer.perform),
    "visualise": Stage(visualise.inputs, visualise.perform),
    "publish": Stage(publish.inputs, publish.perform),
}
