"""Reading `datasets/`: articles, questions, changes and fine-tuning sets, as the types of `utils.handbook`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from utils.checksums import check_file, checksums_in
from utils.errors import CourseError
from utils.front_matter import split_front_matter
from utils.handbook import Article, Change, DatedQuestion, Example, JargonPair, PublicQuestion, Question, Ticket
from utils.paths import DATASETS

MAKE_AGAIN = "run `make datasets` to make it again"

Row = TypeVar("Row")


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
        about, text = split_front_matter(path.read_text(encoding="utf-8"))
        return Article(**about, text=_with_text(text))
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The article {path} cannot be read ({type(error).__name__}): {MAKE_AGAIN}.") from error
    except (TypeError, ValueError) as error:
        needed = ", ".join(field.name for field in fields(Article) if field.name != "text")
        raise CourseError(
            f"The article {path} is not complete: it needs front matter with {needed}, and a text; {MAKE_AGAIN}."
        ) from error


def load_questions(part: str, folder: Path | None = None) -> list[Question]:
    """The frozen questions of a part, "dev" or "test".

    Raises CourseError when they are missing or broken, or differ from the checksum that lies beside them.
    """
    return _load_frozen(folder or DATASETS / "questions", part, Question)


def load_dated_questions(folder: Path | None = None) -> list[DatedQuestion]:
    """Questions on facts that change, with the gold answer of each time.  Raises CourseError like `load_questions`."""
    return _load_frozen(folder or DATASETS / "questions", "changed", DatedQuestion)


def load_public_questions(folder: Path | None = None) -> list[PublicQuestion]:
    """Questions on the public companies of pre-training.  Raises CourseError like `load_questions`."""
    return _load_frozen(folder or DATASETS / "questions", "public", PublicQuestion)


def load_changes(path: Path | None = None) -> list[Change]:
    """Thirty days of changes, in the order of their days.  Raises CourseError when they are missing or broken."""
    return _load_rows(path or DATASETS / "changes.jsonl", Change)


def load_examples(part: str = "train", folder: Path | None = None) -> list[Example]:
    """The fine-tuning examples.  Raises CourseError when they are missing or broken."""
    return _load_rows((folder or DATASETS / "finetuning") / f"{part}.jsonl", Example)


def load_tickets(part: str, folder: Path | None = None) -> list[Ticket]:
    """Tickets with their queues: "train", "dev" or "test".  Raises CourseError when they are missing or broken."""
    return _load_rows((folder or DATASETS / "finetuning") / f"tickets_{part}.jsonl", Ticket)


def load_jargon_pairs(folder: Path | None = None) -> list[JargonPair]:
    """Jargon questions with their articles.  Raises CourseError when they are missing or broken."""
    return _load_rows((folder or DATASETS / "finetuning") / "jargon_pairs.jsonl", JargonPair)


def _load_frozen(folder: Path, name: str, record: type[Row]) -> list[Row]:
    path = folder / f"{name}.jsonl"
    wanted = checksums_in(folder).get(path.name)
    if wanted:
        check_file(path, wanted, MAKE_AGAIN)
    return _load_rows(path, record)


def _load_rows(path: Path, record: type[Row]) -> list[Row]:
    if not path.is_file():
        raise CourseError(f"The file {path} is missing: {MAKE_AGAIN}.")
    adapter = TypeAdapter(record)
    rows: list[Row] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            rows.append(adapter.validate_json(line))
        except ValidationError as error:
            raise CourseError(f"Line {number} of {path} is broken: {MAKE_AGAIN}.") from error
    if not rows:
        raise CourseError(f"The file {path} is empty: {MAKE_AGAIN}.")
    return rows


def _with_text(text: str) -> str:
    if not text.strip():
        raise ValueError("no text")
    return text.strip()


def _refuse_repeated(ids: list[str], folder: Path) -> None:
    repeated = sorted({identifier for identifier in ids if ids.count(identifier) > 1})
    if repeated:
        raise CourseError(f"Two articles in {folder} share the id {repeated[0]!r}: give each its own.")
