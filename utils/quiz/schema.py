"""Quiz questions as data: the typed form of `datasets/quizzes/NN.yaml`.

There are five kinds.  A *decision* is a case with one right option.  A *knowledge* check has one right option, or
several when it says so.  An *ordering* has steps to put in order.  The answer to a *numeric* question is a number.  A
*prediction* has no right option until the learner has measured: then the evidence ledger says which options it reaches.

An answer is text: "b" for an option, "ac" for several, "cab" for an order, "42" for a number.  Capitals and spaces do
not matter.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from utils.errors import CourseError
from utils.quiz.options import (
    LETTERS,
    Choice,
    Evidence,
    Expectation,
    Key,
    NotebookNumber,
    Range,
    Step,
    Strict,
    Text,
    check_bounds,
    check_one_right,
    check_texts,
)

CONFIDENCES = ("guess", "fairly sure", "certain")
NUMBER = re.compile(r"[-+]?(\d+(\.\d+)?|\.\d+|\d{1,3}(,\d{3})+(\.\d+)?)(e[-+]?\d{1,2})?")
LONGEST_NUMBER = 30


class _Question(Strict):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    text: Text
    difficulty: int = Field(ge=1, le=3)
    minutes: int = Field(ge=1, le=30)

    @property
    def fingerprint(self) -> str:
        """A short hash of what the learner reads: an answer to an older wording does not count for a newer one."""
        return hashlib.sha256("\n".join([self.text, *self._words()]).encode()).hexdigest()[:12]

    def _words(self) -> list[str]:
        raise NotImplementedError


class _Lettered(_Question):
    """A question whose options are lettered a, b, c … in the file's order; the answer is one letter."""

    @property
    def letters(self) -> str:
        """The letters of the options, in order: "abc"."""
        return LETTERS[: len(self.options)]  # type: ignore[attr-defined]

    def read(self, answer: object) -> str:
        """The answer in its one form.  Raises CourseError, listing the letters, when it is no option."""
        letters = _letters_in(answer)
        if len(letters) == 1 and letters in self.letters:
            return letters
        raise CourseError(f"Question {self.id!r} has no option {answer!r}: choose one of {', '.join(self.letters)}.")

    def position(self, letter: str) -> int:
        """The position of option `letter` in `options`: "b" → 1."""
        return self.letters.index(letter)

    def texts(self, answer: str) -> list[str]:
        """The texts of the options that `answer` names, in its order."""
        return [self.options[self.position(letter)].text for letter in answer]  # type: ignore[attr-defined]

    def _words(self) -> list[str]:
        return [option.text for option in self.options]  # type: ignore[attr-defined]


class Decision(_Lettered):
    """A scenario with exactly one right option."""

    kind: Literal["decision"]
    options: tuple[Choice, ...] = Field(min_length=2, max_length=len(LETTERS))
    evidence: Evidence

    @model_validator(mode="after")
    def _check(self) -> Decision:
        check_texts(self.options)
        check_one_right(self.options)
        return self

    @property
    def key(self) -> str:
        """The right answer."""
        return _right_letters(self)


class Knowledge(_Lettered):
    """A question on what the notebook showed: one right option, or, with `several`, any number of them."""

    kind: Literal["knowledge"]
    options: tuple[Choice, ...] = Field(min_length=2, max_length=len(LETTERS))
    several: bool = False
    evidence: Evidence

    @model_validator(mode="after")
    def _check(self) -> Knowledge:
        check_texts(self.options)
        right = sum(option.right for option in self.options)
        if not self.several:
            check_one_right(self.options)
        elif not 0 < right < len(self.options):
            raise ValueError(f"some options must have `right: true`, but not all, and {right} have it")
        return self

    @property
    def key(self) -> str:
        """The right answer: "b", or "ac" with `several`."""
        return _right_letters(self)

    def read(self, answer: object) -> str:
        """The answer in its one form, "ac" for "ca" or "c, a".  Raises CourseError when it names no options."""
        if not self.several:
            return super().read(answer)
        letters = _letters_in(answer)
        if letters and len(set(letters)) == len(letters) and set(letters) <= set(self.letters):
            return "".join(sorted(letters))
        raise CourseError(
            f"Question {self.id!r} takes one or more of {', '.join(self.letters)}, such as "
            f'"{self.letters[0]}{self.letters[-1]}", not {answer!r}.'
        )


class Ordering(_Lettered):
    """Steps to put in order.  The file lists them out of order; `place` says where each belongs."""

    kind: Literal["ordering"]
    options: tuple[Step, ...] = Field(min_length=3, max_length=len(LETTERS))
    evidence: Evidence

    @model_validator(mode="after")
    def _check(self) -> Ordering:
        check_texts(self.options)
        places = [step.place for step in self.options]
        if sorted(places) != list(range(1, len(places) + 1)):
            raise ValueError(f"the places must be 1 to {len(places)}, each once, and are {places}")
        if places == sorted(places):
            raise ValueError("the steps are in the right order already: shuffle them in the file")
        return self

    @property
    def key(self) -> str:
        """The right answer: the letters in the right order."""
        steps = zip(self.letters, self.options, strict=True)
        return "".join(letter for letter, _ in sorted(steps, key=lambda pair: pair[1].place))

    def read(self, answer: object) -> str:
        """The answer in its one form, "cab" for "c, a, b".  Raises CourseError when it is no order of all steps."""
        letters = _letters_in(answer)
        if sorted(letters) == list(self.letters):
            return letters
        raise CourseError(
            f"Question {self.id!r} takes all of {', '.join(self.letters)} in the order you choose, such as "
            f'"{self.letters[::-1]}", not {answer!r}.'
        )


