"""A class in numbers: what the exported progress of many learners says about the questions and about the learners.

Only answers that fit a question of this course are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from utils.course.calibration import UNSAID, Calibration, Level, calibrate
from utils.course.exports import Learner, Skipped, read_exports
from utils.quiz.feedback import is_right
from utils.quiz.progress import QuizAnswer
from utils.quiz.questions import QUIZZES, load_quizzes
from utils.quiz.schema import CONFIDENCES, Prediction, Quiz, QuizQuestion
from utils.quiz.standing import standing_in, valid_answer
from utils.quiz.verdicts import Verdict, held

FEWEST_VOTES = 4
EVEN = (0.35, 0.65)  # a share of right answers in here splits the room
MANY = 0.3  # two options with this share of the votes each do, too
MANY_TRIES = 3


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


@dataclass(frozen=True)
class BetCount:
    """One prediction in the class: how the bets on it came out by each learner's own measurements."""

    quiz: str
    question: Prediction
    verdicts: Counter[Verdict | None]
    late: int


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
