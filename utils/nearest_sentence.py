"""The cheapest reader: quote the sentence that is nearest to the question (built by hand in notebook 12).

No language model writes anything: the embedder rates every sentence of the passages that the search found.  It never
abstains, and it can only quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from utils.citations import without_citations
from utils.handbook import Answer, Article, Passage, Question
from utils.prompts import ABSTENTION
from utils.retrieval import as_passages, embed
from utils.sentences import sentences

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def answer_by_nearest_sentence(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article | Passage]],
    embedder: SentenceTransformer,
) -> list[Answer]:
    """For each question, the nearest sentence of its passages with their number, such as "It costs $12. [2]".

    A two-part question gets one sentence too.  Where a set of passages is empty, the answer is the abstention.
    Raises ValueError when the lengths differ.
    """
    shown = [as_passages(given) if given else [] for given in passages]
    quotable = [[(s, n) for n, passage in enumerate(each, 1) for s in _sentences(passage)] for each in shown]
    asked = embed([question.text for question in questions], embedder) if questions else []
    vectors = iter(embed([text for text, _ in chain(*quotable)], embedder)) if any(quotable) else iter(())
    answers = []
    for question, vector, each, found in zip(questions, asked, quotable, shown, strict=True):
        rated = [float(other @ vector) for other in islice(vectors, len(each))]
        text, number = each[max(range(len(each)), key=rated.__getitem__)] if each else (ABSTENTION, None)
        answers.append(Answer(question, f"{text} [{number}]" if number else text, tuple(found)))
    return answers


def _sentences(passage: Passage) -> list[str]:
    """The sentences of a passage; what reads as a citation in them loses its brackets, as in a prompt."""
    return sentences(without_citations(passage.text))
