"""The course's own companies: their names and topics, and the words that pre-training must never use as names."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from utils.authoring.world.phrasing import Topic, all_topics

COURSE_NAMES = Path(__file__).parent / "course_names.yaml"


@cache
def course_names() -> dict[str, dict[str, list[str]]]:
    """Trade, topics and lists of names by company key, then by kind of name."""
    return yaml.safe_load(COURSE_NAMES.read_text(encoding="utf-8"))


def course_topics(trade: str) -> list[Topic]:
    """What the handbook of the course company of this trade is about; empty for a trade without one."""
    by_id = {topic.topic: topic for topic in all_topics()}
    return [by_id[i] for company in course_names().values() if company["trade"] == trade for i in company["topics"]]


@cache
def reserved_words() -> frozenset[str]:
    """Every word of every course name, in lower case: what the generator must never have seen as a name."""
    lists = [
        names
        for company in course_names().values()
        for kind, names in company.items()
        if isinstance(names, list) and kind != "topics"
    ]
    return frozenset(word.lower() for names in lists for name in names for word in name.split())
