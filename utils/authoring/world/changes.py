"""Thirty days of changes to the handbook, and questions whose right answer depends on the day."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from utils.authoring.world.articles import Fact, draw_facts, write_article
from utils.authoring.world.course import course_names, course_topics
from utils.authoring.world.handbooks import Handbook, article_from
from utils.authoring.world.names import ListedNames
from utils.authoring.world.phrasing import Topic
from utils.authoring.world.questions import StatedIn
from utils.authoring.world.values import draw_value
from utils.handbook import Article, Change, DatedQuestion, Version
from utils.prompts import ABSTENTION

FIRST_DAY = date(2026, 10, 1)
DAYS = 30
REPLACED, REPLACED_TWICE, WITHDRAWN = 20, 4, 6


@dataclass(frozen=True)
class _History:
    """A fact through the month."""

    fact: Fact
    versions: tuple[Version, ...]


def make_changes(handbook: Handbook) -> tuple[list[Change], list[DatedQuestion]]:
    """The changes in the order of their days, and two questions on each fact that changed."""
    rng = handbook.rng("changes")
    lists = course_names()[handbook.key]
    names = ListedNames(rng, lists)
    stated = _one_fact_each(handbook, REPLACED + WITHDRAWN, rng)
    changes: list[Change] = []
    histories: list[_History] = []
    for number, (item, article) in enumerate(stated):
        if number < REPLACED:
            made, history = _replaced((item, article), 1 + (number < REPLACED_TWICE), names, rng)
        else:
            made, history = _withdrawn((item, article), rng)
        changes += made
        histories.append(history)
    for topic in course_topics(str(lists["trade"])):
        for thing in lists.get(f"unknown_{topic.subject}", []):
            change, history = _added(topic, handbook.company, thing, names, rng)
            changes.append(change)
            histories.append(history)
    changes.sort(key=lambda change: (change.date, change.article_id))
    return changes, _questions(histories)


def _one_fact_each(handbook: Handbook, count: int, rng: random.Random) -> list[StatedIn]:
    """A stated fact of each of `count` different articles."""
    facts = handbook.stated()
    articles = rng.sample(handbook.articles, count)
    return [rng.choice([row for row in facts if row[1] == article]) for article in articles]


def _replaced(row: StatedIn, times: int, names: ListedNames, rng: random.Random) -> tuple[list[Change], _History]:
    item, article = row
    versions = [_version(article.valid_from, item.fact, article, item.sentence)]
    changes = []
    for day in sorted(rng.sample(range(DAYS), times)):
        fact = replace(item.fact, value=_new_value(item.fact, versions, names, rng))
        sentence = fact.fill(rng.choice(fact.relation.statements))
        text = article.text.replace(versions[-1].reference, sentence)
        article = replace(article, text=text, valid_from=_iso(day))
        versions.append(_version(article.valid_from, fact, article, sentence))
        changes.append(Change(article.valid_from, "replace", article.id, article))
        item = replace(item, fact=fact)
    return changes, _History(item.fact, tuple(versions))


def _withdrawn(row: StatedIn, rng: random.Random) -> tuple[list[Change], _History]:
    item, article = row
    day = _iso(rng.randrange(DAYS))
    before = _version(article.valid_from, item.fact, article, item.sentence)
    return [Change(day, "withdraw", article.id, None)], _History(item.fact, (before, _silence(day)))


def _added(topic: Topic, company: str, thing: str, names: ListedNames, rng: random.Random) -> tuple[Change, _History]:
    """A new article on a thing that the company did not have before."""
    facts = draw_facts(topic, company, thing, names, rng, count=3)
    day = _iso(rng.randrange(DAYS))
    draft = write_article(topic, facts, rng, connect=0.9)
    article = article_from(draft, 1, day)
    item = rng.choice(draft.stated)
    since = _version(day, item.fact, article, item.sentence)
    return Change(day, "add", article.id, article), _History(item.fact, (_silence("2025-01-01"), since))


def _questions(histories: list[_History]) -> list[DatedQuestion]:
    rows = [
        (history.fact.fill(wording), history)
        for history in histories
        for wording in (history.fact.relation.questions[0], history.fact.relation.distant[0])
    ]
    return [
        DatedQuestion(f"change-{number:03}", text, history.fact.relation.id, history.versions)
        for number, (text, history) in enumerate(rows, start=1)
    ]


def _version(day: str, fact: Fact, article: Article, sentence: str) -> Version:
    return Version(day, (fact.value,), (article.id,), sentence)


def _silence(day: str) -> Version:
    return Version(day, (), (), ABSTENTION)


def _new_value(fact: Fact, versions: list[Version], names: ListedNames, rng: random.Random) -> str:
    """A value that the fact has not had before."""
    had = {value for version in versions for value in version.values}
    while (value := draw_value(fact.relation, names, fact.company, rng)) in had:
        pass
    return value


def _iso(day: int) -> str:
    return (FIRST_DAY + timedelta(days=day)).isoformat()
