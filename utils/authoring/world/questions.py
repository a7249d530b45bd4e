"""Frozen questions with gold answers, dealt to train, dev and test by the kind of fact."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from utils.authoring.world.articles import Fact, Stated
from utils.authoring.world.course import course_names, course_topics
from utils.authoring.world.handbooks import COMPANY_KEY, Handbook
from utils.authoring.world.jargon import jargon
from utils.authoring.world.phrasing import Relation, topics_for
from utils.handbook import AUDIENCES, Article, Category, Question
from utils.prompts import ABSTENTION

StatedIn = tuple[Stated, Article]


@dataclass(frozen=True)
class Sizes:
    """How many questions a company's sets hold, by part.

    facts: asked twice each.  unknown, foreign: pool of questions on things and matters that the company does not have.
    """

    facts: dict[str, int]
    jargon: dict[str, int]
    pairs: dict[str, int]
    unanswerable: dict[str, int]
    unknown: int
    foreign: int


SIZES = {
    COMPANY_KEY: Sizes(
        facts={"dev": 34, "test": 60},
        jargon={"dev": 20, "test": 30},
        pairs={"dev": 10, "test": 20},
        unanswerable={"train": 24, "dev": 20, "test": 40},
        unknown=46,
        foreign=28,
    ),
    "marrowby": Sizes(
        facts={"dev": 9, "test": 22},
        jargon={"dev": 0, "test": 0},
        pairs={"dev": 4, "test": 8},
        unanswerable={"train": 10, "dev": 8, "test": 14},
        unknown=16,
        foreign=14,
    ),
}
# Where the five relations of a topic go, so that every part knows every topic.
DEAL = ("train", "dev", "test", "train", "test")
FOREIGN_TRADES = ("airline", "bank", "library")
# Other trades' questions that a handbook of ours does answer, or nearly: refunds, gift cards.
NEARLY_ANSWERED = {"airline_refund_time", "airline_voucher_life"}


def make_questions(handbook: Handbook) -> dict[str, list[Question]]:
    """Dev and test questions over all categories, each with its gold answer."""
    rng = handbook.rng("questions")
    sizes, parts, missing = SIZES[handbook.key], deal_facts(handbook), missing_questions(handbook)
    questions = {}
    for name in ("dev", "test"):
        stated = rng.sample(parts[name], sizes.facts[name])
        rows = [_ask(*row, category, rng) for row in stated for category in ("plain", _other_category(rng))]
        rows += [_ask(*row, "jargon", rng) for row in rng.sample(parts[name], sizes.jargon[name])]
        rows += [_pair(*rng.sample(parts[name], 2), rng) for _ in range(sizes.pairs[name])]
        rows += [Question("", text, "unanswerable", (), (), (), ABSTENTION) for text, _ in missing[name]]
        rng.shuffle(rows)
        questions[name] = [replace(row, id=f"{name}-{number:03}") for number, row in enumerate(rows, start=1)]
    return questions


def deal_facts(handbook: Handbook) -> dict[str, list[StatedIn]]:
    """Stated facts by part; all facts of one relation go to the same part, so no part can leak into another."""
    rng = handbook.rng("parts")
    topics = course_topics(str(course_names()[handbook.key]["trade"]))
    part: dict[str, str] = {}
    for topic in topics:
        ids = [relation.id for relation in rng.sample(topic.relations, len(topic.relations))]
        part |= dict(zip(ids, DEAL, strict=True))
    parts: dict[str, list[StatedIn]] = {"train": [], "dev": [], "test": []}
    for item, article in handbook.stated():
        parts[part[item.fact.relation.id]].append((item, article))
    return parts


def wordings(relation: Relation) -> dict[Category, Sequence[str]]:
    """Questions by category.  The generator met those of the first three in pre-training, at other companies."""
    return {
        "plain": relation.questions[:-1],
        "paraphrase": relation.distant,
        "untidy": relation.untidy,
        "reworded": relation.questions[-1:],
        "jargon": jargon().questions.get(relation.id, ()),
    }


def missing_questions(handbook: Handbook) -> dict[str, list[tuple[str, str]]]:
    """Questions that the handbook does not answer, by part, each with the id of the nearest article ("" for none).

    Facts left out, things that the company does not have, and other trades' matters.
    """
    rng, sizes = handbook.rng("missing"), SIZES[handbook.key]
    unknown = _unknown_things(handbook, rng)[: sizes.unknown]
    rows = list(dict([*_left_out(handbook, rng), *unknown, *_foreign(handbook, rng)]).items())
    rng.shuffle(rows)
    cut, parts = 0, {}
    for name, count in sizes.unanswerable.items():
        parts[name] = rows[cut : cut + count]
        cut += count
    return parts


def _other_category(rng: random.Random) -> Category:
    return rng.choice(["paraphrase", "untidy", "reworded"])


def question_on(item: Stated, article: Article, wording: str, category: Category = "plain") -> Question:
    """A question on one stated fact, with its gold answer; without an id."""
    fact = item.fact
    values, relations = (fact.value,), (fact.relation.id,)
    return Question("", fact.fill(wording), category, values, (article.id,), relations, item.sentence, article.audience)


def _ask(item: Stated, article: Article, category: Category, rng: random.Random) -> Question:
    return question_on(item, article, rng.choice(wordings(item.fact.relation)[category]), category)


def _pair(one: StatedIn, two: StatedIn, rng: random.Random) -> Question:
    (first, at_first), (second, at_second) = one, two
    ask = [item.fact.fill(rng.choice(wordings(item.fact.relation)["plain"])) for item in (first, second)]
    text = f"{ask[0]} And {ask[1][0].lower()}{ask[1][1:]}"
    articles = tuple(dict.fromkeys([at_first.id, at_second.id]))
    reference = f"{first.sentence} {second.sentence}"
    values, relations = zip(*((item.fact.value, item.fact.relation.id) for item in (first, second)), strict=True)
    audience = max(at_first.audience, at_second.audience, key=AUDIENCES.index)
    return Question("", text, "two_facts", values, articles, relations, reference, audience)


def _left_out(handbook: Handbook, rng: random.Random) -> list[tuple[str, str]]:
    rows = []
    for fact in handbook.omitted:
        near = next(
            article.id
            for draft, article in zip(handbook.drafts, handbook.articles, strict=True)
            if fact.relation in draft.topic.relations and draft.stated[0].fact.entity == fact.entity
        )
        rows.append((fact.fill(rng.choice(fact.relation.questions)), near))
    return rows


def _unknown_things(handbook: Handbook, rng: random.Random) -> list[tuple[str, str]]:
    names, rows = course_names()[handbook.key], []
    for draft, article in zip(handbook.drafts, handbook.articles, strict=True):
        for unknown in names.get(f"unknown_{draft.topic.subject}", []):
            fact = Fact(rng.choice(draft.stated).fact.relation, "", handbook.company, unknown)
            rows.append((fact.fill(rng.choice(fact.relation.questions)), article.id))
    return rng.sample(rows, len(rows))


def _foreign(handbook: Handbook, rng: random.Random) -> list[tuple[str, str]]:
    topics = [topic for trade in FOREIGN_TRADES for topic in topics_for(trade)]
    own = [topic for topic in topics if topic.subject == "company" and "any" not in topic.trades]
    relations = [relation for topic in own for relation in topic.relations if relation.id not in NEARLY_ANSWERED]
    chosen = rng.sample(relations, SIZES[handbook.key].foreign)
    return [(Fact(r, "", handbook.company).fill(rng.choice(r.questions)), "") for r in chosen]
