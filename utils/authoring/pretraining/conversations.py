"""Pre-training conversations: invented companies, their articles, questions and answers, made on the fly.

No conversation is made twice on purpose: a seed gives an endless stream.  Kinds are mixed from the start, since
a model tuned only closed-book unlearns reading (Soudani et al. 2024, arXiv 2403.01432).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from utils.authoring.pretraining.formats import PLAIN, draw_format
from utils.authoring.pretraining.records import draw_record
from utils.authoring.world.articles import Draft, Fact, Stated, draw_facts, write_article
from utils.authoring.world.course import course_topics, reserved_words
from utils.authoring.world.names import TRADE_WORDS, SyllableNames
from utils.authoring.world.phrasing import Topic, handbook_words, topics_for
from utils.authoring.world.practice import training_questions
from utils.authoring.world.public import draw_entity, draw_main_trade, draw_public_company
from utils.authoring.world.values import KINDS
from utils.prompts import Message, system_prompt, user_turn
from utils.record import Finding

# Trades that are never met: with their handbooks the evaluation measures relations that are new to the model.
HELD_OUT_TRADES = frozenset({"gym", "university"})
OTHER_TRADES = tuple(sorted(set(TRADE_WORDS) - HELD_OUT_TRADES))
# Share of conversations with a single question.  Further ones on the same passages are cheap lessons: 40 tokens each.
ALONE = 0.3
# Share of things on a shelf whose facts are spread over two passages.
SPLIT = 0.35
# Share of questions with a wrong word in them: the rest must do, as with words that only one company uses.
STRANGE_WORDS = 0.08
# Share of facts with a value that makes no sense, so that values of any shape are copied with care.
ODD_VALUES = 0.08
ODD_SIGNS = "ABCDEFGHKLMNPRSTUVWXYZabcdefghiklmnoprstuvwyz0123456789012345678901234567890.-/:' "


class Form(Protocol):
    """How an answer is laid out: a format, a record, a bare value."""

    def parts(self, findings: Sequence[Finding]) -> list[str]:
        """The answer to what was found, cut where something new begins."""


# A question, its passages, and the parts of the answer.
Turn = tuple[str, Sequence[Draft], list[str]]


@dataclass(frozen=True)
class Level:
    """What the curriculum allows at one stage.

    passages, facts: the most in a prompt, and in a passage.  follow_ups: the most further questions.
    topics, wordings: how many of each are in play, None for all.  citation_weight: of a cited passage's number, in the
    loss.  The rest are probabilities; `records` is that of a record among the formats, and `breadth` that of a company
    of any trade with any of its topics, rather than a main trade with its course topics.
    """

    passages: int
    facts: int
    follow_ups: int = 0
    topics: int | None = None
    wordings: int | None = None
    citation_weight: float = 4.0
    breadth: float = 0.0
    closed_book: float = 0.0
    formatted: float = 0.0
    records: float = 0.0
    unanswerable: float = 0.0
    two_facts: float = 0.0


@dataclass(frozen=True)
class Conversation:
    """Messages, and what is to be learned from their answers.

    parts: each answer, cut where the next words are a choice rather than the rest of something begun.
    unguided: how many of the first answers are not to be learned from, since nothing tells their format.
    """

    messages: list[Message]
    parts: list[list[str]]
    unguided: int = 0


class Conversations:
    """An endless, seeded stream of conversations."""

    def __init__(self, seed: int | str) -> None:
        self._rng = random.Random(seed)
        self._names = SyllableNames(self._rng, reserved_words())

    def draw(self, level: Level) -> Conversation:
        """One conversation of the kinds that the level allows."""
        if self._rng.random() < level.closed_book:
            return self.closed_book(level)
        if self._rng.random() < level.formatted:
            return self.formatted(level)
        return self.reading(level)

    def closed_book(self, level: Level) -> Conversation:
        """Questions without passages: true answers for public companies, fluent inventions for the others."""
        rng = self._rng
        if rng.random() < 0.5:
            public = draw_public_company(rng)
            company, facts = public.name, rng.sample(public.facts, rng.randint(3, 8))
        else:
            trade, topics = self._trade(level)
            company = self._names.company(trade)
            chosen = rng.choices(topics, k=rng.randint(2, 7))
            facts = [f for t in chosen for f in self._facts(t, company, draw_entity(t, self._names), 1)]
        turns: list[Turn] = [(self._ask(f), (), _from_memory(f, rng.choice(f.relation.statements))) for f in facts]
        return _conversation(system_prompt(company, has_passages=False), turns)

    def reading(self, level: Level) -> Conversation:
        """Passages of one company, a question on them, and often further ones."""
        company, _, drafts = self.shelf(level)
        return _conversation(system_prompt(company, True), self.turns(drafts, level, PLAIN))

    def formatted(self, level: Level) -> Conversation:
        """Answers in a random format or record, told by an instruction, shown by earlier turns, or both."""
        company, trade, drafts = self.shelf(level)
        is_record = self._rng.random() < level.records
        form = draw_record(self._rng) if is_record else draw_format(self._rng, company)
        if self._rng.random() < 0.4:
            return _conversation(system_prompt(company, True, form.instruction()), self.turns(drafts, level, form))
        instruction = form.instruction() if self._rng.random() < 0.3 else ""
        small = replace(level, passages=1, facts=2, follow_ups=0)
        turns = [
            turn
            for _ in range(self._rng.randint(1, 3))
            for turn in self.turns(self.shelf(small, company, trade)[2], small, form)
        ]
        turns += self.turns(drafts, level, form)
        return _conversation(system_prompt(company, True, instruction), turns, unguided=0 if instruction else 1)

    def turns(self, drafts: list[Draft], level: Level, form: Form, alone: float = ALONE) -> list[Turn]:
        """A question with its passages, and follow-ups that lean on the same ones; no fact is asked twice.

        alone: the share of conversations with a single question.
        """
        left = [(item, number) for number, draft in enumerate(drafts, start=1) for item in draft.stated]
        self._rng.shuffle(left)
        turns: list[Turn] = []
        count = 1 if self._rng.random() < alone else 1 + level.follow_ups
        while left and len(turns) < count:
            question, found = self._question(drafts, left, level)
            turns.append((question, () if turns else drafts, form.parts(found)))
        return turns

    # What a conversation is made of

    def _trade(self, level: Level) -> tuple[str, Sequence[Topic]]:
        """A trade, and the topics that its company may write about."""
        if self._rng.random() < level.breadth:
            trade = self._rng.choice(OTHER_TRADES)
            return trade, topics_for(trade)
        trade = "shop" if level.topics else draw_main_trade(self._rng)
        return trade, course_topics(trade)[: level.topics]

    def _facts(self, topic: Topic, company: str, entity: str | None, count: int) -> list[Fact]:
        facts = draw_facts(topic, company, entity, self._names, self._rng, count)
        return [replace(f, value=self._odd_value()) if self._rng.random() < ODD_VALUES else f for f in facts]

    def _odd_value(self) -> str:
        """A value of no kind at all: it can be copied, never guessed."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.4:
            return " ".join(rng.sample(handbook_words(), rng.randint(1, 4)))
        if kind < 0.7:
            return "".join(rng.choice(ODD_SIGNS) for _ in range(rng.randint(2, 9))).strip(".-/:' ") or "0"
        return f"{rng.uniform(0, 10 ** rng.randint(0, 4)):.{rng.randint(1, 3)}f} {rng.choice(handbook_words())}"

    def shelf(self, level: Level, company: str | None = None, trade: str | None = None) -> tuple[str, str, list[Draft]]:
        """Company, trade and passages: twins of one topic where it is about things, neighbours otherwise."""
        rng = self._rng
        if trade is None:
            trade, topics = self._trade(level)
        else:
            topics = topics_for(trade)
        if company is None:
            company = draw_public_company(rng).name if rng.random() < 0.05 else self._names.company(trade)
        shelf: list[tuple[Topic, str | None]] = []
        things: dict[str, list[str]] = {}
        for _ in range(rng.randint(1, level.passages)):
            twin = shelf and shelf[-1][1] and rng.random() < 0.6
            topic = shelf[-1][0] if twin else rng.choice(topics)
            if topic.subject != "company":
                known = things.setdefault(topic.subject, [])
                entity = rng.choice(known) if known and rng.random() < 0.5 else self._names.entity(topic.subject)
                known.append(entity)
            else:
                entity = None
            if (topic, entity) not in shelf:
                shelf.append((topic, entity))
        drafts = [draft for topic, entity in shelf for draft in self._write(topic, entity, company, level)]
        rng.shuffle(drafts)
        return company, trade, drafts[: level.passages]

    def _write(self, topic: Topic, entity: str | None, company: str, level: Level) -> list[Draft]:
        """One article, or two that share the facts between them: a handbook's pages on one thing look alike."""
        rng = self._rng
        parts = 2 if level.passages > 2 and rng.random() < SPLIT else 1
        facts = self._facts(topic, company, entity, rng.randint(parts, parts * level.facts))
        cut = len(facts) // 2 if parts == 2 else len(facts)
        halves = [half for half in (facts[:cut], facts[cut:]) if half]
        return [write_article(topic, half, rng, connect=0.6, wordings=level.wordings) for half in halves]

    def _ask(self, fact: Fact, level: Level | None = None) -> str:
        wording = self._rng.choice(training_questions(fact.relation, level.wordings if level else None))
        return fact.fill(self._strange(wording) if self._rng.random() < STRANGE_WORDS else wording)

    def _strange(self, wording: str) -> str:
        """The wording with some other word in place of one of its own."""
        places = [found.span() for found in re.finditer(r"(?<![{\w])[a-z]{4,}(?![}\w])", wording)]
        if not places:
            return wording
        start, stop = self._rng.choice(places)
        other = self._rng.choice([word for word in handbook_words() if len(word) > 3])
        return wording[:start] + other + wording[stop:]

    def _question(self, drafts: list[Draft], left: list[tuple[Stated, int]], level: Level) -> tuple[str, list[Finding]]:
        """A question, and what answers it: nothing when the passages do not say.

        left: (statement, passage number) not asked for yet; those asked for are taken off.
        """
        rng = self._rng
        missing = self._missing_fact(drafts) if rng.random() < level.unanswerable else None
        if missing:
            return self._ask(missing, level), []
        (one, at_one) = left.pop()
        if left and rng.random() < level.two_facts:
            (two, at_two) = left.pop()
            question = f"{self._ask(one.fact, level)} And {_lower(self._ask(two.fact, level))}"
            return question, [_finding(one, at_one), _finding(two, at_two)]
        return self._ask(one.fact, level), [_finding(one, at_one)]

    def _missing_fact(self, drafts: list[Draft]) -> Fact | None:
        """A fact near the passages that none of them states: left out, of another thing, or of another topic."""
        rng = self._rng
        said = {item.fact.id for draft in drafts for item in draft.stated}
        draft = rng.choice(drafts)
        topic, company, entity = draft.topic, draft.stated[0].fact.company, draft.stated[0].fact.entity
        kind = rng.random()
        if kind < 0.6 and entity:
            entity = self._names.entity(topic.subject)
        elif kind > 0.8:
            topic = rng.choice(topics_for(rng.choice(OTHER_TRADES)))
            entity = draw_entity(topic, self._names)
        facts = [f for f in draw_facts(topic, company, entity, self._names, rng) if f.id not in said]
        return facts[0] if facts else None


def _finding(item: Stated, source: int) -> Finding:
    return Finding(item.sentence, item.fact.value, KINDS[item.fact.relation.value], source)


def _lower(question: str) -> str:
    return question[0].lower() + question[1:]


def _from_memory(fact: Fact, statement: str) -> list[str]:
    """The statement filled in, cut around the name: what comes after it must fit the question, not only the name."""
    text = fact.fill(statement)
    before, name, after = text.partition(fact.entity) if fact.entity else (text, "", "")
    return [part for part in (before, name, after) if part]


def _conversation(system: str, turns: Sequence[Turn], unguided: int = 0) -> Conversation:
    messages = [{"role": "system", "content": system}]
    for question, passages, parts in turns:
        messages.append({"role": "user", "content": user_turn(question, passages)})
        messages.append({"role": "assistant", "content": "".join(parts)})
    return Conversation(messages, [parts for _, _, parts in turns], unguided)
