"""Analyse: a question into an answer that explains itself."""

from cityline.stages.analyse.answers import answer
from cityline.stages.analyse.sentences import check_sentence

__all__ = ["answer", "check_sentence"]
