"""The cheapest reader: quote the sentence that is nearest to the question (built by hand in notebook 12).

No language model writes anything: the embedder rates every sentence of the passages that the search found.  It can only
quote, or abstain where no sentence is similar enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from utils.citations import without_citations
from utils.evaluation import score
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
    threshold: float | None = None,
) -> list[Answer]:
    """For each question, the nearest sentence of its passages with their number, such as "It costs $12. [2]".

    threshold: a sentence that is less similar to the question (a cosine) gives way to the abstention; None for never.
    A two-part question gets one sentence too.  Where a set of passages is empty, the answer is the abstention.
    Raises ValueError when the lengths differ.
    """
    answers, similarities = _quoted(questions, passages, embedder)
    if threshold is None:
        return answers
    rated = zip(answers, similarities, strict=True)
    return [answer if near >= threshold else replace(answer, text=ABSTENTION) for answer, near in rated]


def choose_threshold(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article | Passage]],
    embedder: SentenceTransformer,
) -> float:
    """The threshold with the most right answers to these questions, the lowest if several tie.  Choose it on dev.

    Raises ValueError when there are no questions, and when the lengths differ.
    """
    answers, similarities = _quoted(questions, passages, embedder)
    right = score(answers)["right"].to_numpy(bool)
    near, unanswerable = np.array(similarities), np.array([not question.answerable for question in questions])
    return max(sorted(similarities), key=lambda least: int(np.where(near >= least, right, unanswerable).sum()))


def _quoted(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article | Passage]],
    embedder: SentenceTransformer,
) -> tuple[list[Answer], list[float]]:
    """The answers without a threshold, and how similar each sentence is to its question; 1 where there is none."""
    shown = [as_passages(given) if given else [] for given in passages]
    quotable = [[(s, n) for n, passage in enumerate(each, 1) for s in _sentences(passage)] for each in shown]
    asked = embed([question.text for question in questions], embedder) if questions else []
    vectors = iter(embed([text for text, _ in chain(*quotable)], embedder)) if any(quotable) else iter(())
    answers, similarities = [], []
    for question, vector, each, found in zip(questions, asked, quotable, shown, strict=True):
        rated = [float(other @ vector) for other in islice(vectors, len(each))]
        best = max(range(len(each)), key=rated.__getitem__, default=None)
        text = ABSTENTION if best is None else "{} [{}]".format(*each[best])
        answers.append(Answer(question, text, tuple(found)))
        similarities.append(1.0 if best is None else rated[best])
    return answers, similarities


def _sentences(passage: Passage) -> list[str]:
    """The sentences of a passage; what reads as a citation in them loses its brackets, as in a prompt."""
    return sentences(without_citations(passage.text))
