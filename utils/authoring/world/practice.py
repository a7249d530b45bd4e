"""Further ways of asking, for pre-training alone: `practice/*.yaml`, relation id to questions.

Their writers saw each relation's statements and the wordings already in training, never those that the tests keep back
(`reworded` and jargon).  Any that came out like such a wording all the same were taken out; loading refuses them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from utils.authoring.world.jargon import jargon
from utils.authoring.world.phrasing import Relation, Topic, all_topics, has_foreign_signs

PRACTICE = Path(__file__).parent / "practice"
# Two wordings are alike when they share this much of their words (Jaccard).
ALIKE = 0.6


@cache
def practice_questions() -> dict[str, tuple[str, ...]]:
    """Relation id to wordings.  Raises ValueError naming the file and the wording that breaks a rule."""
    topics = {relation.id: (topic, relation) for topic in all_topics() for relation in topic.relations}
    rows: dict[str, tuple[str, ...]] = {}
    for path in sorted(PRACTICE.glob("*.yaml")):
        for name, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if name not in topics or name in rows:
                raise ValueError(f"{path.name}: {name} is no relation, or is given twice")
            for problem in problems(*topics[name], texts):
                raise ValueError(f"{path.name}: {problem}")
            rows[name] = tuple(texts)
    return rows


def problems(topic: Topic, relation: Relation, texts: Sequence[str]) -> list[str]:
    """What is wrong with practice wordings of a relation, a sentence each; empty when nothing is."""
    kept_back = (relation.questions[-1], *jargon().questions.get(relation.id, ()))
    found = []
    for text in texts:
        if (topic.subject != "company") != ("{entity}" in text):
            found.append(f"{{entity}} stands exactly where the topic is about a thing: {text!r}")
        if has_foreign_signs(text, {"entity", "company"}):
            found.append(f"unknown placeholder, digit or non-ASCII sign: {text!r}")
        if text in relation.all_questions or list(texts).count(text) > 1:
            found.append(f"given twice: {text!r}")
        if any(likeness(text, kept) >= ALIKE for kept in kept_back):
            found.append(f"too like a wording that is kept back: {text!r}")
    return found


def likeness(one: str, other: str) -> float:
    """Share of words in common, 0 to 1 (Jaccard)."""
    words, others = (set(re.findall(r"[a-z{}]+", text.lower())) for text in (one, other))
    return len(words & others) / len(words | others)


def training_questions(relation: Relation, count: int | None = None) -> tuple[str, ...]:
    """Wordings used in pre-training: all but the last plain one, which stays unseen, and those for practice.

    count: only the first this many, None for all.
    """
    given = (*relation.questions[:-1], *relation.distant, *relation.untidy)
    return (*given, *practice_questions().get(relation.id, ()))[:count]
