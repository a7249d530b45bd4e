"""What the datasets hold: articles, questions and fine-tuning examples, as written to disk and read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Category = Literal["plain", "paraphrase", "untidy", "reworded", "two_facts", "unanswerable"]
CATEGORIES: tuple[Category, ...] = ("plain", "paraphrase", "untidy", "reworded", "two_facts", "unanswerable")


@dataclass(frozen=True)
class Article:
    """One page of the handbook.  audience: public, staff or managers.  valid_from: an ISO date."""

    id: str
    title: str
    section: str
    audience: str
    valid_from: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question with its gold answer.

    values: what a right answer must contain, all of it; empty when the handbook does not say.
    articles: ids of the articles that say so.  relations: ids of the facts' kinds, one per value.
    reference: a full answer in the handbook's own words.
    """

    id: str
    text: str
    category: Category
    values: tuple[str, ...]
    articles: tuple[str, ...]
    relations: tuple[str, ...]
    reference: str

    @property
    def answerable(self) -> bool:
        """Whether the handbook says."""
        return bool(self.values)


@dataclass(frozen=True)
class Example:
    """One fine-tuning example: a question, the passages shown with it, and the answer wished for.

    source: number of the passage that the answer comes from, counted from 1; None for an abstention.
    """

    id: str
    question: str
    articles: tuple[str, ...]
    sentence: str
    source: int | None
