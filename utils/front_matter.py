"""Front matter: the YAML fields between two --- lines at the top of a text."""

from __future__ import annotations

import re

import yaml

_BLOCK = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    """The fields of the front matter, if there is one, and the text after it.

    Raises ValueError when the lines between the two --- lines are no fields that YAML can read.
    """
    block = _BLOCK.match(text)
    if not block:
        return {}, text
    try:
        fields = yaml.safe_load(block[1])
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("the front matter is no valid YAML") from error
    if isinstance(fields, str):  # text between two rules, not front matter
        return {}, text
    if not isinstance(fields or {}, dict):
        raise ValueError("the front matter holds no fields")
    return fields or {}, text[block.end() :]
