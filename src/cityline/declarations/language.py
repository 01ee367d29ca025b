"""A second language of a city: its own words for what the declarations say in the first.

A word that is missing falls back to the city's language, and pages mark it as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from cityline.declarations.reading import Declared
from cityline.errors import Problem

if TYPE_CHECKING:
    from cityline.declarations.folder import Folder
    from cityline.declarations.question import Question


class QuestionWords(Declared):
    """A question's words. `columns` and `meanings` are keyed by column name."""

    title: str
    sentence: str
    description: str = ""
    columns: dict[str, str] = Field(default_factory=dict)
    meanings: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()


class FacetWords(Declared):
    """A facet's words."""

    title: str
    one: str


class EventWords(Declared):
    """An event's words."""

    title: str
    note: str = ""


class Language(Declared):
    """`languages/<name>.toml`. `values` maps a column to its values' translations; `events` are
    keyed by their date; `tables` hold descriptions of models and `meanings` those of columns,
    keyed by `model.column` or, for all models, by `column`."""

    name: str
    city: str
    sources: dict[str, str] = Field(default_factory=dict)
    questions: dict[str, QuestionWords] = Field(default_factory=dict)
    facets: dict[str, FacetWords] = Field(default_factory=dict)
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    events: dict[str, EventWords] = Field(default_factory=dict)
    tables: dict[str, str] = Field(default_factory=dict)
    meanings: dict[str, str] = Field(default_factory=dict)


def missing_words(folder: Folder) -> Iterator[Problem]:
    """What a language the city publishes in does not say yet, and words for what is not there."""
    for name in folder.city.languages[1:]:
        file = f"languages/{name}.toml"
        words = folder.languages.get(name)
        if words is None:
            yield Problem("city.toml", "languages", f"no file {file}", "write it, or drop it")
            continue
        for question in folder.questions.values():
            yield from _of_question(question, words, file)
        for facet in folder.facets:
            if facet not in words.facets:
                yield Problem(file, f"facets.{facet}", "has no words yet")
        for event in folder.city.events:
            if event.date.isoformat() not in words.events:
                yield Problem(file, f"events.{event.date}", "has no words yet")
        for model in folder.models:
            if model not in words.tables:
                yield Problem(file, f"tables.{model}", "has no words yet")
        for extra in sorted(set(words.questions) - set(folder.questions)):
            yield Problem(file, f"questions.{extra}", "there is no such question")


def _of_question(question: Question, words: Language, file: str) -> Iterator[Problem]:
    told = words.questions.get(question.name)
    key = f"questions.{question.name}"
    if told is None:
        yield Problem(file, key, "has no words yet", "title, sentence, description, columns")
        return
    for column in question.columns:
        if column.name not in told.columns:
            yield Problem(file, f"{key}.columns.{column.name}", "has no words yet")
        if column.description and column.name not in told.meanings:
            yield Problem(file, f"{key}.meanings.{column.name}", "has no words yet")
    if question.description and not told.description:
        yield Problem(file, f"{key}.description", "has no words yet")
    if len(question.notes) != len(told.notes):
        yield Problem(file, f"{key}.notes", f"{len(question.notes)} notes are expected")
