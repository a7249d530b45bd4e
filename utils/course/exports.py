"""Reads the exports of a class: a folder of files, each what `progress --export` or the dashboard gave one learner.

Nothing is changed.  Texts from these files are data: a file that is no export is named with the reason, and nothing of
it is repeated.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ValidationError

from utils.course.transfer import VERSION, Transfer, json_in, read_export
from utils.errors import CourseError
from utils.ledger import LedgerFile, Measurement
from utils.paths import OF_THE_SYSTEM
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import Quiz, QuizQuestion
from utils.quiz.standing import valid_answer

LARGEST_FILE = 5_000_000
SAME_ANSWERS = 3  # this many answers given in the same seconds, and all others newer: an earlier copy
LONGEST_NAME = 80


class ExportedLedger:
    """A learner's measurements, looked up as in the `Ledger` that they come from."""

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._document = LedgerFile()
        self._document.merge(measurements)

    def get(self, key: str) -> Measurement | None:
        """The newest measurement of `key`, or None."""
        return self._document.latest.get(key)


@dataclass(frozen=True)
class Learner:
    """One learner's export.  number: the place of the file in the folder, counted from 1.  name: the file's name."""

    number: int
    name: str
    answers: Mapping[str, QuizAnswer]
    measurements: Sequence[Measurement]

    @cached_property
    def ledger(self) -> ExportedLedger:
        """The measurements by key."""
        return ExportedLedger(self.measurements)

    @cached_property
    def given(self) -> frozenset[tuple[str, str, str]]:
        """Every answer as question, answer and time: what two exports of one learner share."""
        return frozenset((key, answer.option, answer.at) for key, answer in self.answers.items())

    def answer_to(self, quiz: Quiz, question: QuizQuestion) -> QuizAnswer | None:
        """The answer to a question; None when there is none, or none that fits its present wording."""
        return valid_answer(question, self.answers.get(quiz.key(question)))


@dataclass(frozen=True)
class Skipped:
    """A file that does not count, and why not."""

    number: int
    name: str
    reason: str


def read_exports(folder: Path) -> tuple[list[Learner], list[Skipped]]:
    """The exports in a folder, and the files that are none, both in the order of the files' names.

    Raises CourseError when there is no such folder, or no file in it.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and _is_of_a_learner(path))
    except OSError:
        raise CourseError(
            f"There is no folder {clean(str(folder))} that can be read: name the one with the exported files."
        ) from None
    if not paths:
        raise CourseError(f"The folder {clean(str(folder))} holds no files: put each learner's export into it.")
    learners, skipped = [], []
    for number, path in enumerate(paths, start=1):
        try:
            learners.append(_learner(number, path))
        except CourseError as problem:
            skipped.append(Skipped(number, path.name, str(problem)))
    return _without_copies(learners, skipped)


def clean(text: str) -> str:
    """A text from outside in one line: control and formatting characters become "?", and it is cut if it is long."""
    shown = "".join("?" if unicodedata.category(letter)[0] in "CZ" and letter != " " else letter for letter in text)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


def _is_of_a_learner(path: Path) -> bool:
    return not path.name.startswith(".") and path.name not in OF_THE_SYSTEM


def _learner(number: int, path: Path) -> Learner:
    exported = json_in(_text(path))
    if not exported:
        raise CourseError("it contains no progress of the course, or only a part of it")
    try:
        transfer = Transfer.model_validate_json(exported)
    except (ValidationError, ValueError) as problem:
        raise CourseError(_foreign(problem)) from None
    if transfer.version > VERSION:
        raise CourseError("it comes from a later version of the course: update the course here")
    if not transfer.answers and not transfer.measurements:
        raise CourseError("it holds no answers and no measurements")
    return Learner(number, path.name, transfer.answers, transfer.measurements)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CourseError(f"it is larger than {LARGEST_FILE // 1_000_000} MB, and no export is")
        text = read_export(path)
    except OSError as problem:
        raise CourseError(f"it cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise CourseError("it is not a text file") from None
    if not text.strip():
        raise CourseError("it is empty")
    return text


def _foreign(problem: ValueError) -> str:
    """Why a text with braces is no export; nothing of the text itself is repeated."""
    errors = problem.errors(include_url=False) if isinstance(problem, ValidationError) else []
    kinds = {error["type"] for error in errors}
    if not kinds or "json_invalid" in kinds:
        return "it is not complete JSON: ask for the whole text, from its first brace to its last"
    if any(error["loc"] == ("course",) for error in errors):
        return "it is JSON, but no export of this course: `python -m utils.course progress --export` gives one"
    return "an answer or a measurement in it does not have the form of an export"


def _without_copies(learners: Sequence[Learner], skipped: Sequence[Skipped]) -> tuple[list[Learner], list[Skipped]]:
    """Each learner once: of two exports of one learner the newer counts, of two equal ones the first."""
    kept: list[Learner] = []
    copies = list(skipped)
    for one in sorted(
        learners, key=lambda learner: (-len(learner.answers), -len(learner.measurements), learner.number)
    ):
        other = next((other for other in kept if _is_copy(one, other)), None)
        if other is None:
            kept.append(one)
        else:
            copies.append(Skipped(one.number, one.name, f"it is the same as file {other.number}, or an earlier copy"))
    return sorted(kept, key=lambda one: one.number), sorted(copies, key=lambda one: one.number)


def _is_copy(one: Learner, other: Learner) -> bool:
    """Whether `one` is an export of the same learner as `other`, and has nothing that is newer."""
    if one.given == other.given and one.measurements == other.measurements:
        return one.answers == other.answers
    if sum(bool(at) for _, _, at in one.given & other.given) < SAME_ANSWERS:
        return False
    return all(key in other.answers and other.answers[key].at >= at for key, _, at in one.given - other.given)
