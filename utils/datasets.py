"""Reading `datasets/`: articles, questions, changes and fine-tuning sets, as the types of `utils.handbook`.

Every loader also reads a folder of your own, named by a path or a string.  Of the course's own questions and training
examples, COURSE_SHARE takes a share; articles, changes and files of your own are always read in full.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Callable, Hashable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from utils.checksums import CHECKSUMS, check_file, checksums_in
from utils.errors import CourseError
from utils.front_matter import mistake_in, split_front_matter
from utils.handbook import (
    AUDIENCES,
    Article,
    Change,
    DatedQuestion,
    Example,
    JargonPair,
    PublicQuestion,
    Question,
    TaughtFact,
    Ticket,
)
from utils.paths import DATASETS
from utils.sampling import chosen_share, sample
from utils.validation import first_broken_rule

MAKE_AGAIN = "run `make datasets` to make it again"

Row = TypeVar("Row")

# What rows are told apart by, so that a share of them has some of each; `type` where all are alike.
KIND: dict[type, Callable[..., Hashable]] = {
    Question: attrgetter("category"),
    DatedQuestion: type,
    PublicQuestion: type,
    Example: lambda example: example.source is None,
    TaughtFact: type,
    Ticket: attrgetter("queue"),
    JargonPair: type,
}
# Rows that are kept or left out together: both wordings of a dated fact, which notebook 04 reads in pairs.
TOGETHER: dict[type, Callable[..., Hashable]] = {DatedQuestion: attrgetter("relation", "versions")}


def load_articles(folder: Path | str | None = None) -> list[Article]:
    """The handbook's articles, sorted by file name.

    Raises CourseError when the folder is missing or empty, when a file is broken, or when two share an id.
    """
    folder = _place(folder, "handbook")
    if not folder.is_dir():
        raise CourseError(f"The handbook folder {folder} is missing: {_fix(folder, 'check its path')}.")
    articles = [read_article(path) for path in sorted(folder.glob("*.md"))]
    if not articles:
        raise CourseError(f"The handbook folder {folder} has no .md file: {_fix(folder, 'put at least one into it')}.")
    _refuse_repeated([article.id for article in articles], folder)
    return articles


def read_article(path: Path | str) -> Article:
    """One article from a Markdown file with front matter.  Raises CourseError when it cannot be read."""
    path = _place(path, "")
    fix = _fix(path, "fix the file")
    try:
        about, text = split_front_matter(path.read_text(encoding="utf-8-sig"))
        article = Article(**about, text=_with_text(text))
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The article {path} cannot be read ({type(error).__name__}): {fix}.") from error
    except (TypeError, ValueError) as error:
        needed = ", ".join(field.name for field in fields(Article) if field.name != "text")
        raise CourseError(
            f"The article {path} is not complete: it needs front matter with {needed}, and a text; {fix}."
        ) from error
    mistake = mistake_in(about, path, AUDIENCES)
    if mistake:
        raise CourseError(mistake)
    return article


def load_questions(part: str, folder: Path | str | None = None) -> list[Question]:
    """The questions of a part, "dev" or "test".

    The course's own are frozen: the file SHA256SUMS next to them must hold their checksums.  A folder of your own needs
    none.  Raises CourseError when the questions are missing, broken, repeat an id or differ from their checksum.
    """
    return _load_frozen(_place(folder, "questions"), part, Question)


def load_dated_questions(folder: Path | str | None = None) -> list[DatedQuestion]:
    """Questions on facts that change, with the gold answer of each time.  Raises CourseError like `load_questions`."""
    return _load_frozen(_place(folder, "questions"), "changed", DatedQuestion)


def load_public_questions(folder: Path | str | None = None) -> list[PublicQuestion]:
    """Questions on the public companies of pre-training.  Raises CourseError like `load_questions`."""
    return _load_frozen(_place(folder, "questions"), "public", PublicQuestion)


def load_changes(path: Path | str | None = None) -> list[Change]:
    """Thirty days of changes, sorted by day.  Raises CourseError when they are missing or broken."""
    return _load_rows(_place(path, "changes.jsonl"), Change)


def load_examples(part: str = "train", folder: Path | str | None = None) -> list[Example]:
    """The fine-tuning examples.  Raises CourseError when they are missing or broken."""
    return _load_rows(_place(folder, "finetuning") / f"{part}.jsonl", Example)


def load_taught_facts(folder: Path | str | None = None) -> list[TaughtFact]:
    """Facts to teach, each asked in several wordings.  Raises CourseError when they are missing or broken."""
    return _load_rows(_place(folder, "finetuning") / "facts.jsonl", TaughtFact)


def load_kinds(path: Path | str | None = None) -> dict[str, str]:
    """What kind of value each relation of the handbook has, such as "amount" or "weekday".

    Raises CourseError when the file is missing or broken.
    """
    path = _place(path, "kinds.json")
    try:
        return TypeAdapter(dict[str, str]).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise CourseError(f"The file {path} is missing or broken: {_fix(path, 'check it')}.") from error


def load_tickets(part: str, folder: Path | str | None = None) -> list[Ticket]:
    """Tickets with their queues: "train", "dev" or "test".  Raises CourseError when they are missing or broken."""
    return _load_rows(_place(folder, "finetuning") / f"tickets_{part}.jsonl", Ticket)


def load_jargon_pairs(folder: Path | str | None = None) -> list[JargonPair]:
    """Jargon questions with their articles.  Raises CourseError when they are missing or broken."""
    return _load_rows(_place(folder, "finetuning") / "jargon_pairs.jsonl", JargonPair)


def _place(given: Path | str | None, usual: str) -> Path:
    """A path as the caller gave it, with ~ expanded, or else the usual one in `datasets/`."""
    return Path(os.path.expanduser(given)) if given else DATASETS / usual


def _fix(path: Path, otherwise: str) -> str:
    """How to fix a file: the course's own can be made again."""
    return MAKE_AGAIN if _is_the_courses(path) else otherwise


