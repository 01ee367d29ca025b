"""An answer in words: title, sentence, labels and notes in one language. Figures stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cityline.declarations.city import Event
from cityline.declarations.language import Language, QuestionWords
from cityline.declarations.question import Question
from cityline.lake.answer import Answer, AnswerColumn, Span
from cityline.lake.wording import Wording
from cityline.stages.analyse.sentences import render


def spoken(
    found: Answer,
    question: Question,
    events: Sequence[Event],
    wording: Wording,
    words: Language | None = None,
) -> Answer:
    """The answer in a language; without `words` in the declarations' own.

    Raises DeclarationError when the sentence asks for what the table does not have.
    """
    told = words.questions.get(question.name) if words else None
    period, comparison = _named(found.period, wording), _named(found.comparison, wording)
    columns = _columns(question, period, comparison, told)
    spans = [s for s in (period, comparison) if s]
    answer = replace(
        found,
        language=wording.language,
        title=told.title if told else question.title,
        columns=columns,
        period=period,
        comparison=comparison,
        notes=(
            *(told.notes if told else question.notes),
            *_event_notes(spans, events, wording, words),
        ),
    )
    return replace(answer, sentence=_sentence(answer, question, wording, words, told))


def _sentence(
    answer: Answer,
    question: Question,
    wording: Wording,
    words: Language | None,
    told: QuestionWords | None,
) -> str:
    if answer.refused:
        return refusal(answer, wording)
    text = render(
        question.name,
        told.sentence if told else question.sentence,
        _translated(answer, words),
        answer.period.label if answer.period else "",
        answer.comparison.label if answer.comparison else "",
        answer.parameters,
        wording,
    )
    return _narrowed(text[:1].upper() + text[1:], answer, wording, words)


def _narrowed(text: str, answer: Answer, wording: Wording, words: Language | None) -> str:
    """The sentence with the names it is about, where its own words do not say them: a figure of
    one department must not read like the city's."""
    chosen = [
        str(_value(words.values if words else {}, name, value))
        for name, value in answer.parameters.items()
        if name not in ("year", "compare")
    ]
    unsaid = [name for name in chosen if name not in text]
    return (
        wording.gettext("{names}: {sentence}").format(names=", ".join(unsaid), sentence=text)
        if unsaid
        else text
    )


def refusal(answer: Answer, wording: Wording) -> str:
    """Why an answer is refused, in words."""
    if wording.language == "en" or not answer.refusal:
        return f"Not answered: {answer.refused}."
    told = {
        "nothing-complete": wording.gettext("Not answered: no month is complete yet."),
        "year-incomplete": wording.gettext("Not answered: {year} has no complete month."),
        "same-year": wording.gettext("Not answered: {year} cannot be compared with itself."),
        "nothing-shared": wording.gettext(
            "Not answered: {year} and {compare} share no complete month."
        ),
        "no-year": wording.gettext("Not answered: no year is complete."),
        "nothing-counted": wording.gettext("Not answered: there are no inquiries for this choice."),
    }
    years = {k: str(answer.parameters.get(k, "")) for k in ("year", "compare")}
    return told[answer.refusal].format(**years)


def _translated(answer: Answer, words: Language | None) -> list[dict[str, object]]:
    if words is None:
        return answer.records()
    return [
        {k: _value(words.values, k, v) for k, v in record.items()} for record in answer.records()
    ]


def _value(values: Mapping[str, Mapping[str, str]], column: str, value: object) -> object:
    return values.get(column, {}).get(value, value) if isinstance(value, str) else value


def _named(span: Span | None, wording: Wording) -> Span | None:
    return replace(span, label=wording.span(span.start, span.end)) if span else None


def _columns(
    question: Question, period: Span | None, comparison: Span | None, told: QuestionWords | None
) -> tuple[AnswerColumn, ...]:
    heads = {
        "period": period.label if period else "",
        "comparison": comparison.label if comparison else "",
    }
    labels = told.columns if told else {}
    meanings = told.meanings if told else {}
    return tuple(
        AnswerColumn(
            c.name,
            heads.get(c.label_from) or labels.get(c.name, c.label),
            c.unit,
            meanings.get(c.name, c.description),
        )
        for c in question.columns
    )


def _event_notes(
    spans: Sequence[Span], events: Sequence[Event], wording: Wording, words: Language | None
) -> list[str]:
    """Events inside the months shown, which change what the figures mean."""
    if not spans:
        return []
    first, last = min(s.start for s in spans), max(s.end for s in spans)
    notes = []
    for event in events:
        if first <= event.date.replace(day=1) <= last:
            title, note = event_words(event, words)
            notes.append(f"{wording.month(event.date)}: {title}. {note}".strip())
    return notes


def event_words(event: Event, words: Language | None) -> tuple[str, str]:
    """An event's title and note, in the language where it has words there."""
    told = words.events.get(event.date.isoformat()) if words else None
    return (told.title, told.note) if told else (event.title, event.note)
