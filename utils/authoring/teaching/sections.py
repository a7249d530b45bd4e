"""Notebooks cut into their sections, and the minutes that each section takes.

The minutes follow from what is in the learner copy: its words, its lines of code, the minutes stated above each
exercise and those of each quiz question that it shows.  So a changed notebook or quiz changes every plan.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from utils.course.learner_copy import learner_notebook
from utils.course.notebook_files import label, notebook_number, notebook_paths, read_notebook
from utils.errors import CourseError
from utils.paths import SOLUTIONS
from utils.quiz.questions import QUIZZES, load_quiz, quiz_numbers
from utils.quiz.schema import Decision, Quiz, QuizQuestion

WORDS_PER_MINUTE = 100
LINES_PER_MINUTE = 5  # of code, with its output
OPENING = "Opening"
PARTS_OF_TEXT = re.compile(r"(?m)^(?=## )")
HEADING = re.compile(r"## +(.+?)\s*$", re.MULTILINE)
EXERCISE = re.compile(r"\*\*about (\d+) minutes\*\*")


@dataclass(frozen=True)
class Section:
    """One section of a notebook: its heading, what there is to read, and the exercises and questions in it."""

    heading: str
    words: int
    lines: int
    exercise_minutes: int
    questions: tuple[QuizQuestion, ...]

    @property
    def reading(self) -> float:
        """Minutes to read words and code."""
        return self.words / WORDS_PER_MINUTE + self.lines / LINES_PER_MINUTE

    @property
    def minutes(self) -> float:
        """Minutes to read the section, and to do what is in it."""
        return self.reading + self.exercise_minutes + sum(question.minutes for question in self.questions)


@dataclass(frozen=True)
class Lesson:
    """One notebook as a lesson: its number, title, sections, and its quiz, if it has one."""

    number: str
    stem: str
    title: str
    sections: tuple[Section, ...]
    quiz: Quiz | None

    @property
    def minutes(self) -> float:
        """Minutes for all of it, alone and without a break."""
        return sum(section.minutes for section in self.sections)

    @property
    def decisions(self) -> list[Decision]:
        """The decision questions of its quiz."""
        return [one for one in self.quiz.questions if isinstance(one, Decision)] if self.quiz else []

    def section(self, heading: str) -> Section:
        """The section with that heading.  Raises CourseError, listing the headings, when there is none."""
        for section in self.sections:
            if section.heading == heading:
                return section
        known = "; ".join(section.heading for section in self.sections)
        raise CourseError(f"Notebook {self.number} has no section {heading!r}: name one of {known}.")

    def question(self, id: str) -> QuizQuestion:
        """The quiz question with that id.  Raises CourseError when there is none."""
        if self.quiz is None:
            raise CourseError(f"Notebook {self.number} has no quiz, so no question {id!r}.")
        return self.quiz.find(id)


def lessons(solutions: Path = SOLUTIONS, quizzes: Path = QUIZZES) -> dict[str, Lesson]:
    """Every notebook as a lesson, by number, in the order of the course."""
    numbers = set(quiz_numbers(quizzes))
    found = {}
    for path in notebook_paths(solutions):
        number = notebook_number(path)
        found[number] = _lesson(path, number, load_quiz(number, quizzes) if number in numbers else None)
    return found


def _lesson(path: Path, number: str, quiz: Quiz | None) -> Lesson:
    notebook = learner_notebook(read_notebook(path), label(path))
    title = next((cell.source.splitlines()[0] for cell in notebook.cells if cell.source.startswith("# ")), path.stem)
    return Lesson(
        number=number,
        stem=path.stem,
        title=title.removeprefix("# ").strip(),
        sections=tuple(_section(heading, texts, codes, quiz) for heading, texts, codes in _cut(notebook)),
        quiz=quiz,
    )


def _cut(notebook: NotebookNode) -> list[tuple[str, list[str], list[str]]]:
    """The notebook at its headings of the second level: heading, prose and code of each section."""
    found: list[tuple[str, list[str], list[str]]] = [(OPENING, [], [])]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found[-1][2].append(cell.source)
            continue
        for part in filter(None, PARTS_OF_TEXT.split(cell.source)):
            if heading := HEADING.match(part):
                found.append((heading[1], [], []))
            found[-1][1].append(part)
    return [section for section in found if section[1] or section[2]]


def _section(heading: str, texts: Sequence[str], codes: Sequence[str], quiz: Quiz | None) -> Section:
    shown = [id for code in codes for id in _shown(code, quiz)] if quiz else []
    return Section(
        heading=heading,
        words=sum(len(text.split()) for text in texts),
        lines=sum(bool(line.strip()) for code in codes for line in code.splitlines()),
        exercise_minutes=sum(int(minutes) for text in texts for minutes in EXERCISE.findall(text)),
        questions=tuple(quiz.find(id) for id in shown) if quiz else (),
    )


def _shown(code: str, quiz: Quiz) -> Iterator[str]:
    """The ids of the questions that a cell shows: named in `quiz.show(...)`, or all of them where it ends in `quiz`."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell with magics shows no questions
        return
    ids = {question.id for question in quiz.questions}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "show":
            values = (argument.value for argument in node.args if isinstance(argument, ast.Constant))
            yield from (value for value in values if value in ids)
    if tree.body and isinstance(tree.body[-1], ast.Expr) and isinstance(tree.body[-1].value, ast.Name):
        yield from (question.id for question in quiz.questions if tree.body[-1].value.id == "quiz")
