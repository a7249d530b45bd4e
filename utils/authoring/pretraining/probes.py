"""Where the generator's reading holds and where it breaks: one probe for each way of making it harder."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace

import torch

from utils.authoring.pretraining.conversations import HELD_OUT_TRADES
from utils.authoring.world.articles import draw_facts, write_article
from utils.authoring.world.course import reserved_words
from utils.authoring.world.handbooks import article_from
from utils.authoring.world.names import SyllableNames
from utils.authoring.world.phrasing import Relation, topics_for
from utils.authoring.world.public import draw_entity
from utils.authoring.world.questions import question_on
from utils.evaluation import outcome, quotes_a_passage
from utils.handbook import COMPANY, Answer, Article, PublicQuestion, Question, articles_by_id
from utils.matching import contains_whole
from utils.models import Generator
from utils.prompts import build_messages
from utils.rag import answer_from

SOME = 60
PLACES = range(1, 6)
SHELVES = (2, 3, 10)
RANKS = {"1_to_5": range(1, 6), "6_to_20": range(6, 21), "21_to_50": range(21, 51)}
NEARLY_TIED = 0.05
# Values of shapes that pre-training never draws, by kind.
UNUSUAL = {
    "money": ["$1,204,375", "$0.99", "$48.50"],
    "days": ["1 day", "1,000 days", "two and a half days"],
    "percent": ["12.75%", "0.3%"],
    "person": ["J. R. van der Meulen", "O'Shaughnessy", "Dr. Li Wei Zhang-Whitaker III"],
    "phone": ["ext. 7", "ext. 0044-20"],
    "code": ["qx/77.b", "A-1-B-2-C-3", "00000"],
    "clock": ["noon", "23:59", "quarter to nine"],
    "weekday": ["the second Monday of the month", "Mon to Wed"],
    "weight": ["12 kg 400 g", "0.05 kg"],
    "length": ["1 m 20", "7.25 cm"],
    "temperature": ["-15 degrees", "minus 3.5 degrees"],
}


def share_correct(answers: Sequence[Answer]) -> float:
    """Share of answers with the right value."""
    return sum(outcome(answer) == "correct" for answer in answers) / len(answers)


def positions(generator: Generator, articles: list[Article], questions: list[Question]) -> dict[str, float]:
    """Right values by the gold passage's place among five, and by the number of passages (the gold one anywhere)."""
    rng = random.Random("positions")
    some = rng.sample(questions, min(SOME, len(questions)))
    results = {}
    for place in PLACES:
        shelves = [_shelf(question, articles, 5, place, rng) for question in some]
        results[f"reads_gold_at_{place}_of_5"] = share_correct(answer_from(some, shelves, generator))
    for total in SHELVES:
        shelves = [_shelf(question, articles, total, rng.randint(1, total), rng) for question in some]
        results[f"reads_among_{total}_random"] = share_correct(answer_from(some, shelves, generator))
    return results


def _shelf(question: Question, articles: list[Article], total: int, place: int, rng: random.Random) -> list[Article]:
    gold = articles_by_id(articles, question.articles)[0]
    shelf = rng.sample([article for article in articles if article != gold], total - 1)
    shelf.insert(place - 1, gold)
    return shelf


def wordings(read: Sequence[Answer]) -> dict[str, float]:
    """Right values with the gold article, by category; reworded and jargon questions are in words never met.

    read: answers as `with_gold` gives them.
    """
    results = {}
    for category in ("plain", "paraphrase", "untidy", "reworded", "jargon"):
        answers = [answer for answer in read if answer.question.category == category]
        results[f"reads_{category}"] = share_correct(answers)
        results[f"quotes_{category}"] = sum(quotes_a_passage(answer) for answer in answers) / len(answers)
    return results


def word_order(generator: Generator, articles: list[Article], questions: list[Question]) -> dict[str, float]:
    """Right values when a question names its thing first ("About the Ember Stove: how much is it to rent?")."""
    some = [row for row in map(_thing_first, questions) if row]
    before = [question for question, _ in some]
    return {
        "reads_usual_order": share_correct(with_gold(generator, articles, before)),
        "reads_other_order": share_correct(with_gold(generator, articles, [other for _, other in some])),
    }


