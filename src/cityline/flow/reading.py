"""What may be read of one consistent state: answers with their pictures, in one language.

Publishing and serving read through this; so do older states, asked by their id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any

from cityline.declarations.question import Question
from cityline.errors import UsageError
from cityline.flow.parts import Parts
from cityline.flow.plan import questions
from cityline.flow.steps.answer import compute, load, read_calendar
from cityline.flow.steps.outcome import Done
from cityline.lake.address import Address
from cityline.lake.answer import Answer
from cityline.lake.wording import Wording, wording
from cityline.stages.analyse import Calendar, spoken
from cityline.stages.publish.site import Choice, Entry, slugs
from cityline.stages.visualise import chart, look

Ask = tuple[str, Mapping[str, Any]]
"""A question's name and the parameters it is asked with."""

Counts = dict[str, dict[date, int]]
"""Inquiries by value and by month (first days)."""


class Reading:
    """One state in one language. `audience` decides which questions there are."""

    def __init__(
        self,
        parts: Parts,
        done: Done,
        language: str = "",
        audience: str = "public",
        beside: Reading | None = None,
    ) -> None:
        """`beside` is a reading of the same state in another language, whose figures are taken."""
        self.parts = parts
        self.done = done
        self.folder = parts.folder
        self.language = language or parts.folder.city.language
        self.audience = audience
        self.words: Wording = wording(self.language)
        self.told = parts.folder.languages.get(self.language)
        self._computed: dict[tuple[str, str], Answer] = beside._computed if beside else {}
        self._calendars: dict[str, Calendar] = beside._calendars if beside else {}
        self._slugs: dict[str, dict[str, str]] = {}
        self._counts: dict[str, Counts] = beside._counts if beside else {}

    @property
    def names(self) -> Mapping[str, Mapping[str, str]]:
        """Translations of values by column."""
        return self.told.values if self.told else {}

    @cached_property
    def questions(self) -> list[str]:
        """The questions this audience may read, in order."""
        every = questions(self.folder)
        if self.audience == "internal":
            return every
        return [q for q in every if self.folder.questions[q].audience == "public"]

    def answer(self, name: str, parameters: Mapping[str, Any] | None = None) -> Answer:
        """An answer in this language; without parameters the one that was kept.

        Raises UsageError for an unknown question, parameter or value.
        """
        if name not in self.questions:
            raise UsageError(f"no question {name!r}", hint=f"known: {', '.join(self.questions)}")
        asked = {k: v for k, v in (parameters or {}).items() if v not in ("", None)}
        key = (name, repr(sorted(asked.items())))
        if key not in self._computed:
            found = (
                compute(
                    self.parts,
                    name,
                    self.done,
                    asked,
                    calendar=self.calendar(self.folder.questions[name].period.source),
                    known=self._known(name),
                )
                if asked
                else load(self.parts, name, self.done)
            )
            self._computed[key] = found
        return spoken(
            self._computed[key],
            self.folder.questions[name],
            self.folder.city.events,
            self.words,
            self.told,
        )

    def entries(
        self, asks: Sequence[Ask], *, live: bool = False, drawn: bool = True
    ) -> list[Entry]:
        """Answers with their pictures, drawn together, or without any. Milliseconds are told only
        when live: a page that is built again must be the same byte for byte."""
        answers = [self.answer(name, parameters) for name, parameters in asks]
        if not live:
            answers = [replace(a, milliseconds=0.0) for a in answers]
        style = look(self.language, self.names)
        shown = [a for a in answers if drawn and not a.refused]
        pictures = self.parts.figures.draw([chart(a, style) for a in shown], self.language)
        by_answer = {id(a): svg for a, svg in zip(shown, pictures, strict=True)}
        return [
            self._entry(a, parameters, by_answer.get(id(a), ""), live=live)
            for a, (_, parameters) in zip(answers, asks, strict=True)
        ]

    def _entry(
        self, answer: Answer, asked: Mapping[str, Any], picture: str, *, live: bool
    ) -> Entry:
        question = self.folder.questions[answer.question]
        told = self.told.questions.get(question.name) if self.told else None
        return Entry(
            answer,
            picture,
            told.description if told else question.description,
            path_of(question, asked),
            tuple(self._choices(question, answer)),
            live,
        )

    def _choices(self, question: Question, answer: Answer) -> Iterable[Choice]:
        calendar = self.calendar(question.period.source)
        labels = {
            "year": self.words.gettext("Year"),
            "compare": self.words.gettext("Compare with"),
            "department": self.words.gettext("Department"),
            "channel": self.words.gettext("Channel"),
        }
        everything = ("", self.words.gettext("All"))
        for name, parameter in question.parameters.items():
            chosen = str(answer.parameters.get(name, ""))
            label = labels.get(name, name.replace("_", " ").capitalize())
            if parameter.kind == "value":
                values = self.values(parameter.values_from)
                named = self.names.get(name, {})
                options = (everything, *((v, named.get(v, v)) for v in values))
            else:
                options = tuple((str(y), str(y)) for y in reversed(calendar.years))
            yield Choice(name, label, chosen, options)

    def calendar(self, source: str) -> Calendar:
        """Which months of a source there are, and which are complete."""
        if source not in self._calendars:
            self._calendars[source] = read_calendar(self.parts, source, self.done)
        return self._calendars[source]

    def _known(self, name: str) -> dict[str, list[str]]:
        """The values of every parameter of a question, by where they come from."""
        asked = self.folder.questions[name].parameters.values()
        return {p.values_from: self.values(p.values_from) for p in asked if p.kind == "value"}

    def values(self, values_from: str) -> list[str]:
        """The distinct values of `table.column`, sorted."""
        return sorted(self.counts(values_from))

    def counts(self, values_from: str) -> Counts:
        """Inquiries by value of `table.column` and by month."""
        if values_from not in self._counts:
            table, _, column = values_from.rpartition(".")
            quoted = '"' + column.replace('"', '""') + '"'
            sql = (
                f"SELECT {quoted} AS value, month, CAST(sum(inquiries) AS BIGINT) AS n "
                f"FROM {table} WHERE {quoted} IS NOT NULL GROUP BY {quoted}, month "
                "ORDER BY value, month"
            )
            version = self.done.version(Address.parse(table))
            rows = self.parts.asking.query(sql, {table: version}).to_pylist()
            found = self._counts.setdefault(values_from, {})
            for row in rows:
                found.setdefault(row["value"], {})[row["month"]] = row["n"]
        return self._counts[values_from]

    def slugs(self, facet: str) -> dict[str, str]:
        """The short name of each value of a facet."""
        if facet not in self._slugs:
            self._slugs[facet] = slugs(self.values(self.folder.facets[facet].values_from))
        return self._slugs[facet]


def path_of(question: Question, asked: Mapping[str, Any]) -> str:
    """The address of an answer's page below the language's root."""
    if question.prebuild == ("year", "compare") and {"year", "compare"} <= set(asked):
        return f"compare/{asked['compare']}-{asked['year']}/"
    if question.prebuild == ("year",) and "year" in asked:
        return f"questions/{question.name}/{asked['year']}/"
    return f"questions/{question.name}/"


def prebuilt(question: Question, years: Sequence[int]) -> list[dict[str, int]]:
    """The parameters a static site has pages for: each year, or each pair of years."""
    if question.prebuild == ("year",):
        return [{"year": y} for y in years]
    if question.prebuild == ("year", "compare"):
        return [{"year": y, "compare": c} for y in years for c in years if c < y]
    return []
