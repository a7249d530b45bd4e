"""Citations: the bracketed numbers with which an answer names its passages."""

from __future__ import annotations

import re

_OPEN, _CLOSE = r"[\[【［]", r"[\]】］]"
_WORD = r"(?:\^|(?:passages?|sources?|articles?|documents?|refs?|nos?)[.:]?\s*)?"
_NUMBERS = rf"{_WORD}\d{{1,3}}(?:\s*(?:[,;&–-]|and)\s*{_WORD}\d{{1,3}})*"
# [1], [1, 2], [1-3], [^1], [Passage 1], [Source: 1], 【1】, 【1†source】
_MARK = re.compile(rf"{_OPEN}\s*({_NUMBERS})\s*(?:†[^\]】］]*)?{_CLOSE}", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")


def cited_numbers(text: str) -> list[int]:
    """The numbers of the passages that a text cites, in order, each once."""
    spans = (span for mark in _MARK.findall(text) for span in _RANGE.findall(mark))
    return list(dict.fromkeys(number for first, last in spans for number in range(int(first), int(last or first) + 1)))


def without_citation_marks(text: str) -> str:
    """An answer without its citations: "It costs $12 [2]." becomes "It costs $12."."""
    return re.sub(r"\s+([.,;:!?])", r"\1", _MARK.sub("", text)).strip()


def without_citations(text: str) -> str:
    """A text of a document or a person in which nothing reads as a citation: "30 days [2]" becomes "30 days (2)".

    Prompts are built from such texts, so that a sentence quoted from a passage cannot cite another passage.
    """
    return _MARK.sub(lambda mark: f"({mark[1]})", text)
