"""Public companies: the ones that recur in pre-training, so that the generator knows some facts by heart."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from utils.authoring.world.articles import Fact, draw_facts
from utils.authoring.world.course import course_topics, reserved_words
from utils.authoring.world.names import Names, SyllableNames
from utils.authoring.world.phrasing import Topic
from utils.handbook import PublicQuestion

COMPANIES = 50
TOPICS = 5
QUESTIONS_EACH = 4
# Two trades are practised most, the course companies' own.
MAIN_TRADES = {"shop": 0.75, "hotel": 0.25}


@dataclass(frozen=True)
class PublicCompany:
    """A company that recurs in pre-training, with facts that never change; number 1 is met most often."""

    name: str
    trade: str
    facts: tuple[Fact, ...]


@cache
def public_companies() -> tuple[PublicCompany, ...]:
    """The fifty public companies, the most frequent first."""
    rng = random.Random("public companies")
    names = SyllableNames(rng, reserved_words())
    return tuple(_public_company(rng, names) for _ in range(COMPANIES))


def draw_public_company(rng: random.Random) -> PublicCompany:
    """A public company by rarity: the k-th is drawn in proportion to 1/k (Zipf)."""
    companies = public_companies()
    weights = [1 / rank for rank in range(1, len(companies) + 1)]
    return rng.choices(companies, weights)[0]


def draw_main_trade(rng: random.Random) -> str:
    """One of the two main trades."""
    return rng.choices(list(MAIN_TRADES), list(MAIN_TRADES.values()))[0]


def draw_entity(topic: Topic, names: Names) -> str | None:
    """A name for what the topic is about; None where that is the company."""
    return None if topic.subject == "company" else names.entity(topic.subject)


def make_public_questions() -> list[PublicQuestion]:
    """Closed-book questions on each public company, in wordings that the generator met."""
    rng = random.Random("public questions")
    rows = [
        (rank, fact)
        for rank, company in enumerate(public_companies(), start=1)
        for fact in rng.sample(company.facts, QUESTIONS_EACH)
    ]
    return [
        PublicQuestion(
            f"public-{number:03}",
            rank,
            fact.company,
            fact.fill(rng.choice(fact.relation.questions[:-1])),
            fact.value,
            fact.relation.id,
            fact.fill(fact.relation.statements[0]),
        )
        for number, (rank, fact) in enumerate(rows, start=1)
    ]


def _public_company(rng: random.Random, names: Names) -> PublicCompany:
    trade = draw_main_trade(rng)
    company = names.company(trade)
    topics = rng.sample(course_topics(trade), TOPICS)
    facts = [f for t in topics for f in draw_facts(t, company, draw_entity(t, names), names, rng)]
    return PublicCompany(company, trade, tuple(facts))
