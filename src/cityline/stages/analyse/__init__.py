"""Analyse: a question into an answer that explains itself."""

from cityline.stages.analyse.answers import answer
from cityline.stages.analyse.glance import Figure, Glance, glance
from cityline.stages.analyse.periods import Calendar
from cityline.stages.analyse.rewording import event_words, spoken
from cityline.stages.analyse.sentences import check_sentence

__all__ = [
    "Calendar",
    "Figure",
    "Glance",
    "answer",
    "check_sentence",
    "event_words",
    "glance",
    "spoken",
]
