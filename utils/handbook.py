"""The handbook, the questions and the answers: the types that all notebooks share, read from `datasets/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import yaml

from utils.errors import CourseError
from utils.paths import DATASETS
from utils.world.records import CATEGORIES, Article, Example, Question

__all__ = [
    "CATEGORIES", "COMPANY", "Answer", "Article", "Example", "Question",
    "articles_by_id", "load_articles", "load_examples", "load_questions", "read_article",
]  # fmt: skip

COMPANY = "Tarnwick Outfitters"
MAKE_AGAIN = "run `make datasets` to make it again"

Row = TypeVar("Row", Question, Example)


@dataclass(frozen=True)
class Answer:
    """What an arm said.  passages: the articles it was shown, in the order of their numbers in the prompt."""

    question: Question
    text: str
    passages: tuple[Article, ...] = ()


def load_articles(folder: Path | None = None) -> list[Article]:
    """The handbook's articles in the order of their ids.

    Raises CourseError when the folder is missing or empty, when a file is broken, or when two share an id.
    """
    folder = folder or DATASETS / "handbook"
    if not folder.is_dir():
        raise CourseError(f"The handbook folder {folder} is missing: {MAKE_AGAIN}.")
    articles = [read_article(path) for path in sorted(folder.glob("*.md"))]
    if not articles:
        raise CourseError(f"The handbook folder {folder} holds no .md file: {MAKE_AGAIN}.")
    _refuse_repeated([article.id for article in articles], folder)
    return articles


def read_article(path: Path) -> Article:
    """One article from a Markdown file with front matter.  Raises CourseError when it cannot be read."""
    try:
        parts = path.read_text(encoding="utf-8").split("---\n", 2)
        return Article(**yaml.safe_load(parts[1]), text=_with_text(parts[2]))
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The article {path} cannot be read ({type(error).__name__}): {MAKE_AGAIN}.") from error
    except (IndexError, TypeError, ValueError, yaml.YAMLError) as error:
        needed = ", ".join(field.name for field in fields(Article) if field.name != "text")
        raise CourseError(
            f"The article {path} is not complete: it needs front matter with {needed}, and a text; {MAKE_AGAIN}."
        ) from error


def articles_by_id(articles: Sequence[Article], ids: Sequence[str]) -> list[Article]:
    """The articles with these ids, in this order.  Raises CourseError for an unknown id."""
    by_id = {article.id: article for article in articles}
    unknown = [identifier for identifier in ids if identifier not in by_id]
    if unknown:
        raise CourseError(f"The handbook has no article with the id {unknown[0]!r}: look in datasets/handbook.")
    return [by_id[identifier] for identifier in ids]


def load_questions(part: str, folder: Path | None = None) -> list[Question]:
    """The frozen questions of a part, "dev" or "test".  Raises CourseError when they are missing or broken."""
    return _load_rows((folder or DATASETS / "questions") / f"{part}.jsonl", _question)


def load_examples(part: str = "train", folder: Path | None = None) -> list[Example]:
    """The fine-tuning examples.  Raises CourseError when they are missing or broken."""
    return _load_rows((folder or DATASETS / "finetuning") / f"{part}.jsonl", _example)


def _load_rows(path: Path, make: Callable[[dict], Row]) -> list[Row]:
    if not path.is_file():
        raise CourseError(f"The file {path} is missing: {MAKE_AGAIN}.")
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            rows.append(make(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CourseError(f"Line {number} of {path} is broken: {MAKE_AGAIN}.") from error
    if not rows:
        raise CourseError(f"The file {path} is empty: {MAKE_AGAIN}.")
    return rows


def _question(row: dict) -> Question:
    return Question(**row | {key: tuple(row[key]) for key in ("values", "articles", "relations")})


def _example(row: dict) -> Example:
    return Example(**row | {"articles": tuple(row["articles"])})


def _with_text(text: str) -> str:
    if not text.strip():
        raise ValueError("no text")
    return text.strip()


def _refuse_repeated(ids: list[str], folder: Path) -> None:
    repeated = sorted({identifier for identifier in ids if ids.count(identifier) > 1})
    if repeated:
        raise CourseError(f"Two articles in {folder} share the id {repeated[0]!r}: give each its own.")
