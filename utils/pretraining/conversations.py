"""Pre-training conversations: invented companies, their articles, questions and answers, made on the fly.

No conversation is made twice on purpose: a seed gives an endless stream.  Kinds are mixed from the start, since
a model tuned only closed-book unlearns reading (Soudani et al. 2024, arXiv 2403.01432).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from utils.pretraining.formats import PLAIN, Format, abstain, draw_format
from utils.prompts import Message, system_prompt, user_turn
from utils.world.articles import Draft, Fact, draw_facts, write_article
from utils.world.course import reserved_words
from utils.world.names import TRADE_WORDS, Names, SyllableNames
from utils.world.phrasing import Relation, Topic, topics_for, topics_in_use

# The trades whose handbooks are read.  Other trades lend questions that a handbook does not answer.
TRADES = ("shop",)
PUBLIC_COMPANIES = 50
PUBLIC_TOPICS = 5

Turn = tuple[str, Sequence[Draft], str]


@dataclass(frozen=True)
class Level:
    """What the curriculum allows at one stage.

    topics, wordings: how many of each are in play, None for all.  The rest are probabilities.
    """

    passages: int
    facts: int
    topics: int | None = None
    wordings: int | None = None
    closed_book: float = 0.0
    formatted: float = 0.0
    unanswerable: float = 0.0
    two_facts: float = 0.0


@dataclass(frozen=True)
class PublicCompany:
    """A company that recurs in pre-training, with facts that never change; number 1 is met most often."""

    name: str
    trade: str
    facts: tuple[Fact, ...]


def training_questions(relation: Relation, count: int | None = None) -> Sequence[str]:
    """Wordings used in pre-training: two plain ones, a distant and an untidy one; the others stay unseen."""
    return (*relation.questions[:2], relation.distant[0], relation.untidy[0])[:count]


@cache
def public_companies() -> tuple[PublicCompany, ...]:
    """The fifty public companies, the most frequent first."""
    rng = random.Random("public companies")
    names = SyllableNames(rng, reserved_words())
    return tuple(_public_company(rng, names) for _ in range(PUBLIC_COMPANIES))


def _public_company(rng: random.Random, names: Names) -> PublicCompany:
    trade = rng.choice(TRADES)
    company = names.company(trade)
    topics = rng.sample(topics_in_use(trade), PUBLIC_TOPICS)
    facts = [f for t in topics for f in draw_facts(t, company, _entity(t, names), names, rng)]
    return PublicCompany(company, trade, tuple(facts))


def draw_public_company(rng: random.Random) -> PublicCompany:
    """A public company by rarity: the k-th is drawn in proportion to 1/k (Zipf)."""
    companies = public_companies()
    weights = [1 / rank for rank in range(1, len(companies) + 1)]
    return rng.choices(companies, weights)[0]


class Conversations:
    """An endless, seeded stream of conversations."""

    def __init__(self, seed: int | str) -> None:
        self._rng = random.Random(seed)
        self._names = SyllableNames(self._rng, reserved_words())

    def draw(self, level: Level) -> list[Message]:
        """One conversation of the kinds that the level allows."""
        if self._rng.random() < level.closed_book:
            return self.closed_book()
        if self._rng.random() < level.formatted:
            return self.formatted(level)
        return self.reading(level)

    def closed_book(self) -> list[Message]:
        """Questions without passages: true answers for public companies, fluent inventions for the others."""
        rng = self._rng
        if rng.random() < 0.6:
            public = draw_public_company(rng)
            company, facts = public.name, rng.sample(public.facts, 3)
        else:
            company, topic = self._company_and_topic()
            facts = self._facts(topic, company, rng.randint(1, 3))
        turns = [(self._ask(f), (), f.fill(rng.choice(f.relation.stated_as))) for f in facts]
        return _conversation(system_prompt(company, has_passages=False), turns)

    def reading(self, level: Level, form: Format = PLAIN, instruction: str = "") -> list[Message]:
        """Passages of one company and a question on them."""
        company, drafts = self._shelf(level)
        return _conversation(system_prompt(company, True, instruction), [self._turn(drafts, level, form)])

    def formatted(self, level: Level) -> list[Message]:
        """Answers in a random format, told by an instruction, shown by earlier turns, or both."""
        form = draw_format(self._rng)
        if self._rng.random() < 0.4:
            return self.reading(level, form, form.instruction())
        return self._shown_by_examples(level, form, form.instruction() if self._rng.random() < 0.3 else "")

    def _shown_by_examples(self, level: Level, form: Format, instruction: str) -> list[Message]:
        """Two or three short turns with passages of their own, then a full one."""
        company, drafts = self._shelf(level)
        small = replace(level, passages=1, facts=2)
        turns = [self._turn(self._shelf(small, company)[1], small, form) for _ in range(self._rng.randint(2, 3))]
        return _conversation(system_prompt(company, True, instruction), [*turns, self._turn(drafts, level, form)])

    def _turn(self, drafts: list[Draft], level: Level, form: Format) -> Turn:
        question, found = self._question(drafts, level)
        return question, drafts, self._answer(found, form)

    # What a conversation is made of

    def _company_and_topic(self) -> tuple[str, Topic]:
        trade = self._rng.choice(TRADES)
        return self._names.company(trade), self._rng.choice(topics_in_use(trade))

    def _facts(self, topic: Topic, company: str, count: int) -> list[Fact]:
        return draw_facts(topic, company, _entity(topic, self._names), self._names, self._rng, count)

    def _shelf(self, level: Level, company: str | None = None) -> tuple[str, list[Draft]]:
        """Passages of one company: twins of one topic where it is about things, neighbours otherwise."""
        rng = self._rng
        trade = rng.choice(TRADES)
        if company is None:
            company = draw_public_company(rng).name if rng.random() < 0.05 else self._names.company(trade)
        topics = topics_in_use(trade)[: level.topics]
        shelf: list[tuple[Topic, str | None]] = []
        things: dict[str, list[str]] = {}
        for _ in range(rng.randint(1, level.passages)):
            twin = shelf and shelf[-1][1] and rng.random() < 0.6
            topic = shelf[-1][0] if twin else rng.choice(topics)
            if topic.subject != "company":
                known = things.setdefault(topic.subject, [])
                entity = rng.choice(known) if known and rng.random() < 0.3 else self._names.entity(topic.subject)
                known.append(entity)
            else:
                entity = None
            if (topic, entity) not in shelf:
                shelf.append((topic, entity))
        rng.shuffle(shelf)
        return company, [self._write(topic, entity, company, level) for topic, entity in shelf]

    def _write(self, topic: Topic, entity: str | None, company: str, level: Level) -> Draft:
        count = self._rng.randint(1, level.facts)
        facts = draw_facts(topic, company, entity, self._names, self._rng, count)
        return write_article(topic, facts, self._rng, connect=0.5)

    def _ask(self, fact: Fact, level: Level | None = None) -> str:
        return fact.fill(self._rng.choice(training_questions(fact.relation, level.wordings if level else None)))

    def _question(self, drafts: list[Draft], level: Level) -> tuple[str, list[tuple[str, int]]]:
        """A question, and [(sentence, passage number), …]: no sentence means that the passages do not say."""
        rng = self._rng
        stated = [(item, number) for number, draft in enumerate(drafts, start=1) for item in draft.stated]
        missing = self._missing_fact(drafts) if rng.random() < level.unanswerable else None
        if missing:
            return self._ask(missing, level), []
        if len(stated) > 1 and rng.random() < level.two_facts:
            (one, at_one), (two, at_two) = rng.sample(stated, 2)
            question = f"{self._ask(one.fact, level)} And {_lower(self._ask(two.fact, level))}"
            return question, [(one.sentence, at_one), (two.sentence, at_two)]
        item, number = rng.choice(stated)
        return self._ask(item.fact, level), [(item.sentence, number)]

    def _missing_fact(self, drafts: list[Draft]) -> Fact | None:
        """A fact near the passages that none of them states: left out, of another thing, or of another topic."""
        rng = self._rng
        said = {item.fact.id for draft in drafts for item in draft.stated}
        draft = rng.choice(drafts)
        topic, company, entity = draft.topic, draft.stated[0].fact.company, draft.stated[0].fact.entity
        kind = rng.random()
        if kind < 0.4 and entity:
            entity = self._names.entity(topic.subject)
        elif kind > 0.75:
            topic = rng.choice(topics_for(rng.choice(sorted(TRADE_WORDS))))
            entity = _entity(topic, self._names)
        facts = [f for f in draw_facts(topic, company, entity, self._names, rng) if f.id not in said]
        return facts[0] if facts else None

    def _answer(self, found: list[tuple[str, int]], form: Format) -> str:
        if not found:
            return abstain(form)
        if len(found) == 1:
            return form.render(*found[0])
        return " ".join(PLAIN.render(*part) for part in found)


def _entity(topic: Topic, names: Names) -> str | None:
    return None if topic.subject == "company" else names.entity(topic.subject)


def _lower(question: str) -> str:
    return question[0].lower() + question[1:]


def _conversation(system: str, turns: Sequence[Turn]) -> list[Message]:
    messages = [{"role": "system", "content": system}]
    for question, passages, answer in turns:
        messages.append({"role": "user", "content": user_turn(question, passages)})
        messages.append({"role": "assistant", "content": answer})
    return messages