def _thing_first(question: Question) -> tuple[Question, Question] | None:
    found = re.search(r"\bthe ((?:[A-Z]\w+ ?){2,3})\b", question.text)
    if question.category != "plain" or not found:
        return None
    thing = found.group(1).strip()
    rest = question.text.replace(f"the {thing}", "it", 1)
    return question, replace(question, text=f"About the {thing}: {rest[0].lower()}{rest[1:]}")


def unusual_values(
    generator: Generator, articles: list[Article], questions: list[Question], relations: dict[str, Relation]
) -> dict[str, float]:
    """Right values when the gold article states one of a shape never met: "$0.99", "ext. 7", "O'Shaughnessy"."""
    rng = random.Random("unusual values")
    asked, shelves = [], []
    for question in questions:
        kind = relations[question.relations[0]].value
        if question.category == "plain" and kind in UNUSUAL:
            value = rng.choice(UNUSUAL[kind])
            gold = articles_by_id(articles, question.articles)[0]
            sentence = question.reference.replace(question.values[0], value)
            asked.append(replace(question, values=(value,), reference=sentence))
            shelves.append([replace(gold, text=gold.text.replace(question.reference, sentence))])
    return {"reads_unusual_values": share_correct(answer_from(asked, shelves, generator))}


def unseen_relations(generator: Generator) -> dict[str, float]:
    """Right values on kinds of facts, and trades, that pre-training never had; one passage."""
    rng = random.Random("unseen relations")
    names = SyllableNames(rng, reserved_words())
    own = [t for trade in sorted(HELD_OUT_TRADES) for t in topics_for(trade) if "any" not in t.trades]
    questions, shelves = [], []
    for _ in range(SOME):
        topic, company = rng.choice(own), names.company("library")
        facts = draw_facts(topic, company, draw_entity(topic, names), names, rng, count=3)
        draft = write_article(topic, facts, rng)
        item = rng.choice(draft.stated)
        wording = rng.choice(item.fact.relation.questions)
        article = article_from(draft, 1, "2026-01-01")
        questions.append(question_on(item, article, wording))
        shelves.append([article])
    return {"reads_unseen_relations": share_correct(answer_from(questions, shelves, generator))}


def known_by_heart(generator: Generator, questions: Sequence[PublicQuestion]) -> dict[str, float]:
    """Closed-book share right on the public companies, from the most to the least frequent."""
    texts = generator.complete([build_messages(question.text, question.company) for question in questions])
    right = [contains_whole(text, question.value) for text, question in zip(texts, questions, strict=True)]
    return {
        f"known_by_heart_ranks_{name}": _mean([r for r, q in zip(right, questions, strict=True) if q.rank in ranks])
        for name, ranks in RANKS.items()
    }


@torch.inference_mode()
def near_ties(generator: Generator, read: Sequence[Answer]) -> dict[str, float]:
    """Question id to the smallest gap, in logits, between the first and second choice of a token, where it is tiny.

    Such an answer may differ on another computer; nothing in the course may hang on it.
    read: answers as `with_gold` gives them.
    """
    gaps = {}
    for answer in read:
        prompt = generator.prompt(build_messages(answer.question.text, COMPANY, answer.passages))
        start = len(generator.tokenizer(prompt, add_special_tokens=False)["input_ids"])
        whole = f"{prompt} {answer.text}{generator.tokenizer.eos_token}"
        inputs = generator.tokenizer(whole, return_tensors="pt", add_special_tokens=False)
        logits = generator.model(inputs["input_ids"]).logits[0, start - 1 : -1]
        first, second = logits.topk(2).values.T
        gap = (first - second).min().item()
        if gap < NEARLY_TIED:
            gaps[answer.question.id] = round(gap, 4)
    return gaps


def with_gold(generator: Generator, articles: list[Article], questions: list[Question]) -> list[Answer]:
    """Answers read from the gold articles alone."""
    return answer_from(questions, [articles_by_id(articles, q.articles) for q in questions], generator)


def _mean(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)
