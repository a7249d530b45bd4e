"""The handbook, its questions and the answers: the types that all notebooks share.

Article → passage → answer: an answer holds the passages that it was shown.  `utils.datasets` reads them from disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from utils.errors import CourseError

COMPANY = "Tarnwick Outfitters"

Audience = Literal["public", "staff", "managers"]
Category = Literal["plain", "paraphrase", "untidy", "reworded", "jargon", "two_facts", "unanswerable", "changed"]
# Who may read what: each may read its own articles and those of the audiences before it.
AUDIENCES: tuple[Audience, ...] = ("public", "staff", "managers")


@dataclass(frozen=True)
class Article:
    """One page of the handbook.  valid_from: an ISO date."""

    id: str
    title: str
    section: str
    audience: Audience
    valid_from: str
    text: str


@dataclass(frozen=True)
class Passage:
    """A piece of an article, or all of it: what search finds, a prompt shows and an answer cites.

    id: unique in an index.  article_id: the article that it comes from.  The rest is the article's own.
    """

    id: str
    article_id: str
    title: str
    text: str
    section: str = ""
    audience: str = "public"
    valid_from: str = ""


@dataclass(frozen=True)
class Question:
    """A question with its gold answer.

    values: what a right answer must contain, all of it; empty when the handbook does not say.
    articles: ids of the articles that say so.  relations: ids of the facts' kinds, one per value.
    reference: a full answer in the handbook's own words.  audience: who may know the answer.
    """

    id: str
    text: str
    category: Category
    values: tuple[str, ...]
    articles: tuple[str, ...]
    relations: tuple[str, ...]
    reference: str
    audience: Audience = "public"

    @property
    def answerable(self) -> bool:
        """Whether the handbook says it."""
        return bool(self.values)


@dataclass(frozen=True)
class Answer:
    """What an arm, one way of answering, said.

    passages: those it was shown, in the order of their numbers in the prompt.
    """

    question: Question
    text: str
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True)
class Example:
    """One fine-tuning example: a question, the passages shown with it, and the answer wished for.

    source: number of the passage that the answer comes from, counted from 1; None for an abstention.
    audience: whom the answer is for.  value, kind: what the sentence says, and of what kind it is (`load_kinds`).
    """

    id: str
    question: str
    articles: tuple[str, ...]
    sentence: str
    source: int | None
    audience: Audience = "public"
    value: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class TaughtFact:
    """A fact to put into a model's weights (notebook 07).

    taught, other: wordings of the question, to train on and to ask with.
    later_value, later_sentence: what the handbook says after the fact has changed.
    """

    id: str
    article_id: str
    relation: str
    kind: str
    value: str
    sentence: str
    taught: tuple[str, ...]
    other: tuple[str, ...]
    later_value: str
    later_sentence: str


@dataclass(frozen=True)
class Change:
    """One day's change to the handbook.

    date: ISO.  kind: "replace" an article by a newer text, "add" a new one, or "withdraw" one.
    article: the new text; None when one is withdrawn.
    """

    date: str
    kind: Literal["replace", "add", "withdraw"]
    article_id: str
    article: Article | None


@dataclass(frozen=True)
class Version:
    """What the handbook said from a day on; without values it did not say."""

    valid_from: str
    values: tuple[str, ...]
    articles: tuple[str, ...]
    reference: str


@dataclass(frozen=True)
class DatedQuestion:
    """A question whose gold answer changes: one version for each time, the oldest first."""

    id: str
    text: str
    relation: str
    versions: tuple[Version, ...]

    def on(self, date: str) -> Question:
        """The question with the gold answer of that day (ISO date).  Raises ValueError before the first version."""
        known = [version for version in self.versions if version.valid_from <= date]
        if not known:
            raise ValueError(f"{self.id} has no answer before {self.versions[0].valid_from}, but {date} was asked for")
        now = known[-1]
        relations = (self.relation,) if now.values else ()
        return Question(self.id, self.text, "changed", now.values, now.articles, relations, now.reference)


@dataclass(frozen=True)
class Ticket:
    """A customer's or colleague's message, and the queue it belongs in."""

    id: str
    text: str
    queue: str


@dataclass(frozen=True)
class JargonPair:
    """A question in the company's jargon and the article that answers it: for fine-tuning the embedder."""

    question: str
    article_id: str


@dataclass(frozen=True)
class PublicQuestion:
    """A question on a public company, met in pre-training.  rank: 1 for the company met most often."""

    id: str
    rank: int
    company: str
    text: str
    value: str
    relation: str
    reference: str


# A solved question for a few-shot prompt: the question, its passages, the answer.
ShownExample = tuple[str, Sequence[Article], str]


def articles_by_id(articles: Sequence[Article], ids: Sequence[str]) -> list[Article]:
    """The articles with these ids, in this order.  Raises CourseError for an unknown id."""
    by_id = {article.id: article for article in articles}
    unknown = [identifier for identifier in ids if identifier not in by_id]
    if unknown:
        raise CourseError(f"The handbook has no article with the id {unknown[0]!r}: look in datasets/handbook.")
    return [by_id[identifier] for identifier in ids]
