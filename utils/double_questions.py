"""Two questions in one: what to ask a search that finds the passages for one question at a time (notebook 02)."""

from __future__ import annotations

import re
from dataclasses import replace

from utils.handbook import Question

# People are less tidy than the course's questions: there, a language model would have to split them.
_JOINED = re.compile(r"(?<=\?) And ")


def in_halves(question: Question) -> list[Question]:
    """The questions that two, joined by "And", consist of; a question alone is the only one.

    Each keeps the gold values and articles of the whole.
    """
    halves = _JOINED.split(question.text)
    return [replace(question, text=half[0].upper() + half[1:]) for half in halves]
