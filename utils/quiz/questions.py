"""Quiz questions as data: the typed form of `datasets/quizzes/NN.yaml`.

Two kinds.  A *decision* has one right option and names the notebook section that proves it.  A
*prediction* has none until the learner has measured: then the evidence ledger says which option
held.  Options are lettered a, b, c … in the file's order.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from utils.errors import CourseError
from utils.paths import DATASETS

LETTERS = "abcdef"
CONFIDENCES = ("guess", "fairly sure", "certain")
LEDGER_KEY = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"
NOTEBOOK = r"^(\d\d|A\d)$"
VAGUE = ("all of the above", "none of the above", "both of the above")

Text = Annotated[str, Field(min_length=1)]
Key = Annotated[str, Field(pattern=LEDGER_KEY)]
NotebookNumber = Annotated[str, Field(pattern=NOTEBOOK)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Evidence(_Strict):
    """Where the learner can see the proof: a notebook ("02") and the heading of its section."""

    notebook: NotebookNumber
    section: Text

    def __str__(self) -> str:
        return f'notebook {self.notebook}, "{self.section}"'


class Choice(_Strict):
    """One option of a decision: its text, why it is right or not, and whether it is the right one."""

    text: Text
    feedback: Text
    right: bool = False


class Expectation(_Strict):
    """One option of a prediction: its text and what it rests on.

    `low` (included) and `high` (excluded) bound the measured number for which it holds; a missing
    bound is open.  Alternatively `key` names its own ledger value, and the highest of all holds.
    """

    text: Text
    feedback: Text
    low: float | None = None
    high: float | None = None
    key: Key | None = None

    def holds_for(self, number: float) -> bool:
        """True when `number` lies between the bounds."""
        return _lowest(self) <= number < _highest(self)


class _Question(_Strict):
    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    text: Text

    @property
    def letters(self) -> str:
        """The letters of the options, in order: "abc"."""
        return LETTERS[: len(self.options)]  # type: ignore[attr-defined]

    @property
    def fingerprint(self) -> str:
        """A short hash of what the learner reads: an answer to an older wording is not theirs to this one."""
        words = [self.text, *(option.text for option in self.options)]  # type: ignore[attr-defined]
        return hashlib.sha256("\n".join(words).encode()).hexdigest()[:12]


class Decision(_Question):
    """A scenario with exactly one right option."""

    kind: Literal["decision"]
    options: tuple[Choice, ...] = Field(min_length=2, max_length=len(LETTERS))
    evidence: Evidence

    @model_validator(mode="after")
    def _check(self) -> Decision:
        _check_texts(self.options)
        right = sum(option.right for option in self.options)
        if right != 1:
            raise ValueError(f"exactly one option must have `right: true`, and {right} have it")
        return self


class Prediction(_Question):
    """A bet on a measurement to come.

    `grades_with` names the ledger value that settles it (less the value `minus`, where given) by the
    options' bounds; or every option names its own `key`; or neither, and notebook `measured_in` will
    settle it in a later form of the course.
    """

    kind: Literal["prediction"]
    options: tuple[Expectation, ...] = Field(min_length=2, max_length=len(LETTERS))
    measured_in: NotebookNumber
    grades_with: Key | None = None
    minus: Key | None = None

    @model_validator(mode="after")
    def _check(self) -> Prediction:
        _check_texts(self.options)
        keys = [option.key for option in self.options if option.key]
        bounded = any(option.low is not None or option.high is not None for option in self.options)
        if self.minus and not self.grades_with:
            raise ValueError("`minus` needs `grades_with`")
        if keys and (self.grades_with or bounded):
            raise ValueError("options have either a `key` each or bounds on `grades_with`, not both")
        if keys and len(set(keys)) != len(self.options):
            raise ValueError("every option needs a `key` of its own, or none has one")
        if bounded and not self.grades_with:
            raise ValueError("`low` and `high` need `grades_with`")
        if self.grades_with:
            _check_bounds(self.options)
        return self

    @property
    def ledger_keys(self) -> tuple[str, ...]:
        """The ledger values that settle this prediction; empty when it is measured in a later notebook."""
        if self.grades_with:
            return (self.grades_with, self.minus) if self.minus else (self.grades_with,)
        return tuple(option.key for option in self.options if option.key)


Question = Decision | Prediction


class Quiz(_Strict):
    """The questions of one notebook."""

    quiz: NotebookNumber
    title: Text
    questions: tuple[Annotated[Question, Field(discriminator="kind")], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Quiz:
        ids = [question.id for question in self.questions]
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise ValueError(f"the id {twice[0]!r} stands there twice")
        return self

    def find(self, id: str) -> Question:
        """The question called `id`.  Raises CourseError, listing the ids, when there is none."""
        for question in self.questions:
            if question.id == id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise CourseError(f"Quiz {self.quiz} has no question {id!r}: choose one of {known}.")

    def key(self, question: Question) -> str:
        """The name under which answers to `question` are kept: quiz, id and hash of the wording."""
        return f"{self.quiz}/{question.id}@{question.fingerprint}"


def load_quiz(number: str, folder: Path | None = None) -> Quiz:
    """The quiz of notebook `number` ("02"), from `datasets/quizzes` unless `folder` says otherwise.

    Raises CourseError, naming the file, the question and the rule, when the file is missing or wrong.
    """
    path = (folder or DATASETS / "quizzes") / f"{number}.yaml"
    raw = _read_yaml(path)
    try:
        quiz = Quiz.model_validate(raw)
    except ValidationError as error:
        raise CourseError(f"{path.name}: {_in_words(error, raw)}. Mend it there, or restore the file.") from None
    if quiz.quiz != number:
        raise CourseError(f'{path.name}: says quiz: "{quiz.quiz}", but its name asks for "{number}".')
    return quiz


def check_choice(question: Question, letter: str) -> int:
    """The position of option `letter` ("b" → 1).  Raises CourseError, listing the letters, when there is none."""
    if len(str(letter)) == 1 and str(letter) in question.letters:
        return question.letters.index(letter)
    raise CourseError(
        f"Question {question.id!r} has no option {letter!r}: choose one of {', '.join(question.letters)}."
    )


def check_confidence(confidence: str | None) -> None:
    """Raises CourseError when `confidence` is none of "guess", "fairly sure", "certain" or None."""
    if confidence is not None and confidence not in CONFIDENCES:
        raise CourseError(f"There is no confidence {confidence!r}: say one of {', '.join(CONFIDENCES)}.")


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"There is no quiz file {path}: restore it with `git checkout -- {path.name}`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The quiz file {path} cannot be read: {error}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CourseError(
            f"{path.name}: is no valid YAML{_yaml_place(error)}. Mend it there, or restore the file."
        ) from None


def _yaml_place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" at line {mark.line + 1}: {getattr(error, 'problem', '')}" if mark else ""


def _in_words(error: ValidationError, raw: Any) -> str:
    """The first broken rule, with the id of the question that breaks it."""
    first = error.errors(include_url=False)[0]
    place = [part for part in first["loc"] if part not in ("decision", "prediction")]
    rule = first["msg"].removeprefix("Value error, ")
    if place[:1] == ["questions"] and len(place) > 1:
        return ": ".join(filter(None, [f"question {_name(raw, place[1])}", _path(place[2:]), rule]))
    return ": ".join(filter(None, [_path(place), rule]))


def _name(raw: Any, position: Any) -> str:
    """The question's id where it has a usable one, else its place in the file."""
    question = raw["questions"][position]
    id = question.get("id") if isinstance(question, dict) else None
    return repr(id) if isinstance(id, str) else f"number {position + 1}"