def _is_the_courses(path: Path) -> bool:
    return DATASETS in Path(os.path.abspath(path)).parents


def _load_frozen(folder: Path, name: str, record: type[Row]) -> list[Row]:
    path = folder / f"{name}.jsonl"
    fix = _fix(path, f"restore it, or update {CHECKSUMS} in that folder")
    wanted = checksums_in(folder, fix).get(path.name)
    if wanted:
        check_file(path, wanted, fix)
    elif path.is_file() and _is_the_courses(path):
        raise CourseError(f"{folder / CHECKSUMS} is missing or has no line for {path.name}: {fix}.")
    return _load_rows(path, record)


def _load_rows(path: Path, record: type[Row]) -> list[Row]:
    """The rows of a file; of the course's own, a share of each kind where rows have one."""
    if not path.is_file():
        raise CourseError(f"The file {path} is missing: {_fix(path, 'check its path')}.")
    rows: list[Row] = []
    lines: dict[object, int] = {}
    for number, line in numbered_lines(path, _fix(path, "check it")):
        row = read_row(line, f"Line {number} of {path}", record, _fix(path, "fix that line"))
        identifier = getattr(row, "id", number)
        if lines.setdefault(identifier, number) != number:
            raise CourseError(
                f"Lines {lines[identifier]} and {number} of {path} share the id {identifier!r}: "
                f"{_fix(path, 'give each its own')}."
            )
        rows.append(row)
    if not rows:
        raise CourseError(f"The file {path} is empty: {_fix(path, 'write one record on each line')}.")
    if record not in KIND or not _is_the_courses(path):
        return rows
    if record not in TOGETHER:
        return sample(rows, chosen_share(), KIND[record])
    groups: dict[Hashable, list[Row]] = {}
    for row in rows:
        groups.setdefault(TOGETHER[record](row), []).append(row)
    kept = sample(list(groups.values()), chosen_share(), lambda group: KIND[record](group[0]))
    return [row for group in kept for row in group]


def numbered_lines(path: Path, fix: str) -> list[tuple[int, bytes]]:
    """The lines of a file with their numbers, without blank ones and without a byte order mark.

    Raises CourseError, which ends with `fix`, when the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"The file {path} cannot be read ({error.strerror or error}): {fix}.") from error
    lines = content.removeprefix(codecs.BOM_UTF8).splitlines()
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def read_row(line: bytes, where: str, record: type[Row], fix: str) -> Row:
    """One line of JSON as a record.  where: the line's number and file.

    Raises CourseError, which names both and ends with `fix`, when the line is no such record.
    """
    try:
        return _adapter(record).validate_json(line)
    except ValidationError as error:
        raise CourseError(f"{where} is broken ({first_broken_rule(error).within(1)}): {fix}.") from error


@cache
def _adapter(record: type[Row]) -> TypeAdapter[Row]:
    return TypeAdapter(record)


def _with_text(text: str) -> str:
    if not text.strip():
        raise ValueError("no text")
    return text.strip()


def _refuse_repeated(ids: list[str], folder: Path) -> None:
    repeated = sorted({identifier for identifier in ids if ids.count(identifier) > 1})
    if repeated:
        raise CourseError(f"Two articles in {folder} share the id {repeated[0]!r}: give each its own.")
