"""Quiz files read from `datasets/quizzes`; a problem in a file becomes a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from utils.errors import CourseError
from utils.paths import DATASETS
from utils.quiz.options import LETTERS
from utils.quiz.schema import KINDS, Quiz
from utils.validation import first_broken_rule

QUIZZES = DATASETS / "quizzes"
# The same parser in C where PyYAML was built with it: a quiz file in 10 ms instead of 80.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def quiz_numbers(folder: Path = QUIZZES) -> list[str]:
    """The notebooks that have a quiz file, in order."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_quiz(number: str, folder: Path = QUIZZES) -> Quiz:
    """The quiz of notebook `number` ("02"), from `datasets/quizzes` unless `folder` says otherwise.

    Raises CourseError, naming the file, the question and the rule, when the file is missing or wrong.
    """
    path = folder / f"{number}.yaml"
    raw = _read_yaml(path)
    try:
        quiz = Quiz.model_validate(raw)
    except ValidationError as error:
        raise CourseError(f"{path.name}: {_in_words(error, raw)}. Fix it there, or restore the file.") from None
    if quiz.quiz != number:
        raise CourseError(f'{path.name}: says quiz: "{quiz.quiz}", but its file name means "{number}".')
    return quiz


def load_quizzes(folder: Path = QUIZZES) -> tuple[list[Quiz], list[str]]:
    """Every quiz of a folder that can be read, and one sentence for each that cannot."""
    loaded, problems = [], []
    for number in quiz_numbers(folder):
        try:
            loaded.append(load_quiz(number, folder))
        except CourseError as problem:
            problems.append(str(problem))
    return loaded, problems


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    except FileNotFoundError:
        raise CourseError(f"There is no quiz file {path}: restore it with `git checkout -- {path.name}`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The quiz file {path} cannot be read: {_one_line(error)}.") from None
    # YAML's constructors also raise plain Python errors on odd values, such as a date in month 13.
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise CourseError(
            f"{path.name}: this is not valid YAML{_yaml_place(error)}. Fix it there, or restore the file."
        ) from None


def _yaml_place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" at line {mark.line + 1}: {_one_line(getattr(error, 'problem', None) or '')}" if mark else ""


def _in_words(error: ValidationError, raw: Any) -> str:
    """The first broken rule, with the id of the question that breaks it."""
    broken = first_broken_rule(error)
    place, rule = [part for part in broken.place if part not in KINDS], broken.rule
    if place[:1] == ["questions"] and len(place) > 1:
        return ": ".join(filter(None, [f"question {_name(raw, place[1])}", _path(place[2:]), rule]))
    return ": ".join(filter(None, [_path(place), rule]))


def _name(raw: Any, position: Any) -> str:
    """The question's id, or its place in the file when it has no usable id."""
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
            words.append(_one_line(part))
    return ", ".join(words)


def _one_line(value: object) -> str:
    return " ".join(str(value).split()).rstrip(".")
