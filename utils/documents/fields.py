"""Fields: what a file states about itself.  An audience that could be overlooked is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path

from utils.documents.page import Page
from utils.errors import CourseError
from utils.front_matter import mistake_in, split_front_matter
from utils.handbook import AUDIENCES

REDIRECTS = ("redirect", "redirect_to")

_FIELDS = ("id", "title", "question", "section", "audience", "valid_from")
_TOML_BLOCK = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_AUDIENCE_LINE = re.compile(r"""^[ \t]*["']?audience["']?[ \t]*[:=]""", re.IGNORECASE | re.MULTILINE)


def split_fields(text: str) -> Page:
    """A text as fields and body.  The fields are YAML between --- lines or TOML between +++ lines at the top.

    Raises ValueError when the lines between are not fields.
    """
    text = text.lstrip()
    fields, body = _split_toml(text) if text.startswith("+++") else split_front_matter(text)
    return Page(text=body.lstrip(), fields=fields, top=text.removesuffix(body) or text)


def known_fields(page: Page, path: Path) -> dict[str, str]:
    """The fields that an article has, with a value each; `question` serves as the title where there is none.

    Raises CourseError when one has a wrong value, or when the page may name an audience in a way that is not read.
    """
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in page.fields.items()}
    known = {name: stripped[name] for name in _FIELDS if stripped.get(name)}
    mistake = mistake_in(known, path, AUDIENCES)
    if mistake:
        raise CourseError(mistake)
    if "audience" not in known:
        _require_no_audience(path, page)
    question = known.pop("question", "")
    return {"title": question, **known} if question else known


def redirect_in(fields: Mapping[str, object]) -> str:
    """Where the fields send the reader; empty when they do not."""
    # Only a text is an address, and a list inside lists can have gigabytes of text.
    return next((fields[name] for name in REDIRECTS if fields.get(name) and isinstance(fields[name], str)), "")


def resembles_audience(name: str) -> bool:
    """Whether a field's name is `audience` or a likely misspelling of it."""
    return bool(get_close_matches(name.strip().lower(), ["audience"], cutoff=0.75))


def _split_toml(text: str) -> tuple[dict[str, object], str]:
    block = _TOML_BLOCK.match(text)
    if not block:
        return {}, text
    try:
        fields = tomllib.loads(block[1])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError("the front matter is not valid TOML") from error
    return {name: _as_text(value) for name, value in fields.items()}, text[block.end() :]


def _as_text(value: object) -> object:
    """A value of TOML as YAML's front matter would have it: text, unless it is a list or a table."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value if isinstance(value, list | dict) else str(value)


def _require_no_audience(path: Path, page: Page) -> None:
    for name in page.fields:
        if name != "audience" and resembles_audience(name):
            raise CourseError(f"The front matter of {path} has a field {name!r}: name it 'audience'.")
    overlooked = page.top.startswith(("---", "+++")) and _AUDIENCE_LINE.search(page.top)
    if overlooked or "audience" in page.fields:
        raise CourseError(
            f"The audience of {path} cannot be read: write a line such as `audience: staff` between two --- lines at "
            "the top, or delete the line."
        )
