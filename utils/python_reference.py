"""Python's own reference topics: real text that nobody wrote for this course, and questions on it.

Every Python installation holds the topics (`help("assert")` shows one).  They are read when they are needed, and never
copied into the course.  The questions are in `datasets/python_reference/`.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Literal

from utils.datasets import numbered_lines, read_row
from utils.errors import CourseError
from utils.handbook import Article, Category, Question
from utils.matching import contains_whole, normalise
from utils.paths import DATASETS
from utils.sentences import sentences

Part = Literal["dev", "test"]
QUESTIONS = DATASETS / "python_reference" / "questions.jsonl"
SECTION = "Python reference"

_WIDTH = 70  # the topics are wrapped at this column
_RULE = re.compile(r"\s*(?P<mark>[*=\-~])(?P=mark){2,}\s*|\s*\+[-=+]+\+\s*|\s*\|=[=|]+\|\s*|\s*-\[ Footnotes \]-\s*")
_BULLET = re.compile(r"\s*(?:\*|\d+\.|\[\d+\]) +")
_FIRST_PIECE = re.compile(r"\S+?(?:(?<=\w)-+(?=\w)|$|(?=\s))")  # wrapping may also cut a word after its hyphen
_EMPHASIS = re.compile(r"(?<![\w*\"'])(\*{1,2})(?=\w)([^*\n]*[^\s*])\1(?![\w*])")
_FOOTNOTE_MARK = re.compile(r"(?<=[.,;:)\w\"])\s+\[\d+\](?=$|[\s.,;)])")
_FOOTNOTE_START = re.compile(r"^\[\d+\] (?=[A-Z\"])")
_CODE = re.compile(r"^\s*(?:>>>|\.\.\. )|::=|  # ")


@dataclass(frozen=True)
class Row:
    """One line of questions.jsonl.

    wording: "close" to the topic's own words or "far" from them.  value, topic: both empty when no topic answers.
    subject: words that one sentence of all topics holds together, and that sentence holds the value.
    absent: for an unanswerable question, phrases that no topic holds.
    """

    id: str
    split: Part
    text: str
    wording: Literal["close", "far"]
    value: str
    topic: str
    subject: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def category(self) -> Category:
        """The course's name for this kind of question."""
        if not self.value:
            return "unanswerable"
        return "plain" if self.wording == "close" else "paraphrase"


def load_topics() -> list[Article]:
    """The reference topics of this Python, sorted by id: "python-assert" is what `help("assert")` shows.

    Wrapped lines become paragraphs, and marks for emphasis, headings and footnotes are dropped.  Some topics hold
    others as a whole; such a repeated text stays only in the shortest topic, so that each statement has one home.
    Raises CourseError when this Python has no topics.
    """
    return [
        Article(f"python-{name}", paragraphs[0], SECTION, "public", "", "\n".join(paragraphs[1:]))
        for name, paragraphs in sorted(_without_repeats(_raw_topics()).items())
        if len(paragraphs) > 1
    ]


def load_python_questions(part: Part | None = None, path: Path | str | None = None) -> list[Question]:
    """Questions on the topics: the part "dev" or "test", or both.

    A question is left out when this Python's topics word its answer differently, as a new release may.  The reference
    is the topic's sentence with the value.
    Raises CourseError when the file is missing or a line is broken, and when this Python has no topics.
    """
    if part not in ("dev", "test", None):
        raise CourseError(f"There is no part {part!r} of the questions on Python: ask for 'dev' or 'test'.")
    found = evidence(load_topics())
    rows = [row for row in read_rows(path) if part in (None, row.split)]
    questions = (_question(row, found) for row in rows)
    return [question for question in questions if question]


def read_rows(path: Path | str | None = None) -> list[Row]:
    """The lines of questions.jsonl.

    Raises CourseError, which names the line, when the file cannot be read, when a line is broken, or when two share
    an id.
    """
    path = Path(os.path.expanduser(path)) if path else QUESTIONS
    rows: dict[str, Row] = {}
    for number, line in numbered_lines(path, "restore it, or check the path"):
        row = _row(line, f"Line {number} of {path}")
        if rows.setdefault(row.id, row) is not row:
            raise CourseError(f"Line {number} of {path} repeats the id {row.id!r}: give each question its own.")
    if not rows:
        raise CourseError(f"The file {path} is empty: write one question on each line.")
    return list(rows.values())


@dataclass(frozen=True)
class Evidence:
    """All sentences of the topics, searchable.

    sentences: an article's id, one of its sentences, and the sentence as `utils.matching` compares it.
    """

    sentences: tuple[tuple[str, str, str], ...]

    def about(self, subject: Sequence[str]) -> list[tuple[str, str]]:
        """The sentences that hold every word of the subject, each with its article's id."""
        words = [normalise(word) for word in subject]
        # Looking for a piece of text is quick; only what is left needs the careful comparison.
        likely = [found for found in self.sentences if all(word in found[2] for word in words)]
        return [(name, text) for name, text, _ in likely if all(contains_whole(text, word) for word in subject)]

    def answer(self, row: Row) -> str | None:
        """The sentence that answers a question; None when its topic has no such sentence, or not only one."""
        found = self.about(row.subject) if row.subject else []
        if len(found) != 1 or found[0][0] != f"python-{row.topic}" or not contains_whole(found[0][1], row.value):
            return None
        return found[0][1]


