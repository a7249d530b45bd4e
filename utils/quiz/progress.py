"""What the learner has answered, kept between notebooks and days.

The file's path comes from COURSE_PROGRESS, else it is `progress.json` in the user's data folder.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from utils.paths import progress_file
from utils.storage import Document, JsonStore, now

VARIABLE = "COURSE_PROGRESS"


class Answer(BaseModel):
    """One question's newest answer.

    `option` is a letter, `right` None for a prediction, `at` the time in UTC, `earlier` the letters
    chosen before, oldest first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    option: str
    confidence: str | None = None
    right: bool | None = None
    at: str = ""
    earlier: tuple[str, ...] = ()


class ProgressFile(Document):
    """What lies on disk: answers by the key of their question (`Quiz.key`)."""

    answers: dict[str, Answer] = {}

    def add(self, key: str, answer: Answer) -> None:
        """Make `answer` the newest of question `key`, remembering what was chosen before."""
        before = self.answers.get(key)
        earlier = before.earlier if before else ()
        if before and before.option != answer.option:
            earlier = (*earlier, before.option)
        self.answers[key] = answer.model_copy(update={"earlier": earlier})


class Progress:
    """Answers by question, on disk; in memory where nothing can be written."""

    def __init__(self, path: Path) -> None:
        self._store = JsonStore(path, ProgressFile, "progress", VARIABLE)

    @classmethod
    def load(cls, path: Path | None = None) -> Progress:
        """The progress at `path`, else at COURSE_PROGRESS, else in the user's data folder."""
        return cls(path or progress_file())

    def record_answer(self, key: str, option: str, confidence: str | None = None, right: bool | None = None) -> None:
        """Save one answer at once.  key: see `Quiz.key`.  Never raises because of the disk."""
        answer = Answer(option=option, confidence=confidence, right=right, at=now())
        self._store.update(lambda document: document.add(key, answer))

    def answers(self) -> dict[str, Answer]:
        """The newest answer of every question, by key, those of other open notebooks included."""
        return dict(self._store.read().answers)

    def take_notices(self) -> list[str]:
        """Sentences about the file that the learner should see, each handed out once."""
        return self._store.take_notices()
