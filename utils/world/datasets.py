"""The course's data sets, made from a seed: handbook, frozen questions, fine-tuning examples.

    python -m utils.world            writes them; the same bytes each time

Test, dev and fine-tuning questions ask for different facts, so nothing learned in fine-tuning answers a test question.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import cycle

from utils.prompts import ABSTENTION
from utils.world.articles import Draft, Fact, Stated, draw_facts, write_article
from utils.world.course import course_names
from utils.world.names import ListedNames
from utils.world.phrasing import Relation, topics_for, topics_in_use
from utils.world.records import Article, Category, Example, Question

COMPANY_KEY = "tarnwick"
SEED = "tarnwick handbook, first edition"
SHARES = {"train": 0.35, "dev": 0.25, "test": 0.40}
OMITTED_SHARE = 0.5
PAIRS = {"dev": 10, "test": 20}
UNANSWERABLE = {"train": 24, "dev": 20, "test": 40}
UNKNOWN_QUESTIONS, FOREIGN_QUESTIONS = 46, 28
# Other trades' questions that this handbook does answer, or nearly: rental deposits, refunds, gift cards.
NEARLY_ANSWERED = {"airline_refund_time", "airline_voucher_life", "hotel_deposit"}
TRAIN_QUESTIONS = 136
DISTRACTORS = 2


@dataclass(frozen=True)
class Handbook:
    """The company's articles, with what each states and what each leaves out."""

    company: str
    articles: tuple[Article, ...]
    drafts: tuple[Draft, ...]
    omitted: tuple[Fact, ...]

    def stated(self) -> list[tuple[Stated, Article]]:
        """Every stated fact with its article, in the order of the articles."""
        return [
            (item, article) for draft, article in zip(self.drafts, self.articles, strict=True) for item in draft.stated
        ]


def make_handbook() -> Handbook:
    """The handbook of the course company."""
    lists = course_names()[COMPANY_KEY]
    rng = random.Random(SEED)
    names = ListedNames(rng, lists)
    company = lists["company"][0]
    drafts, omitted = [], []
    for topic in topics_in_use(str(lists["trade"])):
        for entity in [None] if topic.subject == "company" else lists[topic.subject]:
            facts = draw_facts(topic, company, entity, names, rng)
            if rng.random() < OMITTED_SHARE:
                omitted.append(facts.pop())
            titles = rng.sample(topic.titles, 2)
            halves = facts[: len(facts) // 2], facts[len(facts) // 2 :]
            for half, title in zip(halves, titles, strict=True):
                drafts.append(write_article(topic, half, rng, connect=0.9, title=title))
    articles = tuple(_article(draft, part, rng) for draft, part in zip(drafts, cycle((1, 2))))
    return Handbook(company, articles, tuple(drafts), tuple(omitted))


def make_questions(handbook: Handbook) -> dict[str, list[Question]]:
    """Dev and test questions over all categories, each with its gold answer."""
    rng = random.Random(f"{SEED}, questions")
    parts = _parts(handbook)
    missing = _missing_questions(handbook)
    questions = {}
    for name in ("dev", "test"):
        stated = parts[name]
        rows = [row for item, article in stated for row in _asked(item, article, rng)]
        rows += [_pair(*rng.sample(stated, 2), rng) for _ in range(PAIRS[name])]
        rows += [Question("", text, "unanswerable", (), (), (), ABSTENTION) for text, _ in missing[name]]
        rng.shuffle(rows)
        questions[name] = [_numbered(row, name, number) for number, row in enumerate(rows, start=1)]
    return questions


def make_examples(handbook: Handbook) -> list[Example]:
    """Fine-tuning examples: a question, the gold passage among distractors, the answer; some without the gold one."""
    rng = random.Random(f"{SEED}, examples")
    stated = _parts(handbook)["train"]
    asked = [
        (item, article, text)
        for item, article in stated
        for texts in _wordings(item.fact.relation).values()
        for text in texts
    ]
    rows = []
    for item, article, text in rng.sample(asked, TRAIN_QUESTIONS):
        shelf = [article.id, *_distractors(handbook, article.id, rng)]
        rng.shuffle(shelf)
        rows.append(("", item.fact.fill(text), tuple(shelf), item.sentence, shelf.index(article.id) + 1))
    for text, near in _missing_questions(handbook)["train"]:
        shelf = [near] * bool(near) + _distractors(handbook, near, rng, DISTRACTORS + (not near))
        rng.shuffle(shelf)
        rows.append(("", text, tuple(shelf), ABSTENTION, None))
    rng.shuffle(rows)
    return [Example(f"ft-{number:03}", *row[1:]) for number, row in enumerate(rows, start=1)]


def dataset_files() -> dict[str, str]:
    """Path within `datasets/` to text, for every generated file."""
    handbook = make_handbook()
    files = {f"handbook/{article.id}.md": markdown(article) for article in handbook.articles}
    for name, questions in make_questions(handbook).items():
        files[f"questions/{name}.jsonl"] = json_lines(questions)
    files["finetuning/train.jsonl"] = json_lines(make_examples(handbook))
    return files


def markdown(article: Article) -> str:
    """An article as a Markdown file with front matter."""
    head = asdict(article)
    text = head.pop("text")
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items())
    return f"---\n{lines}---\n\n{text}\n"


