"""Search by words: BM25, which weighs rare words that question and passage share (built in notebook 03)."""

from __future__ import annotations

from collections.abc import Sequence

import bm25s
import numpy as np

from utils.errors import CourseError
from utils.handbook import Article, Passage
from utils.retrieval.base import Allowed, Hit, allowed_mask, check_search
from utils.retrieval.passages import as_passages, passage_text


class Bm25Index:
    """Passages searched by the words they share with a question (bm25s, Lù 2024, arXiv 2407.03618).

    bm25s's defaults: Lucene's variant with k1 = 1.5 and b = 0.75; words of two or more letters or digits in small
    letters, without English stop words, not stemmed.  A word's weight depends on all passages, so there is no
    `add`: make a new index after a change.
    """

    def __init__(self, articles: Sequence[Article | Passage]) -> None:
        """Counts the words of every passage; an article counts as one passage.

        Raises CourseError without articles, when one has no text, when two share an id, and when no passage holds
        a word to search for.
        """
        self.passages = tuple(as_passages(articles))
        tokens = bm25s.tokenize([passage_text(passage) for passage in self.passages], show_progress=False)
        if not any(tokens.ids):
            raise CourseError("The articles hold only stop words and single letters: BM25 has no word to search for.")
        self._scorer = bm25s.BM25()
        self._scorer.index(tokens, show_progress=False)

    def __len__(self) -> int:
        return len(self.passages)

    def search(self, questions: Sequence[str], k: int = 3, allowed: Allowed | None = None) -> list[list[Hit]]:
        """The k best passages for each question, best first; fewer, or none, when fewer share a word with it.

        A hit's score is its BM25 score, above 0 and without an upper limit.  Passages of equal score come in the
        index's order.  allowed: as for `DenseIndex.search`; words are weighed by all passages, allowed or not.
        Raises CourseError when a question is empty, ValueError when k < 1.
        """
        check_search(questions, k)
        mask = np.array(allowed_mask(self.passages, allowed))
        return [self._search_one(question, k, mask) for question in questions]

    def _search_one(self, question: str, k: int, mask: np.ndarray) -> list[Hit]:
        (words,) = bm25s.tokenize([question], return_ids=False, show_progress=False)
        if not words:
            return []
        scores = self._scorer.get_scores(words)
        rows = np.flatnonzero((scores > 0) & mask)
        best = rows[np.argsort(-scores[rows], kind="stable")][:k]
        return [Hit(self.passages[row], float(scores[row])) for row in best]
