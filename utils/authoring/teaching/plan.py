"""The plans of a class: blocks named by hand in `docs/teaching/teaching.yaml`, with minutes from the notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from utils.authoring.teaching.sections import Lesson, Section
from utils.errors import CourseError
from utils.paths import ROOT
from utils.quiz.options import NotebookNumber, Strict, Text
from utils.quiz.schema import Decision, QuizQuestion
from utils.validation import first_broken_rule

TEACHING = ROOT / "docs" / "teaching" / "teaching.yaml"
SHOWN = 0.5  # of the reading time: you tell a section instead of letting everybody read it
DISCUSSION = 3  # minutes for each decision, after the vote
CHECKPOINT = 2  # minutes for each block with a notebook
SENTENCES = 3  # at most, that a group must be able to say at the end of a block
STEP = 5


class Remark(Strict):
    """What a teacher may say about a decision.  likely: how the text of a likely wrong option begins."""

    likely: Text
    say: Text


class SectionNote(Strict):
    """A section in class.  discuss: a question to the room.  able: what a group must be able to say to go on."""

    discuss: Text | None = None
    able: Text | None = None


class Block(Strict):
    """One block of a plan: a notebook with the sections that learners do or that you show, or a stretch without one.

    ask: further questions of the notebook's quiz.  minutes: only for a block without a notebook.
    checkpoint: the sections whose `able` ends the block; all of them where it is empty.
    """

    notebook: NotebookNumber | None = None
    title: Text | None = None
    what: Text | None = None
    minutes: int | None = Field(default=None, ge=1)
    do: tuple[Text, ...] = ()
    show: tuple[Text, ...] = ()
    ask: tuple[Text, ...] = ()
    checkpoint: tuple[Text, ...] = ()


class Format(Strict):
    """One format: its name, the stem of its page, the minutes that there are, and its blocks."""

    name: Text
    page: Text = Field(pattern=r"^[a-z0-9-]+$")
    minutes: int = Field(ge=30)
    goal: Text
    blocks: tuple[Block, ...] = Field(min_length=1)


class Teaching(Strict):
    """All that is written by hand: formats, notes on sections and remarks on decisions, each by notebook."""

    formats: tuple[Format, ...]
    notes: Mapping[NotebookNumber, Mapping[Text, SectionNote]] = {}
    remarks: Mapping[NotebookNumber, Mapping[Text, Remark]] = {}


@dataclass(frozen=True)
class PlannedBlock:
    """A block with its notebook and its minutes, which follow from the sections and questions."""

    block: Block
    lesson: Lesson | None
    start: int

    @property
    def done(self) -> list[Section]:
        """The sections that learners work through."""
        return [self.lesson.section(heading) for heading in self.block.do] if self.lesson else []

    @property
    def shown(self) -> list[Section]:
        """The sections that you show from the executed solution."""
        return [self.lesson.section(heading) for heading in self.block.show] if self.lesson else []

    @property
    def concluding(self) -> list[Section]:
        """The sections that the checkpoint is about."""
        sections, chosen = [*self.done, *self.shown], self.block.checkpoint
        return [section for section in sections if section.heading in chosen] if chosen else sections

    @property
    def questions(self) -> list[QuizQuestion]:
        """The questions put to the room: those in the sections that learners do, then those asked besides."""
        inside = [question for section in self.done for question in section.questions]
        return inside + ([self.lesson.question(id) for id in self.block.ask] if self.lesson else [])

    @property
    def decisions(self) -> list[Decision]:
        """Those of the questions that are decisions."""
        return [question for question in self.questions if isinstance(question, Decision)]

    @property
    def minutes(self) -> int:
        """The minutes of the block, rounded up to five."""
        if self.lesson is None:
            return self.block.minutes or STEP
        work = sum(section.reading + section.exercise_minutes for section in self.done)
        told = SHOWN * sum(section.reading for section in self.shown)
        asked = sum(question.minutes for question in self.questions) + DISCUSSION * len(self.decisions)
        return STEP * math.ceil(round(work + told + asked + CHECKPOINT, 6) / STEP)

    @property
    def title(self) -> str:
        """The block's title: its own, else the notebook's."""
        return self.block.title or (self.lesson.title if self.lesson else "")


def read_teaching(path: Path = TEACHING) -> Teaching:
    """What is written by hand.  Raises CourseError, naming the first wrong place, when the file is missing or wrong."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Teaching.model_validate(raw)
    except OSError:
        raise CourseError(f"There is no {path.name}: restore it with `git checkout -- {path.name}`.") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        raise CourseError(f"{path.name} is not valid YAML{f' at line {mark.line + 1}' if mark else ''}.") from None
    except ValidationError as problem:
        raise CourseError(f"{path.name}: {first_broken_rule(problem)}.") from None


