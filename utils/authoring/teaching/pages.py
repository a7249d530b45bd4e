"""The generated pages of `docs/teaching/`: one for each plan, one for each notebook, and a table of both."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from utils.authoring.teaching.plan import (
    CHECKPOINT,
    DISCUSSION,
    SENTENCES,
    SHOWN,
    STEP,
    TEACHING,
    Format,
    PlannedBlock,
    Remark,
    SectionNote,
    Teaching,
    check_notes,
    likely_option,
    planned,
    read_teaching,
)
from utils.authoring.teaching.sections import LINES_PER_MINUTE, WORDS_PER_MINUTE, Lesson, Section, lessons
from utils.errors import CourseError
from utils.paths import write_atomically
from utils.quiz.schema import Decision, Prediction

FOLDER = TEACHING.parent
COMMAND = "python -m utils.authoring teaching"
MADE = f"<!-- Made by `{COMMAND}` from the notebooks, the quizzes and {TEACHING.name}. Do not edit. -->"
UNTIMED = "No class has been timed yet: these minutes are counted, not measured."


def make_pages(teaching: Teaching, found: Mapping[str, Lesson]) -> dict[str, str]:
    """Every generated page by its path in the folder.

    Raises CourseError when a plan, a note or a remark does not fit the notebooks.
    """
    check_notes(teaching, found)
    plans = {form.page: planned(form, found) for form in teaching.formats}
    pages = {f"plan-{form.page}.md": _plan(form, plans[form.page], teaching) for form in teaching.formats}
    pages |= {f"notebooks/{number}.md": _notebook(lesson, teaching) for number, lesson in found.items()}
    return {"minutes.md": _minutes(teaching, plans, found)} | pages


def write_pages(folder: Path = FOLDER) -> list[str]:
    """Write every page that is out of step, and return their names.  A page that is no longer made is removed."""
    changed, left = _out_of_step(folder)
    for name, text in changed.items():
        write_atomically(folder / name, text)
    for name in left:
        (folder / name).unlink()
    return [*changed, *left]


def stale_pages(folder: Path = FOLDER) -> list[str]:
    """One line for each page that is out of step, with the fix."""
    changed, left = _out_of_step(folder)
    place = f"{folder.parent.name}/{folder.name}"
    return [f"{place}/{name} is out of step: run `{COMMAND}`" for name in [*changed, *left]]


def _out_of_step(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The pages to write, with their texts, and the names of those to remove."""
    made = make_pages(read_teaching(folder / TEACHING.name), lessons())
    return {name: text for name, text in made.items() if _text(folder / name) != text}, _left(folder, made)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _left(folder: Path, made: Mapping[str, str]) -> list[str]:
    """Pages that an earlier run made and this one does not."""
    names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.md")))
    return [name for name in names if name not in made and (_text(folder / name) or "").startswith(MADE)]


# Plans


def _plan(form: Format, blocks: Sequence[PlannedBlock], teaching: Teaching) -> str:
    used = sum(block.minutes for block in blocks)
    rows = [f"| {_clock(one)} | {one.minutes} | {_linked(one)} | {_how(one)} |" for one in blocks]
    lines = [
        MADE,
        f"# {form.name}: the plan",
        form.goal,
        "First read [what to prepare, how a block runs, and what to do when something fails](README.md).",
        f"{used} of {form.minutes} minutes are planned. {UNTIMED} [How they are counted](minutes.md).",
        "\n".join(["| from, to | minutes | block | how |", "|---|---|---|---|", *rows]),
        *(part for block in blocks for part in _block(block, teaching)),
    ]
    return "\n\n".join(lines) + "\n"


def _block(block: PlannedBlock, teaching: Teaching) -> list[str]:
    parts = [f"## {_clock(block)} · {_escaped(block.title)}"]
    if block.block.what:
        parts.append(block.block.what)
    if block.lesson is None:
        return parts
    notes = teaching.notes.get(block.lesson.number, {})
    bets = any(isinstance(one, Prediction) for section in block.done[:1] for one in section.questions)
    begun = "place their bets, start" if bets else "start"
    parts += _listed(f"Learners {begun} the whole notebook, and read", [_named(section) for section in block.done])
    parts += _listed("You show, from the solution", [_escaped(section.heading) for section in block.shown])
    parts += _listed("Ask the room", [_question_line(one, block.lesson, teaching) for one in block.decisions])
    chosen = [notes[one.heading] for one in (*block.done, *block.shown) if one.heading in notes]
    discussed = [note.discuss for note in chosen if note.discuss]
    parts += _listed(f"Discuss{' one of these' if len(discussed) > 1 else ''}, if there is time", discussed)
    return parts + _listed("Go on when each group can say", _checkpoint(block, notes))


def _checkpoint(block: PlannedBlock, notes: Mapping[str, SectionNote]) -> list[str]:
    """The sentences that end a block.  Raises CourseError when they are too many for its minutes."""
    sentences = [note.able for one in block.concluding if (note := notes.get(one.heading)) and note.able]
    if len(sentences) > SENTENCES:
        raise CourseError(
            f"{TEACHING.name}: a block on notebook {block.block.notebook} ends with {len(sentences)} sentences of "
            f"{SENTENCES} at most: name the sections that matter most in its `checkpoint`."
        )
    return sentences


def _question_line(question: Decision, lesson: Lesson, teaching: Teaching) -> str:
    remark = teaching.remarks.get(lesson.number, {}).get(question.id)
    likely = f", likely wrong answer {likely_option(question, remark)}" if remark else ""
    return f"[{_escaped(question.title)}](notebooks/{lesson.number}.md#{_anchor(question.title)}){likely}"


