"""What the learner has answered, kept between notebooks and days.

The file is the one that COURSE_PROGRESS names (a relative path starts at the root of the checkout), else
`progress.json` in the user's data folder.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from utils.personal_files import progress_file
from utils.storage import Document, JsonStore, now

VARIABLE = "COURSE_PROGRESS"


class QuizAnswer(BaseModel):
    """One question's newest answer.

    `option` is the answer as text ("b"), `right` None for a prediction, `at` the time in UTC, `earlier` the
    answers given before, oldest first.  `late`: a prediction made after its measurement.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    option: str
    confidence: str | None = None
    right: bool | None = None
    at: str = ""
    earlier: tuple[str, ...] = ()
    late: bool = False

    @property
    def story(self) -> tuple[str, ...]:
        """Everything chosen, oldest first, the newest included."""
        return (*self.earlier, self.option)


class ProgressFile(Document):
    """What is on disk: answers by the key of their question (`Quiz.key`)."""

    answers: dict[str, QuizAnswer] = {}

    def add(self, key: str, answer: QuizAnswer) -> None:
        """Make `answer` the newest of question `key`, and keep what was chosen before."""
        before = self.answers.get(key)
        earlier = before.earlier if before else ()
        if before and before.option != answer.option:
            earlier = (*earlier, before.option)
        self.answers[key] = answer.model_copy(update={"earlier": earlier})

    def merge(self, key: str, other: QuizAnswer) -> bool:
        """Add an answer from another computer, and return whether that changed anything.

        The later of two answers counts; the choices of the other one are added to `earlier`, so nothing is lost.
        """
        mine = self.answers.get(key)
        if mine is None:
            self.answers[key] = other
            return True
        newer, older = (other, mine) if other.at > mine.at else (mine, other)
        self.answers[key] = newer if _tells(newer, older) else _joined(newer, older)
        return self.answers[key] != mine


class Progress:
    """Answers by question, on disk; in memory where nothing can be written."""

    def __init__(self, path: Path) -> None:
        self._store = JsonStore(path, ProgressFile, "progress", VARIABLE)

    @classmethod
    def load(cls, path: Path | None = None) -> Progress:
        """The progress at `path`, else at COURSE_PROGRESS, else in the user's data folder."""
        return cls(path or progress_file())

    def record_answer(
        self, key: str, option: str, confidence: str | None = None, right: bool | None = None, late: bool = False
    ) -> None:
        """Save one answer at once.  key: see `Quiz.key`.  Never raises because of the disk."""
        answer = QuizAnswer(option=option, confidence=confidence, right=right, at=now(), late=late)
        self._store.update(lambda document: document.add(key, answer))

    def merge(self, answers: dict[str, QuizAnswer]) -> int:
        """Add answers from another computer, and return how many changed anything here."""
        changed: list[bool] = []

        def bring_in(document: ProgressFile) -> None:
            changed[:] = [document.merge(key, answer) for key, answer in answers.items()]

        self._store.update(bring_in)
        return sum(changed)

    def answers(self) -> dict[str, QuizAnswer]:
        """The newest answer to every question, by key, including those given in other open notebooks."""
        return dict(self._store.read().answers)

    def take_notices(self) -> list[str]:
        """Sentences about the file that the learner should see; each is returned once."""
        return self._store.take_notices()


def _tells(newer: QuizAnswer, older: QuizAnswer) -> bool:
    """Whether the story of `newer` contains the story of `older` already."""
    length = len(older.story)
    starts = range(len(newer.story) - length + 1)
    return any(newer.story[start : start + length] == older.story for start in starts)


def _joined(newer: QuizAnswer, older: QuizAnswer) -> QuizAnswer:
    story = [*older.story, *newer.story]
    changes = [option for option, following in zip(story, story[1:], strict=False) if option != following]
    return newer.model_copy(update={"earlier": tuple(changes)})
