"""Handbooks of the course companies, made from a seed: articles, what each states, and what was left out."""

from __future__ import annotations

import json
import random
import re
from dataclasses import asdict, dataclass
from itertools import cycle

from utils.authoring.world.articles import Draft, Fact, Stated, draw_facts, write_article
from utils.authoring.world.course import course_names, course_topics
from utils.authoring.world.names import ListedNames
from utils.handbook import Article

COMPANY_KEY = "tarnwick"
EDITION = "second edition"
OMITTED_SHARE = 0.5


@dataclass(frozen=True)
class Handbook:
    """A company's articles, with what each states and what was left out on purpose.

    key: in `course_names.yaml`.  edition: the seed; another one gives the same things other values and wordings.
    """

    key: str
    edition: str
    company: str
    articles: tuple[Article, ...]
    drafts: tuple[Draft, ...]
    omitted: tuple[Fact, ...]

    def rng(self, purpose: str) -> random.Random:
        """A random state of its own for each purpose, so that one change does not shift all the rest."""
        return _seeded(self.key, self.edition, purpose)

    def stated(self) -> list[tuple[Stated, Article]]:
        """Every stated fact with its article, in the order of the articles."""
        return [
            (item, article) for draft, article in zip(self.drafts, self.articles, strict=True) for item in draft.stated
        ]


def _seeded(key: str, edition: str, purpose: str) -> random.Random:
    return random.Random(f"{key} {edition}, {purpose}")


def make_handbook(key: str = COMPANY_KEY, edition: str = EDITION) -> Handbook:
    """The handbook of a course company; each topic, or thing, is spread over two articles.

    edition: the course's own unless another is named, which makes a handbook that no file holds.
    """
    lists, rng = course_names()[key], _seeded(key, edition, "handbook")
    names, company = ListedNames(rng, lists), lists["company"][0]
    drafts, omitted = [], []
    for topic in course_topics(str(lists["trade"])):
        for entity in [None] if topic.subject == "company" else lists[topic.subject]:
            facts = draw_facts(topic, company, entity, names, rng)
            if rng.random() < OMITTED_SHARE:
                omitted.append(facts.pop())
            titles = rng.sample(topic.titles, 2)
            halves = facts[: len(facts) // 2], facts[len(facts) // 2 :]
            for half, title in zip(halves, titles, strict=True):
                drafts.append(write_article(topic, half, rng, connect=0.9, title=title))
    articles = tuple(article_from(draft, part, _day(rng)) for draft, part in zip(drafts, cycle((1, 2))))
    return Handbook(key, edition, company, articles, tuple(drafts), tuple(omitted))


def other_edition(number: int) -> Handbook:
    """The same things with other values and wordings, for measuring beyond the course's own handbook."""
    return make_handbook(edition=f"other edition {number}")


def article_from(draft: Draft, part: int, valid_from: str) -> Article:
    """A draft with its id, made from topic, entity and part, and its date."""
    topic, entity = draft.topic, draft.stated[0].fact.entity
    slug = "-".join(filter(None, [topic.topic.removeprefix("shop_"), entity, str(part)]))
    identifier = re.sub(r"[^a-z0-9]+", "-", slug.lower())
    return Article(identifier, draft.title, topic.section, topic.audience, valid_from, draft.text)


def markdown(article: Article) -> str:
    """An article as a Markdown file with front matter."""
    head = asdict(article)
    text = head.pop("text")
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in head.items())
    return f"---\n{lines}---\n\n{text}\n"


def _day(rng: random.Random) -> str:
    return f"{rng.choice([2025, 2026])}-{rng.randint(1, 9):02}-{rng.randint(1, 28):02}"