def _linked(block: PlannedBlock) -> str:
    if block.lesson is None:
        return _escaped(block.title)
    return f"[{_escaped(block.title)}](notebooks/{block.lesson.number}.md)"


def _how(block: PlannedBlock) -> str:
    counts = {
        "section to do": len(block.done),
        "section shown by you": len(block.shown),
        "question": len(block.questions),
    }
    words = [f"{count} {_plural(word, count)}" for word, count in counts.items() if count]
    return ", ".join(words)


def _plural(word: str, count: int) -> str:
    head, _, rest = word.partition(" ")
    return word if count == 1 else " ".join(filter(None, [f"{head}s", rest]))


def _clock(block: PlannedBlock) -> str:
    return f"{_time(block.start)} to {_time(block.start + block.minutes)}"


def _time(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _named(section: Section) -> str:
    """A section that learners do, with the minutes of its exercise."""
    exercise = f", with an exercise of {section.exercise_minutes} minutes" if section.exercise_minutes else ""
    return f"{_escaped(section.heading)}{exercise}"


# Notebooks


def _notebook(lesson: Lesson, teaching: Teaching) -> str:
    notes = teaching.notes.get(lesson.number, {})
    rows = [_row(section, notes.get(section.heading)) for section in lesson.sections]
    lines = [
        MADE,
        f"# {_escaped(lesson.title)}, for teachers",
        f"`solutions/{lesson.stem}.ipynb` takes a learner about {_up(lesson.minutes)} minutes alone. This page gives "
        "answers away.",
        "\n".join(
            ["| section | minutes | of them exercise | a group can say afterwards |", "|---|---|---|---|", *rows]
        ),
        *(part for question in lesson.decisions for part in _decision(question, lesson, teaching)),
    ]
    return "\n\n".join(lines) + "\n"


def _row(section: Section, note: SectionNote | None) -> str:
    exercise = str(section.exercise_minutes or "")
    able = _cell(note.able) if note and note.able else ""
    return f"| {_cell(_escaped(section.heading))} | {section.minutes:.1f} | {exercise} | {able} |"


def _decision(question: Decision, lesson: Lesson, teaching: Teaching) -> list[str]:
    remark = teaching.remarks.get(lesson.number, {}).get(question.id)
    options = zip(question.letters, question.options, strict=True)
    answers = [
        f"**{letter}{'' if not option.right else ', right'}** {_escaped(option.text)}  \n  {_escaped(option.feedback)}"
        for letter, option in options
    ]
    parts = [
        f"## {_escaped(question.title)}",
        f"`{question.id}`, {question.minutes} minutes to decide, {DISCUSSION} to discuss. {_escaped(question.text)}",
        "\n".join(f"- {answer}" for answer in answers),
    ]
    return parts + ([_said(question, remark)] if remark else [])


def _said(question: Decision, remark: Remark) -> str:
    return f"Expect **{likely_option(question, remark)}** from many (our guess, not a count). {remark.say}"


# Minutes


def _minutes(teaching: Teaching, plans: Mapping[str, Sequence[PlannedBlock]], found: Mapping[str, Lesson]) -> str:
    formats = [
        f"| [{form.name}](plan-{form.page}.md) | {sum(one.minutes for one in plans[form.page])} | {form.minutes} |"
        for form in teaching.formats
    ]
    notebooks = [
        f"| [{_cell(_escaped(lesson.title))}](notebooks/{number}.md) | {_up(lesson.minutes)} |"
        for number, lesson in found.items()
    ]
    lines = [
        MADE,
        "# Where the minutes come from",
        UNTIMED,
        "\n".join(_rules()),
        "## Formats",
        "\n".join(["| plan | minutes planned | minutes there are |", "|---|---|---|", *formats]),
        "## Notebooks",
        "\n".join(["| notebook | minutes alone, about |", "|---|---|", *notebooks]),
    ]
    return "\n\n".join(lines) + "\n"


def _rules() -> list[str]:
    return [
        f"- Reading takes a minute for {WORDS_PER_MINUTE} words of prose, and a minute for {LINES_PER_MINUTE} lines of "
        "code with their output, counted in the learner copy.",
        "- An exercise takes the minutes stated above it, and a quiz question the minutes in its quiz file.",
        f"- A section that you show takes {SHOWN:.0%} of its reading time.",
        f"- A decision takes {DISCUSSION} minutes more in class, for the vote and the discussion.",
        "- Questions under *Discuss* are not counted.",
        f"- A block with a notebook has {CHECKPOINT} minutes for its checkpoint, and is rounded up to {STEP} minutes.",
        "- The computer's time is not added: start a whole run, then read while it goes on.",
        "- A block without a notebook, such as a break, has the minutes that were written down for it.",
    ]


def _up(minutes: float) -> int:
    return STEP * math.ceil(round(minutes, 6) / STEP)


# Words


def _listed(title: str, items: Sequence[str]) -> list[str]:
    return ["\n".join([f"**{title}**\n", *(f"- {item}" for item in items)])] if items else []


def _escaped(text: str) -> str:
    """A text from a notebook or a quiz, with the characters escaped that mean something in Markdown or HTML."""
    return re.sub(r"([\\`*_\[\]$<>])", r"\\\1", " ".join(text.split()))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(heading: str) -> str:
    """A heading as a link names it on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
