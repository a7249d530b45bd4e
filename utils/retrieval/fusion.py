"""Reciprocal rank fusion: one ranking out of several (built by hand in notebook 03)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from utils.retrieval.base import Allowed, Hit, SearchIndex, check_search

T = TypeVar("T", bound=Hashable)


def fuse(rankings: Sequence[Sequence[T]], k: int = 60) -> dict[T, float]:
    """Scores by reciprocal rank fusion, best first: the sum of 1 / (k + rank) over the rankings that hold an item.

    rankings: of one question, each best first; ranks count from 1, and an item may be missing from some.
    k: how little the first places count more than the rest; 60 as in Cormack, Clarke and Büttcher (SIGIR 2009).
    Items of equal score come in the order in which they first appear.
    Raises ValueError when k < 0 or when a ranking holds an item twice.
    """
    if k < 0:
        raise ValueError(f"k must be 0 or more, not {k}")
    scores: defaultdict[T, float] = defaultdict(float)
    for ranking in rankings:
        if len(set(ranking)) < len(ranking):
            raise ValueError("a ranking holds an item twice: list each once")
        for rank, item in enumerate(ranking, start=1):
            scores[item] += 1 / (k + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class FusedIndex:
    """Several indexes over the same passages, searched together.  A hit's score is its fused score.

    indexes: at least one, else ValueError.  depth: how many hits of each index are fused.
    """

    indexes: Sequence[SearchIndex]
    depth: int = 100

    def __post_init__(self) -> None:
        if not self.indexes:
            raise ValueError("a fused index needs at least one index")

    def search(self, questions: Sequence[str], k: int = 3, allowed: Allowed | None = None) -> list[list[Hit]]:
        """The k best passages for each question by reciprocal rank fusion, best first.

        allowed: as for `DenseIndex.search`.  Raises CourseError when a question is empty or too long for one of the
        indexes, ValueError when k < 1.
        """
        check_search(questions, k)
        found = [index.search(questions, max(k, self.depth), allowed) for index in self.indexes]
        return [_fused(hits)[:k] for hits in zip(*found, strict=True)]


def _fused(hits_of_each: Sequence[Sequence[Hit]]) -> list[Hit]:
    scores = fuse([[hit.passage for hit in hits] for hits in hits_of_each])
    return [Hit(passage, score) for passage, score in scores.items()]