def _path(place: list[Any]) -> str:
    """("options", 1, "text") → "options b, text"."""
    words = []
    for part in place:
        if isinstance(part, int) and words and part < len(LETTERS):
            words[-1] += f" {LETTERS[part]}"
        else:
            words.append(str(part))
    return ", ".join(words)


def _check_texts(options: tuple[Choice, ...] | tuple[Expectation, ...]) -> None:
    texts = [option.text.strip().lower() for option in options]
    if len(set(texts)) != len(texts):
        raise ValueError("two options have the same text")
    for text in texts:
        if any(vague in text for vague in VAGUE):
            raise ValueError(f"an option must stand by itself, and {text!r} does not")


def _check_bounds(options: tuple[Expectation, ...]) -> None:
    """Every possible number must belong to exactly one option."""
    steps = sorted((_lowest(option), _highest(option)) for option in options)
    edges = [-math.inf, *(high for _, high in steps)]
    if edges[-1] != math.inf or any(low != edge for (low, _), edge in zip(steps, edges, strict=False)):
        raise ValueError("the bounds of the options must follow each other without gap or overlap, open at both ends")
    if any(low >= high for low, high in steps):
        raise ValueError("an option's `low` must lie below its `high`")


def _lowest(option: Expectation) -> float:
    return -math.inf if option.low is None else option.low


def _highest(option: Expectation) -> float:
    return math.inf if option.high is None else option.high
