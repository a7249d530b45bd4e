"""A class at a glance: what the exported progress of many learners says about the questions and about the learners.

Reads a folder of files, and changes nothing.  Each file holds what `python -m utils.course progress --export` or the
dashboard gave one learner.  Texts from these files are data: only answers that fit a question of this course are
counted, and what is shown of a file loses its control characters first.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from utils.course.calibration import UNSAID, Calibration, Level, calibrate
from utils.course.transfer import VERSION, Transfer, json_in, read_export
from utils.errors import CourseError
from utils.ledger import LedgerFile, Measurement
from utils.quiz.feedback import is_right
from utils.quiz.progress import QuizAnswer
from utils.quiz.questions import QUIZZES, load_quizzes
from utils.quiz.schema import CONFIDENCES, Numeric, Prediction, Quiz, QuizQuestion
from utils.quiz.standing import standing_in, valid_answer
from utils.quiz.verdicts import Verdict, held

LARGEST_FILE = 5_000_000
SAME_ANSWERS = 3  # this many answers given in the same seconds, and all others newer: an earlier copy
FEWEST_VOTES = 4
EVEN = (0.35, 0.65)  # a share of right answers in here splits the room
MANY = 0.3  # two options with this share of the votes each do, too
MANY_TRIES = 3
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


@dataclass(frozen=True)
class QuestionCount:
    """One question in the class.

    votes: the first answers, by answer.  right: how many answers are right now; right_at_once: at the first try; both
    are None for a bet.
    """

    quiz: str
    question: QuizQuestion
    answered: int
    right: int | None
    right_at_once: int | None
    votes: Counter[str]

    @property
    def splits(self) -> bool:
        """Whether the first answers split the room: about half of them right, or two answers with many votes each."""
        if self.answered < FEWEST_VOTES:
            return False
        even = self.right_at_once is not None and EVEN[0] <= self.right_at_once / self.answered <= EVEN[1]
        return even or sum(count / self.answered >= MANY for count in self.votes.values()) > 1

    def in_words(self) -> str:
        """The question and its counts in a line."""
        name = f"{self.quiz} {self.question.id}"
        if self.right is None:
            return f"{name}: {self.answered} bets ({self.votes_in_words()})"
        return f"{name}: {self.answered} answered, {self.right} right, {self.right_at_once} at the first try"

    def votes_in_words(self) -> str:
        """The first answers, most frequent first: "b 5, a 4"."""
        return ", ".join(f"{answer} {count}" for answer, count in _ranked(self.votes))


@dataclass(frozen=True)
class BetCount:
    """One prediction in the class: how the bets on it came out by each learner's own measurements."""

    quiz: str
    question: Prediction
    verdicts: Counter[Verdict | None]
    late: int

    def in_words(self) -> str:
        """The verdicts in a line."""
        right, wrong = self.verdicts["held"], self.verdicts["not held"]
        others = (("too close to call", self.verdicts["too close"]), ("not measured", self.verdicts[None]))
        settled = [f"{right} of {right + wrong} came true"] if right + wrong else []
        rest = [f"{count} {word}" for word, count in (*others, ("late", self.late)) if count]
        return f"{self.quiz} {self.question.id}: {'; '.join(settled + rest)}"


@dataclass(frozen=True)
class LearnerState:
    """Where a learner is.  last: the notebook touched last.  at: when, in UTC.  needs: why they may need help."""

    learner: Learner
    answered: int
    right: int
    last: str
    at: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """The whole class.  stale: answers to questions that this course does not have in that wording."""

    questions: tuple[QuestionCount, ...]
    bets: tuple[BetCount, ...]
    calibration: Calibration
    learners: tuple[LearnerState, ...]
    skipped: tuple[Skipped, ...]
    stale: int
    problems: tuple[str, ...] = ()

    @property
    def splitting(self) -> list[QuestionCount]:
        """The questions that split the room, in the order of the course."""
        return [question for question in self.questions if question.splits]


