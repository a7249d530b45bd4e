"""A learner's state in the whole course: what is done, which predictions came true, what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.course.calibration import Calibration, calibrate
from utils.course.notebook_files import notebook_number, notebook_paths
from utils.ledger import Ledger
from utils.paths import SOLUTIONS
from utils.quiz.progress import Progress
from utils.quiz.questions import QUIZZES, load_quizzes
from utils.quiz.standing import Standing, standing_in


@dataclass(frozen=True)
class NotebookState:
    """One notebook: the stem of its file, the learner's answers to its quiz, and how many values it measured."""

    stem: str
    standing: Standing
    measurements: int

    @property
    def number(self) -> str:
        """The notebook's number: "02"."""
        return self.standing.quiz.quiz

    @property
    def answered(self) -> str:
        """How many questions are answered: "2 of 6"."""
        total = len(self.standing.quiz.questions)
        return f"{total - len(self.standing.open)} of {total}"

    @property
    def right(self) -> str:
        """How many graded questions are right: "1 of 5"."""
        return f"{self.standing.right} of {len(self.standing.quiz.graded)}"

    @property
    def state(self) -> str:
        """Done or not, in words."""
        if self.standing.done and self.measurements:
            return "done"
        untouched = len(self.standing.open) == len(self.standing.quiz.questions) and not self.measurements
        return "not started" if untouched else "started"


@dataclass(frozen=True)
class Overview:
    """The whole course.  problems: sentences about files that could not be read."""

    notebooks: tuple[NotebookState, ...]
    calibration: Calibration
    problems: tuple[str, ...]

    @property
    def next_step(self) -> str:
        """What to do next, in a sentence."""
        for notebook in self.notebooks:
            step = _step(notebook)
            if step:
                return step
        return "You answered all questions of these notebooks, and rightly where there is a right answer."


def look_over(progress: Progress, ledger: Ledger, quizzes: Path = QUIZZES, solutions: Path = SOLUTIONS) -> Overview:
    """The learner's overview.  A quiz file with an error becomes a sentence, and the others still count."""
    loaded, problems = load_quizzes(quizzes)
    answers = progress.answers()
    stems = {notebook_number(path): path.stem for path in notebook_paths(solutions)}
    measured = {(measurement.notebook, measurement.key) for measurement in ledger.measurements()}
    states = [
        NotebookState(
            stem=stems.get(quiz.quiz, quiz.quiz),
            standing=standing_in(quiz, answers),
            measurements=sum(notebook == quiz.quiz for notebook, _ in measured),
        )
        for quiz in loaded
    ]
    return Overview(tuple(states), calibrate(loaded, answers, ledger), (*problems, *progress.take_notices()))


def as_text(overview: Overview) -> str:
    """The overview as plain text."""
    lines = ["What is done"]
    lines += [
        f"  {notebook.stem}: {notebook.state}, {notebook.answered} questions answered, "
        f"{notebook.right} right, {notebook.measurements} values measured"
        for notebook in overview.notebooks
    ]
    lines += ["", "Your predictions and what you measured"]
    lines += [f"  {line}" for line in overview.calibration.in_words()]
    lines += ["", "Next", f"  {overview.next_step}"]
    return "\n".join([*lines, *overview.problems])


def _step(notebook: NotebookState) -> str | None:
    """What is left to do in one notebook; None when nothing is."""
    standing = notebook.standing
    if standing.open:
        return f"Open notebooks/{notebook.stem}.ipynb. Not answered yet: {', '.join(standing.open)}."
    if standing.wrong:
        return f"Try again in notebooks/{notebook.stem}.ipynb. Not right yet: {', '.join(standing.wrong)}."
    if not notebook.measurements:
        return f"Run notebooks/{notebook.stem}.ipynb to its end. It has not recorded any measurement yet."
    return None
