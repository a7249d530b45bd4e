"""Front matter: the YAML fields between two --- lines at the top of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import yaml

_BLOCK = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """The fields of the front matter, if there is any, and the text after it.

    Each value stays as it is written: `012`, `No` and `2026-03-01` are strings.
    Raises ValueError when the lines between the two --- lines are not fields that YAML can read.
    """
    block = _BLOCK.match(text)
    if not block:
        return {}, text
    try:
        fields = yaml.load(block[1], Loader=yaml.BaseLoader)  # makes strings, lists and dictionaries, nothing else
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("the front matter is not valid YAML") from error
    if isinstance(fields, str):  # text between two rules, not front matter
        return {}, text
    if not isinstance(fields or {}, dict):
        raise ValueError("the front matter has no fields")
    return fields or {}, text[block.end() :]


def mistake_in(fields: Mapping[str, object], path: Path, audiences: Sequence[str]) -> str | None:
    """A sentence about the first field of an article that has a wrong value, with the fix; None when all are right.

    path: the article's file.  audiences: the values that the field `audience` can have.
    """
    for name, value in fields.items():
        if not isinstance(value, str):
            return f"The {name} of {path} is a list or has fields of its own: write one value."
    audience, day = fields.get("audience"), fields.get("valid_from")
    if audience is not None and audience not in audiences:
        close = get_close_matches(audience.lower(), audiences, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        return f"The audience of {path} is {audience!r}{meant}: write one of {', '.join(audiences)}."
    if day is not None and not _is_date(day):
        return f"The valid_from of {path} is {day!r}: write a date such as 2026-03-01."
    return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text  # Python also reads 20260301, which sorts differently
    except ValueError:
        return False
