"""Tarnwick's house format: the layout that every answer to a customer must have (notebooks 06 and 09)."""

from __future__ import annotations

import re

from utils.citations import cited_numbers, without_citation_marks
from utils.prompts import ABSTENTION, is_abstention

GREETING = "Hello from Tarnwick!"
ANSWER_LABEL = "What we can tell you:"
SOURCE_LABEL = "From the handbook:"
FAREWELL = "Happy trails!"

INSTRUCTION = (
    f'Start with "{GREETING}", put "{ANSWER_LABEL}" before the answer, put "{SOURCE_LABEL}" before the source, '
    f'end with "{FAREWELL}", use a new line for each part.'
)

_PATTERN = re.compile(
    f"{re.escape(GREETING)}\n{re.escape(ANSWER_LABEL)} (.+)\n{re.escape(SOURCE_LABEL)} (\\[\\d+\\]|none)\n"
    f"{re.escape(FAREWELL)}"
)


def format_answer(sentence: str, source: int | None) -> str:
    """An answer laid out.  source: the cited passage's number, None when nothing is cited."""
    mark = f"[{source}]" if source else "none"
    return f"{GREETING}\n{ANSWER_LABEL} {sentence}\n{SOURCE_LABEL} {mark}\n{FAREWELL}"


def wrap_in_house_format(text: str) -> str:
    """A plain answer such as "Delivery costs $12. [2]" put into the house format by a template, without a model.

    The first passage that the answer cites becomes the source; an abstention cites none.
    """
    if is_abstention(text):
        return format_answer(ABSTENTION, None)
    numbers = cited_numbers(text)
    return format_answer(" ".join(without_citation_marks(text).split()), numbers[0] if numbers else None)


def answer_in_letter(text: str) -> str:
    """What a letter says between its fixed lines; a text that is no letter, as it is."""
    found = _PATTERN.fullmatch(text.strip())
    return found.group(1) if found else text


def follows_house_format(text: str) -> bool:
    """Whether the whole text is one answer in the house format, character by character."""
    return _PATTERN.fullmatch(text.strip()) is not None
