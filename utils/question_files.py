"""Question files of your own: JSONL, CSV or Excel become questions with gold answers (for notebook 11)."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

from utils.documents import ENDINGS, Read
from utils.documents.encodings import decode, whole_characters
from utils.documents.files import MAX_MEGABYTES, MEGABYTE
from utils.documents.spreadsheet import CellError, read_sheet
from utils.errors import CourseError
from utils.handbook import AUDIENCES, Article, Category, Question
from utils.prompts import ABSTENTION

# The names that a column may have; capitals, spaces and a plural "s" do not count.
COLUMNS: dict[str, tuple[str, ...]] = {
    "text": ("question", "text"),
    "values": ("answer", "value"),
    "articles": ("document", "article"),
    "id": ("id",),
    "category": ("category",),
    "reference": ("reference",),
    "audience": ("audience",),
    "relations": ("relation",),
}
SEPARATOR = "|"

_REQUIRED = {"text": "question", "values": "answer", "articles": "document"}
_DELIMITERS = (",", ";", "\t")
_SEP_LINE = re.compile(r"sep=.\r?\n", re.IGNORECASE)  # how Excel is told the separator


@dataclass(frozen=True)
class Row:
    """One question as the file has it.  place: its line and file, for complaints.

    cells: by the names of COLUMNS; in JSON, one may be a list.
    """

    line: int
    place: str
    cells: Mapping[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        """The question."""
        return self.one("text")

    def one(self, name: str) -> str:
        """A column with one value; empty where the file has none."""
        return SEPARATOR.join(self.cells.get(name, ())).strip()

    def many(self, name: str) -> tuple[str, ...]:
        """A column that may have several values."""
        parts = (part.strip() for cell in self.cells.get(name, ()) for part in cell.split(SEPARATOR))
        return tuple(part for part in parts if part)


def read_question_file(path: Path | str, articles: Sequence[Article], files: Sequence[Read] = ()) -> list[Question]:
    """The questions of a file whose name ends in .jsonl, .csv, .tsv or .xlsx, in its order.

    Columns: question (or text), answer (or value), document (or article); optional: id, category, reference, audience.
    Several answers or documents are separated by | or, in JSON, a list.  A question without an answer is one that the
    documents do not answer.  By default id: "q-" and the line; category: "plain", "two_facts" for several answers,
    "unanswerable" for none.  A CSV file may use commas, semicolons or tabs, and any encoding that is recognised; a
    sheet is read as it is shown.  articles: those that the documents may be, named by id or by file.
    Raises CourseError, with the line, for a file or a row that is wrong, for a document that is not among the
    articles, and for an id that occurs twice.
    """
    path = Path(os.path.expanduser(path))
    rows = list(_rows(path, _content(path)))
    if not rows:
        raise CourseError(f"The question file {path} has no question: write one on each line.")
    known = _names_of(articles, files)
    questions = [_question(row, known) for row in rows]
    _refuse_repeated(rows, questions, path)
    return questions


def _content(path: Path) -> bytes:
    if path.suffix.lower() not in (".jsonl", ".csv", ".tsv", ".xlsx"):
        raise CourseError(f"The question file {path} is of no known kind: save it as .jsonl, .csv or .xlsx.")
    try:
        if not path.is_file():
            raise CourseError(f"The question file {path} is missing: check its path.")
        with path.open("rb") as file:
            data = file.read(MAX_MEGABYTES * MEGABYTE + 1)
    except OSError as error:
        refused = isinstance(error, PermissionError)  # on Windows, also a file that is open in another program
        fix = "close it in other programs, and check who may read it" if refused else "fix that"
        raise CourseError(f"The question file {path} cannot be read ({error.strerror}): {fix}.") from error
    if len(data) > MAX_MEGABYTES * MEGABYTE:
        raise CourseError(f"The question file {path} has more than {MAX_MEGABYTES} MB: split it.")
    return data


def _rows(path: Path, data: bytes) -> Iterator[Row]:
    if path.suffix.lower() == ".xlsx":
        return _table(path, _sheet(path, data), "Row")
    try:
        text, _ = decode(data)
    except ValueError as error:
        raise CourseError(f"The question file {path} is not plain text: save it in UTF-8.") from error
    return _json_rows(path, text) if path.suffix.lower() == ".jsonl" else _table(path, _csv(path, text), "Line")


# JSONL


def _json_rows(path: Path, text: str) -> Iterator[Row]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        place = f"Line {line} of {path}"
        try:
            fields = json.loads(written, parse_float=str, parse_int=str)  # a number as it is written: 12.50
        except (ValueError, RecursionError) as error:
            raise CourseError(f"{place} is not JSON: write one object such as {{...}} on each line.") from error
        if not isinstance(fields, dict):
            raise CourseError(f"{place} is no object: write fields such as question and answer in braces.")
        columns = _columns(list(fields), place, required=("text", "values"))
        cells = {name: _json_values(fields[key], key, place) for key, name in columns.items()}
        yield Row(line, place, cells)


def _json_values(value: object, key: str, place: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, list | dict | bool) for one in values):
        raise CourseError(f"{place} has no usable {key!r}: write text, a number or a list of them.")
    return tuple(whole_characters(str(one)) for one in values if one is not None)


# Tables


def _table(path: Path, lines: Iterator[tuple[int, list[str]]], unit: str) -> Iterator[Row]:
    """The rows of a table whose first row with text names the columns."""
    header: list[str] = []
    columns: dict[str, str] = {}
    for line, cells in lines:
        place = f"{unit} {line} of {path}"
        if not any(cells):
            continue
        if not header:
            header, columns = cells, _columns(cells, place, required=tuple(_REQUIRED))
            continue
        if any(cells[len(header) :]):
            raise CourseError(f"{place} has more cells than the header: put text with separators in quotes.")
        named = dict(zip(header, cells, strict=False))
        yield Row(line, place, {name: (named.get(key, ""),) for key, name in columns.items()})


def _columns(written: Sequence[str], place: str, required: Sequence[str]) -> dict[str, str]:
    """The column names of a file → those of COLUMNS; unknown ones are left out."""
    found: dict[str, str] = {}
    for key in written:
        name = _column(key)
        if name and name in found.values():
            raise CourseError(f"{place} has two columns for the {_REQUIRED.get(name, name)}: keep one.")
        if name:
            found[key] = name
    missing = [_REQUIRED[name] for name in required if name not in found.values()]
    if missing:
        raise CourseError(f"{place} has no column {missing[0]!r}: name the columns question, answer and document.")
    return found


def _column(key: str) -> str | None:
    plain = re.sub(r"\(s\)$|s$", "", key.strip().lower())
    return next((name for name, names in COLUMNS.items() if plain in names), None)


def _csv(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV file, each with the line that it begins on."""
    marked = _SEP_LINE.match(text)
    delimiter = marked[0][4] if marked else _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if not (marked and line == 1):
                yield line, [cell.strip() for cell in cells]
            line = reader.line_num + 1
    except csv.Error as error:
        raise CourseError(f"Line {line} of {path} is not CSV ({error}): fix its quotes and separators.") from error