def read_exports(folder: Path) -> tuple[list[Learner], list[Skipped]]:
    """The exports in a folder, and the files that are none, both in the order of the files' names.

    Raises CourseError when there is no such folder, or no file in it.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
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


def sum_up(
    learners: Sequence[Learner],
    skipped: Sequence[Skipped] = (),
    quizzes: Sequence[Quiz] = (),
    problems: Sequence[str] = (),
) -> Cohort:
    """The class in numbers.  quizzes: those of the course, in order.  problems: sentences about quizzes not read."""
    known = {quiz.key(question) for quiz in quizzes for question in quiz.questions}
    pairs = [(quiz, question) for quiz in quizzes for question in quiz.questions]
    return Cohort(
        questions=tuple(_count(quiz, question, learners) for quiz, question in pairs),
        bets=tuple(_bets(quiz, one, learners) for quiz, one in pairs if isinstance(one, Prediction)),
        calibration=_together([calibrate(quizzes, dict(one.answers), one.ledger) for one in learners]),
        learners=tuple(_states(learners, quizzes)),
        skipped=tuple(skipped),
        stale=sum(key not in known for one in learners for key in one.answers),
        problems=tuple(problems),
    )


def cohort_in(folder: Path, quizzes: Path = QUIZZES) -> Cohort:
    """The class whose exports are in a folder.  Raises CourseError as `read_exports` does."""
    learners, skipped = read_exports(folder)
    loaded, problems = load_quizzes(quizzes)
    return sum_up(learners, skipped, loaded, problems)


def as_text(cohort: Cohort, names: bool = False) -> str:
    """The class as plain text.  names: show the files' names; otherwise learners are numbered in that order."""
    parts = [
        (_counted(len(cohort.learners), "learner"), _head(cohort)),
        ("Questions that split the room, by their first answers", _splits(cohort.splitting)),
        ("Questions", [one.in_words() for one in cohort.questions if one.answered] or ["no answers yet"]),
        (
            "Bets, by each learner's own measurements",
            [one.in_words() for one in cohort.bets if _placed(one)] or ["none"],
        ),
        ("How sure they were, and what came true", _calibration_lines(cohort.calibration)),
        ("Learners, those with the fewest answers first", [_line(one, names) for one in cohort.learners] or ["none"]),
        ("Files that do not count", [f"{_who('file', one, names)}: {one.reason}" for one in cohort.skipped]),
        ("Problems", list(cohort.problems)),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts if lines)


def clean(text: str) -> str:
    """A text from outside in one line: control and formatting characters become "?", and it is cut if it is long."""
    shown = "".join("?" if unicodedata.category(letter)[0] in "CZ" and letter != " " else letter for letter in text)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


# Reading


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


# Counting


def _count(quiz: Quiz, question: QuizQuestion, learners: Sequence[Learner]) -> QuestionCount:
    answers = [answer for one in learners if (answer := one.answer_to(quiz, question))]
    votes = Counter(_first(question, answer) for answer in answers)
    is_bet = isinstance(question, Prediction)
    return QuestionCount(
        quiz=quiz.quiz,
        question=question,
        answered=len(answers),
        right=None if is_bet else sum(bool(is_right(question, answer.option)) for answer in answers),
        right_at_once=None if is_bet else sum(bool(is_right(question, vote)) * votes[vote] for vote in votes),
        votes=votes,
    )


def _first(question: QuizQuestion, answer: QuizAnswer) -> str:
    """The first answer, which nobody had commented on yet."""
    first = answer.model_copy(update={"option": answer.story[0]})
    return first.option if valid_answer(question, first) else answer.option


def _bets(quiz: Quiz, question: Prediction, learners: Sequence[Learner]) -> BetCount:
    placed = [(one, answer) for one in learners if (answer := one.answer_to(quiz, question))]
    verdicts = Counter(held(question, answer, one.ledger) for one, answer in placed if not answer.late)
    return BetCount(quiz.quiz, question, verdicts, late=sum(answer.late for _, answer in placed))


