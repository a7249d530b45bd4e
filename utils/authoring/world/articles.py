"""Companies and their articles: facts drawn from a seed, written out in sentences.

Everything is pure and seeded: the same random state gives the same article, byte for byte.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from utils.authoring.world.names import Names
from utils.authoring.world.phrasing import Relation, Topic
from utils.authoring.world.values import draw_value


@dataclass(frozen=True)
class Fact:
    """One value that holds at a company: for the whole of it, or for one entity."""

    relation: Relation
    value: str
    company: str
    entity: str | None = None

    @property
    def id(self) -> str:
        """Names the fact within its company, for example `rental_price/Kestrel 40`."""
        return self.relation.id + (f"/{self.entity}" if self.entity else "")

    def fill(self, wording: str) -> str:
        """A statement or question with the fact's names in it, starting with a capital."""
        text = wording.replace("{value}", self.value).replace("{company}", self.company)
        text = text.replace("{entity}", self.entity or "")
        return text[0].upper() + text[1:]


@dataclass(frozen=True)
class Stated:
    """A fact and the very sentence that states it."""

    fact: Fact
    sentence: str


@dataclass(frozen=True)
class Draft:
    """An article before it has an id and a date: what it says, and which sentence says which fact."""

    topic: Topic
    title: str
    stated: tuple[Stated, ...]
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentences as one paragraph."""
        return " ".join(self.sentences)


def draw_facts(
    topic: Topic, company: str, entity: str | None, names: Names, rng: random.Random, count: int | None = None
) -> list[Fact]:
    """`count` of the topic's facts (all when None), in random order."""
    relations = rng.sample(topic.relations, min(count or len(topic.relations), len(topic.relations)))
    return [Fact(relation, draw_value(relation, names, company, rng), company, entity) for relation in relations]


def write_article(
    topic: Topic,
    facts: list[Fact],
    rng: random.Random,
    connect: float = 0.7,
    title: str | None = None,
    wordings: int | None = None,
) -> Draft:
    """States the facts in one article.

    connect: probability of an opening sentence, and of a closing one.  title: one of the topic's, else drawn.
    wordings: how many of each relation's statements are in play, None for all.
    Raises ValueError without facts.
    """
    if not facts:
        raise ValueError(f"an article on {topic.topic} needs at least one fact")
    stated = tuple(Stated(fact, fact.fill(rng.choice(fact.relation.statements[:wordings]))) for fact in facts)
    sentences = [item.sentence for item in stated]
    if rng.random() < connect:
        sentences.insert(0, facts[0].fill(rng.choice(topic.openers)))
    if rng.random() < connect:
        sentences.append(facts[0].fill(rng.choice(topic.closers)))
    return Draft(topic, facts[0].fill(title or rng.choice(topic.titles)), stated, tuple(sentences))