def evidence(topics: Sequence[Article]) -> Evidence:
    """The sentences of these topics."""
    pairs = ((topic.id, sentence) for topic in topics for sentence in sentences(topic.text))
    return Evidence(tuple((name, sentence, normalise(sentence)) for name, sentence in pairs))


def _question(row: Row, found: Evidence) -> Question | None:
    if not row.value:
        return Question(row.id, row.text, row.category, (), (), (), "")
    sentence = found.answer(row)
    if sentence is None:
        return None
    return Question(row.id, row.text, row.category, (row.value,), (f"python-{row.topic}",), (row.topic,), sentence)


def _row(line: bytes, where: str) -> Row:
    row = read_row(line, where, Row, "fix that line")
    if bool(row.value) != bool(row.topic):
        raise CourseError(f"{where} has a value or a topic, but not both: give both, or leave both empty.")
    return row


def _raw_topics() -> Mapping[str, str]:
    try:
        topics = import_module("pydoc_data.topics").topics
    except (ImportError, AttributeError) as error:
        raise CourseError(_NO_TOPICS) from error
    if not isinstance(topics, Mapping) or not topics:
        raise CourseError(_NO_TOPICS)
    return topics


_NO_TOPICS = (
    "This Python has no reference topics (its folder pydoc_data is missing or empty): install a complete Python 3.11, "
    "3.12 or 3.13, for example from python.org or with conda, and make the environment again."
)


def _without_repeats(topics: Mapping[str, str]) -> dict[str, list[str]]:
    """The paragraphs of each topic, title first, without those that a shorter topic holds in the same surroundings.

    A paragraph counts as repeated together with a neighbour only: "Some examples:" alone says nothing.
    """
    every = {name: paragraphs_of(text) for name, text in topics.items()}
    kept: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    # Of two equal topics, the one that its title names stays: "if", not "else".
    for name in sorted(every, key=lambda name: (len(topics[name]), f'"{name}"' not in every[name][0], name)):
        paragraphs = every[name]
        repeated = {at + step for at, pair in enumerate(pairwise(paragraphs)) if pair in seen for step in (0, 1)}
        kept[name] = [text for at, text in enumerate(paragraphs) if at == 0 or at not in repeated]
        seen.update(pairwise(paragraphs))
    return kept


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a topic, its title first.

    Prose becomes one line for each paragraph, a table one for each row; code keeps its lines.
    """
    blocks: list[list[str]] = [[]]
    for line in text.expandtabs().splitlines():
        if not line.strip() or _RULE.fullmatch(line):
            blocks.append([])
        else:
            blocks[-1].append(line.rstrip())
    return ["\n".join(_clean(line) for line in _lines(block)) for block in blocks if block]


def _lines(block: Sequence[str]) -> list[str]:
    """The lines of a paragraph, with wrapped ones joined."""
    if all(line.lstrip().startswith("| ") for line in block):
        return [_table_row(block)]
    joined = [block[0]]
    for before, line in pairwise(block):
        if _wrapped(before, line):
            joined[-1] += ("" if re.search(r"\w-$", before) else " ") + line.lstrip()
        else:
            joined.append(line)
    return textwrap.dedent("\n".join(joined)).split("\n")


def _wrapped(before: str, line: str) -> bool:
    """Whether a line break only wraps a paragraph: what comes next had no room on the line before."""
    if len(before) > _WIDTH or _BULLET.match(line) or any(_CODE.search(text) for text in (before, line)):
        return False
    bullet = _BULLET.match(before)
    indents = {_indent(before), bullet.end() if bullet else _indent(before)}
    room = _WIDTH - len(before) - (2 if before.endswith((".", "?", "!")) else 1)
    return _indent(line) in indents and len(_FIRST_PIECE.match(line.lstrip())[0]) > room


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _table_row(block: Sequence[str]) -> str:
    rows = (re.split(r"\s\|\s", line.strip()[1:-1]) for line in block)
    cells = (" ".join(" ".join(cell).split()) for cell in zip_longest(*rows, fillvalue=""))
    return " | ".join(cells)


def _clean(line: str) -> str:
    """A line without footnotes and emphasis; code stays as it is."""
    if _CODE.search(line):
        return line
    line = _FOOTNOTE_START.sub("", re.sub(r"^(\s*)\* ", r"\1- ", line))
    line = _EMPHASIS.sub(r"\2", _FOOTNOTE_MARK.sub("", line))
    # Prose has two spaces after a full stop; in code, several spaces line things up.
    return re.sub(r"(?<=[.?!:)\"]) {2}(?=\S)", " ", line)