class Numeric(_Question):
    """A number to work out.  The ranges cover every number; the right one contains `value`."""

    kind: Literal["numeric"]
    value: float
    unit: str = ""
    options: tuple[Range, ...] = Field(min_length=2, max_length=len(LETTERS))
    evidence: Evidence

    @model_validator(mode="after")
    def _check(self) -> Numeric:
        check_bounds(self.options)
        check_one_right(self.options)
        if not self.range_of(self.value).right:
            raise ValueError(f"the value {self.value:g} is not in the right range")
        return self

    @property
    def key(self) -> str:
        """The right answer."""
        return f"{self.value:.12g}"

    def range_of(self, number: float) -> Range:
        """The one range that contains `number`."""
        return next(option for option in self.options if option.holds_for(number))

    def read(self, answer: object) -> str:
        """The number as text, "1200" for "1,200 questions".  Raises CourseError when it is no number."""
        text = str(answer).strip().lower().removesuffix(self.unit.lower()).strip()
        if not isinstance(answer, bool) and len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text):
            return f"{float(text.replace(',', '')):.12g}"
        raise CourseError(f"Question {self.id!r} takes a number, such as 42 or 0.5, not {answer!r}.")

    def _words(self) -> list[str]:
        return [self.unit]


class Prediction(_Lettered):
    """A bet on a later measurement.

    Either `grades_with` names the ledger value that settles it by the options' bounds; a difference of two shares has
    a key of its own, in points.  Or every option names its own `key`, and the highest value wins.  Or neither, and
    notebook `measured_in` will settle it in a later version of the course.
    """

    kind: Literal["prediction"]
    options: tuple[Expectation, ...] = Field(min_length=2, max_length=len(LETTERS))
    measured_in: NotebookNumber
    grades_with: Key | None = None

    @model_validator(mode="after")
    def _check(self) -> Prediction:
        check_texts(self.options)
        keys = [option.key for option in self.options if option.key]
        bounded = any(option.low is not None or option.high is not None for option in self.options)
        if keys and (self.grades_with or bounded):
            raise ValueError("options have either a `key` each or bounds on `grades_with`, not both")
        if keys and len(set(keys)) != len(self.options):
            raise ValueError("either every option has a `key` of its own, or none has one")
        if bounded and not self.grades_with:
            raise ValueError("`low` and `high` need `grades_with`")
        if self.grades_with:
            check_bounds(self.options)
        return self

    @property
    def ledger_keys(self) -> tuple[str, ...]:
        """The ledger values that settle this prediction; empty when it is measured in a later notebook."""
        if self.grades_with:
            return (self.grades_with,)
        return tuple(option.key for option in self.options if option.key)


Graded = Decision | Knowledge | Ordering | Numeric
QuizQuestion = Graded | Prediction
KINDS = ("decision", "knowledge", "ordering", "numeric", "prediction")


class Quiz(Strict):
    """The questions of one notebook."""

    quiz: NotebookNumber
    title: Text
    questions: tuple[Annotated[QuizQuestion, Field(discriminator="kind")], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Quiz:
        ids = [question.id for question in self.questions]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(f"the id {twice[0]!r} is used twice")
        return self

    @property
    def graded(self) -> list[Graded]:
        """The questions with a right answer: all but the predictions."""
        return [question for question in self.questions if not isinstance(question, Prediction)]

    @property
    def predictions(self) -> list[Prediction]:
        """The predictions."""
        return [question for question in self.questions if isinstance(question, Prediction)]

    def find(self, id: str) -> QuizQuestion:
        """The question called `id`.  Raises CourseError, listing the ids, when there is none."""
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise CourseError(f"Quiz {self.quiz} has no question {id!r}: choose one of {known}.")

    def key(self, question: QuizQuestion) -> str:
        """The name under which answers to `question` are saved: quiz, id and hash of the wording."""
        return f"{self.quiz}/{question.id}@{question.fingerprint}"


def check_confidence(confidence: str | None) -> None:
    """Raises CourseError when `confidence` is none of "guess", "fairly sure", "certain" or None."""
    if confidence is not None and confidence not in CONFIDENCES:
        raise CourseError(f"There is no confidence {confidence!r}: say one of {', '.join(CONFIDENCES)}.")


def _letters_in(answer: object) -> str:
    """The letters of an answer in lower case, without spaces and commas; empty when it is no text."""
    return "".join(answer.lower().replace(",", " ").split()) if isinstance(answer, str) else ""


def _right_letters(question: Decision | Knowledge) -> str:
    return "".join(letter for letter, option in zip(question.letters, question.options, strict=True) if option.right)
