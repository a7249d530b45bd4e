"""Fine-tuning sets, made from facts and questions that dev and test never ask about.

Answers that cite or abstain, with distractors (letter, record and tone are made of them in code), tickets to sort into
queues, facts to teach, and pairs for the embedder.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from utils.authoring.world.articles import Stated
from utils.authoring.world.course import course_names
from utils.authoring.world.handbooks import Handbook
from utils.authoring.world.jargon import jargon
from utils.authoring.world.names import ListedNames
from utils.authoring.world.questions import StatedIn, deal_facts, missing_questions, wordings
from utils.authoring.world.values import KINDS, draw_value
from utils.handbook import Article, Category, Example, JargonPair, TaughtFact, Ticket
from utils.prompts import ABSTENTION

ANSWERS = 136
ASKED: tuple[Category, ...] = ("plain", "paraphrase", "untidy", "reworded")
DISTRACTORS = 2
TICKETS = {"train": 150, "dev": 60, "test": 120}
JARGON_PAIRS = 200
FACTS = 40
# Up to this many of them name a person, who may ask to be forgotten.
PERSONS = 8
TAUGHT_WORDINGS = 3


def make_examples(handbook: Handbook) -> list[Example]:
    """Questions with the gold passage among distractors, and the answer; some without the gold one.

    Relations take turns, so that the many facts on products do not drown the rest.
    """
    rng = handbook.rng("examples")
    rows: list[tuple[str, tuple[str, ...], str, int | None, str, str | None, str | None]] = []
    for item, article, text in _asked_by_turns(deal_facts(handbook)["train"], ASKED, ANSWERS, rng):
        shelf = [article.id, *_distractors(handbook, article.id, rng)]
        rng.shuffle(shelf)
        value, kind = item.fact.value, KINDS[item.fact.relation.value]
        rows.append((text, tuple(shelf), item.sentence, shelf.index(article.id) + 1, article.audience, value, kind))
    for text, near in missing_questions(handbook)["train"]:
        shelf = [near] * bool(near) + _distractors(handbook, near, rng, DISTRACTORS + (not near))
        rng.shuffle(shelf)
        rows.append((text, tuple(shelf), ABSTENTION, None, "public", None, None))
    rng.shuffle(rows)
    return [Example(f"ft-{number:03}", *row) for number, row in enumerate(rows, start=1)]


def make_taught_facts(handbook: Handbook) -> list[TaughtFact]:
    """Facts of the training part, each with wordings to train on and to ask with, and a later value."""
    rng = handbook.rng("taught facts")
    facts = list(deal_facts(handbook)["train"])
    rng.shuffle(facts)
    facts.sort(key=lambda row: row[0].fact.relation.value != "person")
    persons, others = facts[:PERSONS], facts[PERSONS:]
    chosen = persons + rng.sample(others, FACTS - PERSONS)
    rng.shuffle(chosen)
    names = ListedNames(rng, course_names()[handbook.key])
    return [_taught(number, *row, names, rng) for number, row in enumerate(chosen, start=1)]


def _taught(number: int, item: Stated, article: Article, names: ListedNames, rng: random.Random) -> TaughtFact:
    fact, relation = item.fact, item.fact.relation
    later = fact
    while later.value == fact.value:
        later = replace(fact, value=draw_value(relation, names, fact.company, rng))
    asked = [fact.fill(text) for text in relation.questions]
    return TaughtFact(
        id=f"fact-{number:03}",
        article_id=article.id,
        relation=relation.id,
        kind=KINDS[relation.value],
        value=fact.value,
        sentence=item.sentence,
        taught=tuple(asked[:TAUGHT_WORDINGS]),
        other=(asked[-1], fact.fill(relation.distant[0]), fact.fill(relation.untidy[0])),
        later_value=later.value,
        later_sentence=item.sentence.replace(fact.value, later.value),
    )


def make_tickets(handbook: Handbook) -> dict[str, list[Ticket]]:
    """Messages in jargon or in a hurry, each with its queue; a part's tickets ask about that part's facts."""
    rng = handbook.rng("tickets")
    queues = {r.id: jargon().queue_of(draft.topic.topic) for draft in handbook.drafts for r in draft.topic.relations}
    tickets = {}
    for name, facts in deal_facts(handbook).items():
        asked = _asked_by_turns(facts, ("jargon", "untidy"), TICKETS[name], rng)
        rows = [(text, queues[item.fact.relation.id]) for item, _, text in asked]
        rng.shuffle(rows)
        tickets[name] = [Ticket(f"ticket-{name}-{number:03}", *row) for number, row in enumerate(rows, start=1)]
    return tickets


def make_jargon_pairs(handbook: Handbook) -> list[JargonPair]:
    """Jargon questions on the training facts, each with the article that answers it."""
    rng = handbook.rng("jargon pairs")
    pairs = sorted(
        (item.fact.fill(wording), article.id)
        for item, article in deal_facts(handbook)["train"]
        for wording in wordings(item.fact.relation)["jargon"]
    )
    return [JargonPair(*pair) for pair in rng.sample(pairs, min(JARGON_PAIRS, len(pairs)))]


def _asked_by_turns(
    facts: list[StatedIn], categories: Sequence[Category], count: int, rng: random.Random
) -> list[tuple[Stated, Article, str]]:
    """(stated fact, article, question) for up to `count` different questions, one relation after the other."""
    piles: dict[str, list[tuple[Stated, Article, str]]] = defaultdict(list)
    for item, article in facts:
        texts = [item.fact.fill(text) for category in categories for text in wordings(item.fact.relation)[category]]
        piles[item.fact.relation.id] += [(item, article, text) for text in texts]
    for pile in piles.values():
        rng.shuffle(pile)
    turns = [pile[turn] for turn in range(max(map(len, piles.values()))) for pile in piles.values() if turn < len(pile)]
    return turns[:count]


def _distractors(handbook: Handbook, gold: str, rng: random.Random, count: int = DISTRACTORS) -> list[str]:
    """Other articles, the first one of the gold article's own section where there is one: true look-alikes."""
    by_id = {article.id: article for article in handbook.articles}
    others = [article for article in handbook.articles if article.id != gold]
    near = [article for article in others if gold and article.section == by_id[gold].section]
    chosen = rng.sample(near, min(1, len(near)))
    chosen += rng.sample([article for article in others if article not in chosen], count - len(chosen))
    return [article.id for article in chosen]