def _together(all_: Sequence[Calibration]) -> Calibration:
    """The calibrations of the learners added up."""
    words = (*CONFIDENCES, UNSAID)
    by_word = [[level for one in all_ for level in one.levels if level.word == word] for word in words]
    return Calibration(
        levels=tuple(
            Level(word, sum(level.settled for level in levels), sum(level.held for level in levels))
            for word, levels in zip(words, by_word, strict=True)
        ),
        waiting=sum(one.waiting for one in all_),
        late=sum(one.late for one in all_),
        too_close=sum(one.too_close for one in all_),
    )


def _states(learners: Sequence[Learner], quizzes: Sequence[Quiz]) -> list[LearnerState]:
    standings = [[standing_in(quiz, one.answers) for quiz in quizzes] for one in learners]
    answered = [sum(len(one.quiz.questions) - len(one.open) for one in all_) for all_ in standings]
    middle = median(answered) if answered else 0
    states = []
    for learner, all_, count in zip(learners, standings, answered, strict=True):
        last, at = _last_touched(learner, quizzes)
        needs = ["far fewer answers than most"] if count < middle / 2 else []
        needs += [f"still wrong after {tries} tries: {name}" for name, tries in _hard_for(learner, quizzes)]
        states.append(LearnerState(learner, count, sum(one.right for one in all_), last, at, tuple(needs)))
    return sorted(states, key=lambda state: (state.answered, state.learner.number))


def _hard_for(learner: Learner, quizzes: Sequence[Quiz]) -> Iterator[tuple[str, int]]:
    for quiz in quizzes:
        for question in quiz.graded:
            answer = learner.answer_to(quiz, question)
            if answer and len(answer.story) >= MANY_TRIES and not is_right(question, answer.option):
                yield f"{quiz.quiz} {question.id}", len(answer.story)


def _last_touched(learner: Learner, quizzes: Sequence[Quiz]) -> tuple[str, str]:
    """The notebook of the newest answer or measurement, and when that was."""
    numbers = {quiz.quiz for quiz in quizzes}
    touched = [(_time(answer.at), key.partition("/")[0]) for key, answer in learner.answers.items()]
    touched += [(_time(one.at), one.notebook) for one in learner.measurements]
    at, number = max((pair for pair in touched if pair[1] in numbers), default=("", ""))
    return number, at


def _time(at: str) -> str:
    """A time of an export as "2026-11-22 14:55" in UTC; empty when it is none."""
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return ""


# Words


def _head(cohort: Cohort) -> list[str]:
    lines = [f"skipped: {_counted(len(cohort.skipped), 'file')}; the reasons are at the end"] if cohort.skipped else []
    if cohort.stale:
        answers = _counted(cohort.stale, "answer")
        lines.append(f"not counted: {answers} to questions that this copy of the course words differently or lacks")
    return lines or ["every file counts"]


def _splits(questions: Sequence[QuestionCount]) -> list[str]:
    lines = []
    for one in questions:
        lines.append(f"{one.quiz} {one.question.id}, {one.question.title}: {one.votes_in_words()}")
        for answer, _ in _ranked(one.votes)[:2]:
            if not isinstance(one.question, Numeric) and len(answer) == 1:
                lines.append(f"  {answer}: {one.question.texts(answer)[0]}")
    return lines or [f"none with at least {FEWEST_VOTES} answers"]


def _ranked(votes: Counter[str]) -> list[tuple[str, int]]:
    return sorted(votes.items(), key=lambda pair: (-pair[1], pair[0]))


def _calibration_lines(calibration: Calibration) -> list[str]:
    return calibration.in_words()[:-1]  # the last line speaks to a single learner


def _placed(bet: BetCount) -> bool:
    return bool(sum(bet.verdicts.values()) + bet.late)


def _line(state: LearnerState, names: bool) -> str:
    last = f"last in notebook {state.last}" if state.last else "no notebook known"
    when = f" on {state.at} UTC" if state.at else ""
    line = f"{_who('learner', state.learner, names)}: {state.answered} answered, {state.right} right, {last}{when}"
    return "; ".join([line, *state.needs])


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _who(word: str, file: Learner | Skipped, names: bool) -> str:
    return clean(file.name) if names else f"{word} {file.number}"