def _delimiter(text: str) -> str:
    """The separator that finds the most columns in the first line with text."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return max(_DELIMITERS, key=lambda delimiter: sum(bool(_column(key.strip('"'))) for key in first.split(delimiter)))


def _sheet(path: Path, data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        yield from read_sheet(data)
    except CellError as error:
        raise CourseError(f"Row {error.row} of {path}: {error}.") from error
    except Exception as error:  # a damaged file can raise anything in openpyxl
        raise CourseError(f"The question file {path} cannot be read as xlsx ({error}): save it again.") from error


# Questions


def _question(row: Row, known: Mapping[str, str]) -> Question:
    values = row.many("values")
    if not row.text:
        raise CourseError(f"{row.place} has no question: write one, or delete the line.")
    articles = _articles(row, known)
    if values and not articles:
        raise CourseError(f"{row.place} names no document: write the id of the one that has the answer.")
    if articles and not values:
        raise CourseError(f"{row.place} names a document and has no answer: write the answer, or delete the document.")
    return Question(
        id=row.one("id") or f"q-{row.line}",
        text=row.text,
        category=_category(row, len(values)),
        values=values,
        articles=articles,
        relations=row.many("relations"),
        reference=row.one("reference") or (" ".join(values) if values else ABSTENTION),
        audience=_one_of(row, "audience", AUDIENCES) or "public",
    )


def _category(row: Row, values: int) -> Category:
    usual: Category = "unanswerable" if not values else "plain" if values == 1 else "two_facts"
    written = _one_of(row, "category", get_args(Category)) or usual
    if (written == "unanswerable") != (usual == "unanswerable"):
        amount = "an answer" if values else "no answer"
        raise CourseError(f"{row.place} has the category {written!r} and {amount}: change one of them.")
    return written


def _one_of(row: Row, name: str, allowed: Sequence[str]) -> str:
    written = row.one(name)
    if written and written not in allowed:
        close = get_close_matches(written.lower(), allowed, n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        raise CourseError(f"{row.place} has the {name} {written!r}{meant}: write one of {', '.join(allowed)}.")
    return written


def _articles(row: Row, known: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of the documents that a row names, each once."""
    return tuple(dict.fromkeys(_article(row, written, known) for written in row.many("articles")))


def _article(row: Row, written: str, known: Mapping[str, str]) -> str:
    name = _comparable(written)
    if name in known:
        return known[name]
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" (did you mean {known[close[0]]!r}?)" if close else ""
    question = row.text
    raise CourseError(f"{row.place} names the document {written!r}, which is not there{meant}: fix {question!r}.")


def _names_of(articles: Sequence[Article], files: Sequence[Read]) -> dict[str, str]:
    """What a document may be called, with its id: its id, and its file with or without the ending.

    Where the files are not given, an id with any ending is taken for the file's name.
    """
    ids = {_comparable(article.id): article.id for article in articles}
    if not files:
        return {name + ending: article for name, article in ids.items() for ending in ENDINGS} | ids
    paths = {_comparable(one.path): one.article_id for one in files}
    stems = {name[: name.rindex(".")]: article for name, article in reversed(paths.items())}
    copies = {_comparable(one.own_id): one.article_id for one in files if one.own_id}
    return stems | paths | copies | ids


def _comparable(name: str) -> str:
    """An id as it is compared: macOS and Windows write the same name in other ways."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def _refuse_repeated(rows: Sequence[Row], questions: Sequence[Question], path: Path) -> None:
    lines: dict[str, int] = {}
    for row, question in zip(rows, questions, strict=True):
        first = lines.setdefault(question.id, row.line)
        if first != row.line:
            raise CourseError(f"Lines {first} and {row.line} of {path} share the id {question.id!r}: give each one.")
