"""What a card and a whole quiz are called in the plain text of a notebook's output, written and read."""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = re.compile(r"Quiz (?P<quiz>\w+)(?:, question (?P<question>\w+)|: \d+ questions?)")


class Shown(NamedTuple):
    """What an output shows.  quiz: its number, such as "02".  question: its id; None for the whole quiz."""

    quiz: str
    question: str | None


def card_name(quiz: str, question: str) -> str:
    """The card of one question, by its id: "Quiz 02, question why_chunk"."""
    return f"Quiz {quiz}, question {question}"


def quiz_name(quiz: str, questions: int) -> str:
    """A whole quiz with its number of questions: "Quiz 02: 8 questions"."""
    return f"Quiz {quiz}: {questions} question{'s' if questions > 1 else ''}"


def parsed(name: str) -> Shown | None:
    """What an output of that name shows; None when it is the name of neither."""
    found = NAME.fullmatch(name)
    return Shown(found["quiz"], found["question"]) if found else None