def planned(format: Format, lessons: Mapping[str, Lesson]) -> list[PlannedBlock]:
    """The blocks with their minutes.

    Raises CourseError when a notebook, section or question does not exist, or the blocks take longer than there is.
    """
    found: list[PlannedBlock] = []
    start = 0
    for block in format.blocks:
        found.append(PlannedBlock(block, _lesson(block, lessons), start))
        start += found[-1].minutes
    if start > format.minutes:
        raise CourseError(
            f'The plan "{format.name}" takes {start} minutes of {format.minutes}: take a section or a question out of '
            f"it in {TEACHING.name}."
        )
    return found


def check_notes(teaching: Teaching, lessons: Mapping[str, Lesson]) -> None:
    """Raises CourseError when a note or a remark belongs to nothing that there is."""
    for number, notes in teaching.notes.items():
        for heading in notes:
            _known(number, lessons).section(heading)
    for number, remarks in teaching.remarks.items():
        for id, remark in remarks.items():
            likely_option(_known(number, lessons).question(id), remark)


def likely_option(question: QuizQuestion, remark: Remark) -> str:
    """The letter of the wrong option that a remark is about.  Raises CourseError unless exactly one begins like it."""
    options = zip(question.letters, question.options, strict=True) if isinstance(question, Decision) else ()
    found = [letter for letter, option in options if not option.right and option.text.startswith(remark.likely)]
    if len(found) != 1:
        raise CourseError(
            f"The remark on {question.id!r} is about {remark.likely!r}, and {len(found)} wrong options begin so: "
            f"read the question again, and correct {TEACHING.name}."
        )
    return found[0]


def _lesson(block: Block, lessons: Mapping[str, Lesson]) -> Lesson | None:
    """The lesson of a block, once everything that the block names is known to exist."""
    if block.notebook is None:
        if block.title is None or block.minutes is None or block.do or block.show or block.ask:
            raise CourseError(
                f"{TEACHING.name}: a block without a notebook needs `title` and `minutes`, and no sections."
            )
        return None
    lesson = _known(block.notebook, lessons)
    _check_names(block, lesson)
    return lesson


def _check_names(block: Block, lesson: Lesson) -> None:
    for heading in (*block.do, *block.show):
        lesson.section(heading)
    if outside := set(block.checkpoint) - {*block.do, *block.show}:
        raise CourseError(
            f"{TEACHING.name}: the block on notebook {lesson.number} has no section {min(outside)!r} for its "
            "`checkpoint`: name one of those under `do` and `show`."
        )
    inside = [question.id for heading in block.do for question in lesson.section(heading).questions]
    twice = _twice([*inside, *(lesson.question(id).id for id in block.ask)])
    if block.minutes is not None or twice:
        fault = f"asks {twice!r} twice" if twice else "states its minutes, which are counted"
        raise CourseError(f"{TEACHING.name}: the block on notebook {lesson.number} {fault}: take that out.")


def _twice(ids: Sequence[str]) -> str | None:
    return next((id for id in ids if ids.count(id) > 1), None)


def _known(number: str, lessons: Mapping[str, Lesson]) -> Lesson:
    if number not in lessons:
        raise CourseError(f"{TEACHING.name} names notebook {number}, which does not exist: take it out.")
    return lessons[number]
