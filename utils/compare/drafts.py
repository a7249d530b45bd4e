"""Drafts of questions, made from the documents by a rule, for a person to correct.  A draft is no gold answer."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator, Sequence

from utils.compare.own_case import DRAFT
from utils.documents.structure import Block, blocks_within, sections_of
from utils.handbook import Article
from utils.sentences import sentences

GAP = "____"
# What can be asked for exactly: money, percentages, times, and numbers with what they count.
_NUMBER = r"\d+(?:[.,]\d+)*"
_VALUE = re.compile(
    rf"(?<![\w.,:-])(?:[$€£]{_NUMBER}|\d{{1,2}}:\d\d(?: ?[ap]m)?|{_NUMBER} ?%|{_NUMBER}(?: [a-z]{{3,}})?)(?!\w)"
)
_SHORTEST, _LONGEST = 5, 40  # words of a sentence
_MARKER = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+")  # of a list's item


def draft_questions(articles: Sequence[Article], most: int, seed: int = 0) -> list[tuple[str, str, str]]:
    """Up to `most` drafts as (question, answer, document): sentences with a gap where a value was.

    At most one for each sentence, and documents in turn, so that the drafts spread over the folder.
    """
    draws = random.Random(seed)
    shelves = [_drafts_of(article) for article in draws.sample(list(articles), len(articles))]
    for shelf in shelves:
        draws.shuffle(shelf)
    rounds = max(map(len, shelves), default=0)
    turns = [shelf[number] for number in range(rounds) for shelf in shelves if number < len(shelf)]
    return turns[:most]


def as_csv(drafts: Sequence[tuple[str, str, str]]) -> str:
    """The drafts as a question file.  A document's name never begins a formula when a spreadsheet opens the file."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(("question", "answer", "document"))
    rows.writerows((question, answer, f"./{document}") for question, answer, document in drafts)
    return written.getvalue()


def _drafts_of(article: Article) -> list[tuple[str, str, str]]:
    drafts = []
    for sentence in (one for text in _paragraphs(article) for one in sentences(text)):
        found = _VALUE.search(sentence)
        # A row of a table is no sentence.
        if found and _SHORTEST <= len(sentence.split()) <= _LONGEST and "|" not in sentence:
            gap = f"{sentence[: found.start()]}{GAP}{sentence[found.end() :]}"
            drafts.append((f"{DRAFT}What belongs in the gap? {gap}", found[0], article.id))
    return drafts


def _paragraphs(article: Article) -> Iterator[str]:
    """The paragraphs, each in one line however it was wrapped, and those of lists; no heading, code or table."""
    for section in sections_of(article.text):
        for block in section.blocks:
            if block.kind == "paragraph" and block.text not in section.path:  # a heading alone comes as its own text
                yield block.text
            elif block.kind == "list":
                yield from _items(block)


def _items(block: Block) -> Iterator[str]:
    inner = (one for part in block.parts for one in blocks_within(part))
    return (_MARKER.sub("", one.text, count=1) for one in inner if one.kind == "paragraph")
