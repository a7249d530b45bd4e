"""What a learner has answered in one quiz, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from utils.errors import CourseError
from utils.quiz.feedback import is_right
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import Graded, Quiz, QuizQuestion


@dataclass(frozen=True)
class Standing:
    """One quiz: which questions are open, which are wrong, how many are right, and how many at the first try."""

    quiz: Quiz
    open: tuple[str, ...]
    wrong: tuple[str, ...]
    right: int
    right_at_once: int

    @property
    def score(self) -> str:
        """The score as a sentence: "Score in notebook 02: 1 of 2 right, 1 at the first try."."""
        total = len(self.quiz.graded)
        return (
            f"Score in notebook {self.quiz.quiz}: {self.right} of {total} right, {self.right_at_once} at the first try."
        )

    @property
    def done(self) -> bool:
        """Whether every question is answered, and rightly where there is a right answer."""
        return not self.open and not self.wrong

    def in_words(self) -> str:
        """What is answered and what is right, in one line."""
        total = len(self.quiz.questions)
        answered = f"{total - len(self.open)} of {total} questions answered"
        return f"{answered}. {self.score}" if self.quiz.graded else f"{answered}."


def standing_in(quiz: Quiz, answers: Mapping[str, QuizAnswer]) -> Standing:
    """The learner's state in one quiz.  answers: as `Progress.answers` gives them."""
    valid = {question.id: valid_answer(question, answers.get(quiz.key(question))) for question in quiz.questions}
    tried = [(question, answer) for question in quiz.graded if (answer := valid[question.id])]
    return Standing(
        quiz=quiz,
        open=tuple(id for id, answer in valid.items() if answer is None),
        wrong=tuple(question.id for question, answer in tried if not is_right(question, answer.option)),
        right=sum(bool(is_right(question, answer.option)) for question, answer in tried),
        right_at_once=sum(_first_was_right(question, answer) for question, answer in tried),
    )


def valid_answer(question: QuizQuestion, answer: QuizAnswer | None) -> QuizAnswer | None:
    """The saved answer; None when it is no answer to this question, which then counts as open."""
    return answer if answer and _can_be_read(question, answer.option) else None


def _first_was_right(question: Graded, answer: QuizAnswer) -> bool:
    first = answer.story[0]
    return _can_be_read(question, first) and bool(is_right(question, first))


def _can_be_read(question: QuizQuestion, option: str) -> bool:
    try:
        return question.read(option) == option
    except CourseError:
        return False
