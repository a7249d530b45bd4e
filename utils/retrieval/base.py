"""What every index has in common: questions in, hits out, best first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from utils.errors import CourseError
from utils.handbook import Passage

Allowed = Callable[[Passage], bool] | Collection[str]
"""Who may be found: a test of a passage (`lambda passage: passage.audience == "public"`), or ids of articles."""


@dataclass(frozen=True)
class Hit:
    """A found passage.  score: the higher the better; its scale depends on the index."""

    passage: Passage
    score: float


class SearchIndex(Protocol):
    """Anything that can be searched: dense, BM25, or several fused."""

    def search(self, questions: Sequence[str], k: int = 3, allowed: Allowed | None = None) -> list[list[Hit]]:
        """The k best passages for each question, best first, among those allowed."""


def ranked_articles(hits: Sequence[Hit]) -> list[str]:
    """Ids of the articles found, best first, each once: the ranking that the metrics want."""
    return list(dict.fromkeys(hit.passage.article_id for hit in hits))


def check_search(questions: Sequence[str], k: int) -> None:
    """Refuses questions that cannot be searched for.

    Raises ValueError when k < 1; CourseError when a question is empty, or when one is given alone, without a list.
    """
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    if isinstance(questions, str):
        raise CourseError("search takes a list of questions: put square brackets around the one question.")
    for question in questions:
        if not question.strip():
            raise CourseError("A question is empty: write at least one word.")


def allowed_mask(passages: Iterable[Passage], allowed: Allowed | None) -> list[bool]:
    """For each passage, whether it may be found; every one where nothing is said.

    Raises CourseError when one id is given alone, without a set.
    """
    if isinstance(allowed, str):
        raise CourseError("allowed takes a set of article ids: put curly brackets around the one id.")
    if allowed is None:
        return [True for _ in passages]
    if callable(allowed):
        return [bool(allowed(passage)) for passage in passages]
    ids = frozenset(allowed)
    return [passage.article_id in ids for passage in passages]
