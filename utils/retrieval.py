"""Retrieval: passages become unit vectors, a question's nearest ones are found (built by hand in notebook 02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import faiss
import numpy as np

from utils.errors import CourseError
from utils.handbook import Article

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Hit:
    """A found passage.  score: its cosine similarity to the question, between -1 and 1."""

    article: Article
    score: float


def embed(texts: Sequence[str], embedder: SentenceTransformer) -> np.ndarray:
    """Unit vectors, float32, (len(texts), dimensions)."""
    vectors = embedder.encode(list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(vectors, dtype=np.float32)


def passage_text(article: Article) -> str:
    """What of an article is embedded: the title carries words that the text leaves out."""
    return f"{article.title}. {article.text}"


class DenseIndex:
    """Articles in a FAISS index, searched by meaning."""

    def __init__(self, articles: Sequence[Article], embedder: SentenceTransformer) -> None:
        """Embeds every article once.  Raises CourseError without articles."""
        if not articles:
            raise CourseError("There is nothing to index: give at least one article.")
        self.articles = tuple(articles)
        self._embedder = embedder
        vectors = embed([passage_text(article) for article in self.articles], embedder)
        self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(vectors)

    def search(self, questions: Sequence[str], k: int = 3) -> list[list[Hit]]:
        """The k nearest articles to each question, best first; all of them when there are fewer.

        Raises CourseError when a question is empty, ValueError when k < 1.
        """
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k}")
        if any(not question.strip() for question in questions):
            raise CourseError("A question is empty: write at least one word.")
        scores, rows = self._index.search(embed(questions, self._embedder), min(k, len(self.articles)))
        return [
            [Hit(self.articles[row], float(score)) for score, row in zip(score_row, row_row, strict=True)]
            for score_row, row_row in zip(scores, rows, strict=True)
        ]


def recall_at_k(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]], k: int) -> float:
    """Share of questions with at least one gold passage among the first k.

    rankings: one list of article ids per question, best first.  gold: the right ids, same order.
    Raises ValueError when the lengths differ, when there is no question, or when k < 1.
    """
    if len(rankings) != len(gold) or not gold or k < 1:
        raise ValueError("recall_at_k needs one ranking per question, at least one question, and k of 1 or more")
    return sum(bool(right & set(ranking[:k])) for ranking, right in zip(rankings, gold, strict=True)) / len(gold)