def json_lines(rows: Iterable[Question | Example]) -> str:
    """Rows as JSON, one a line."""
    return "".join(json.dumps(asdict(row)) + "\n" for row in rows)


def _article(draft: Draft, part: int, rng: random.Random) -> Article:
    topic = draft.topic
    entity = draft.stated[0].fact.entity
    slug = "-".join(filter(None, [topic.topic.removeprefix("shop_"), entity, str(part)]))
    date = f"{rng.choice([2025, 2026])}-{rng.randint(1, 9):02}-{rng.randint(1, 28):02}"
    identifier = re.sub(r"[^a-z0-9]+", "-", slug.lower())
    return Article(identifier, draft.title, topic.section, topic.audience, date, draft.text)


def _parts(handbook: Handbook) -> dict[str, list[tuple[Stated, Article]]]:
    """Stated facts dealt to train, dev and test; all facts of one relation go to the same part."""
    rng = random.Random(f"{SEED}, parts")
    relations = sorted({item.fact.relation.id for item, _ in handbook.stated()})
    rng.shuffle(relations)
    bounds = [round(len(relations) * SHARES["train"]), round(len(relations) * (SHARES["train"] + SHARES["dev"]))]
    part = {r: "train" if i < bounds[0] else "dev" if i < bounds[1] else "test" for i, r in enumerate(relations)}
    parts: dict[str, list[tuple[Stated, Article]]] = {name: [] for name in SHARES}
    for item, article in handbook.stated():
        parts[part[item.fact.relation.id]].append((item, article))
    return parts


def _wordings(relation: Relation) -> dict[Category, list[str]]:
    """Questions by category; the generator met all but the reworded ones in pre-training, at other companies."""
    return {
        "plain": list(relation.questions[:2]),
        "paraphrase": [relation.distant[0]],
        "untidy": [relation.untidy[0]],
        "reworded": [relation.questions[-1]],
    }


def _asked(item: Stated, article: Article, rng: random.Random) -> list[Question]:
    """A plain question on the fact, and one in other words."""
    relation = item.fact.relation
    other: Category = rng.choice(["paraphrase", "untidy", "reworded"])
    return [
        Question(
            "",
            item.fact.fill(rng.choice(_wordings(relation)[category])),
            category,
            (item.fact.value,),
            (article.id,),
            (relation.id,),
            item.sentence,
        )
        for category in ("plain", other)
    ]


def _pair(one: tuple[Stated, Article], two: tuple[Stated, Article], rng: random.Random) -> Question:
    (first, at_first), (second, at_second) = one, two
    ask = [item.fact.fill(rng.choice(_wordings(item.fact.relation)["plain"])) for item in (first, second)]
    text = f"{ask[0]} And {ask[1][0].lower()}{ask[1][1:]}"
    articles = tuple(dict.fromkeys([at_first.id, at_second.id]))
    reference = f"{first.sentence} {second.sentence}"
    values, relations = zip(*((item.fact.value, item.fact.relation.id) for item in (first, second)), strict=True)
    return Question("", text, "two_facts", values, articles, relations, reference)


def _missing_questions(handbook: Handbook) -> dict[str, list[tuple[str, str]]]:
    """Questions that the handbook does not answer, each with the id of the article that comes nearest ("" for none).

    Facts left out, things it does not sell, and other trades' matters.
    """
    rng = random.Random(f"{SEED}, missing")
    rows = [*_left_out(handbook, rng), *_unknown_things(handbook, rng)[:UNKNOWN_QUESTIONS], *_foreign(handbook, rng)]
    rows = list(dict(rows).items())
    rng.shuffle(rows)
    cut, parts = 0, {}
    for name, count in UNANSWERABLE.items():
        parts[name] = rows[cut : cut + count]
        cut += count
    return parts


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
    names, rows = course_names()[COMPANY_KEY], []
    for draft, article in zip(handbook.drafts, handbook.articles, strict=True):
        for unknown in names.get(f"unknown_{draft.topic.subject}", []):
            fact = Fact(rng.choice(draft.stated).fact.relation, "", handbook.company, unknown)
            rows.append((fact.fill(rng.choice(fact.relation.questions)), article.id))
    return rng.sample(rows, len(rows))


def _foreign(handbook: Handbook, rng: random.Random) -> list[tuple[str, str]]:
    topics = [topic for trade in ("airline", "hotel", "library") for topic in topics_for(trade)]
    own = [topic for topic in topics if topic.subject == "company" and "any" not in topic.trades]
    relations = [relation for topic in own for relation in topic.relations if relation.id not in NEARLY_ANSWERED]
    chosen = rng.sample(relations, FOREIGN_QUESTIONS)
    return [(Fact(r, "", handbook.company).fill(rng.choice(r.questions)), "") for r in chosen]


def _distractors(handbook: Handbook, gold: str, rng: random.Random, count: int = DISTRACTORS) -> list[str]:
    """Other articles, the first one of the gold article's own section where there is one: true look-alikes."""
    by_id = {article.id: article for article in handbook.articles}
    others = [article for article in handbook.articles if article.id != gold]
    near = [article for article in others if gold and article.section == by_id[gold].section]
    chosen = rng.sample(near, min(1, len(near)))
    chosen += rng.sample([article for article in others if article not in chosen], count - len(chosen))
    return [article.id for article in chosen]


def _numbered(question: Question, name: str, number: int) -> Question:
    return replace(question, id=f"{name}-{number:03}")
