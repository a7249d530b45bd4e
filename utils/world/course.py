"""The course's own companies: their names, and the words that pre-training must never use."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

COURSE_NAMES = Path(__file__).parent / "course_names.yaml"


@cache
def course_names() -> dict[str, dict[str, list[str]]]:
    """Lists of names by company key, then by kind of name."""
    return yaml.safe_load(COURSE_NAMES.read_text(encoding="utf-8"))


@cache
def reserved_words() -> frozenset[str]:
    """Every word of every course name, in lower case: what the generator must never have seen as a name."""
    lists = [value for company in course_names().values() for value in company.values() if isinstance(value, list)]
    return frozenset(word.lower() for names in lists for name in names for word in name.split())
